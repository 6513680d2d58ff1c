"""NHS.UK forms: fields that need more than one box, errors that say what to do, and the helper of every form."""

import datetime as dt
import re
from calendar import monthrange
from zoneinfo import ZoneInfo

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.deconstruct import deconstructible

from psc_portal.common.templatetags.portal import uk_date

LONDON = ZoneInfo("Europe/London")
MONTHS = [f"{dt.date(2000, month, 1):%B}".lower() for month in range(1, 13)]


@deconstructible
class MaxWordsValidator:
    """At most `limit` words. The form shows how many are left."""

    code = "max_words"

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, text):
        count = len(text.split())
        if count > self.limit:
            raise ValidationError(
                "{label}: use %(limit)s words or fewer. You have written %(count)s.",
                code=self.code,
                params={"limit": self.limit, "count": count},
            )

    def __eq__(self, other):
        return isinstance(other, MaxWordsValidator) and self.limit == other.limit


class DateBoxes(forms.MultiWidget):
    """Three boxes: day, month, year. `names` of the data: starts_on_day, starts_on_month, starts_on_year."""

    kind = "date"
    parts = ("day", "month", "year")
    widths = {"day": 2, "month": 2, "year": 4, "time": 5}
    use_fieldset = True

    def __init__(self, attrs=None):
        boxes = {
            part: forms.TextInput({"class": f"nhsuk-date-input__input nhsuk-input--width-{self.widths[part]}"})
            for part in self.parts
        }
        for part in ("day", "month", "year"):
            boxes[part].attrs["inputmode"] = "numeric"
        super().__init__(boxes, attrs)

    def decompress(self, value):
        return [value.day, value.month, value.year] if value else [None] * 3

    def value_from_datadict(self, data, files, name):
        if name in data:  # also accepts 2026-06-28, from links and scripts
            try:
                return self.decompress(self.from_iso(data[name]))
            except ValueError:
                return [data[name], "", ""] + [""] * (len(self.parts) - 3)
        return super().value_from_datadict(data, files, name)

    @staticmethod
    def from_iso(text):
        return dt.date.fromisoformat(text) if text else None


class DateInputField(forms.Field):
    """A date in three boxes. A wrong one is refused with a sentence that says what is wrong.

    Args:
        earliest, latest: first and last date allowed, or a function that gives it.
    """

    widget = DateBoxes

    def __init__(self, *, earliest=None, latest=None, **kwargs):
        self.earliest, self.latest = earliest, latest
        super().__init__(**kwargs)

    def to_python(self, value):
        if isinstance(value, dt.date):
            return value
        typed = [str(part or "").strip() for part in value or []]
        return self._date(typed) if any(typed) else None

    def _date(self, typed):
        missing = [part for part, text in zip(("day", "month", "year"), typed, strict=False) if not text]
        if missing:
            raise ValidationError(f"{{label}} must include a {' and a '.join(missing)}", code="incomplete")
        day, month, year = typed[0], _month(typed[1]), typed[2]
        if not re.fullmatch(r"\d{4}", year) or int(year) < 1:
            raise ValidationError("The year of {label} must have 4 numbers, like 2026", code="year")
        if month is None:
            raise ValidationError("The month of {label} must be a number from 1 to 12", code="month")
        if not re.fullmatch(r"\d{1,2}", day) or int(day) == 0:
            raise ValidationError("The day of {label} must be a number, like 28", code="day")
        days = monthrange(int(year), month)[1]
        if int(day) > days:
            raise ValidationError(
                f"{{label}} must be a real date: {MONTHS[month - 1].capitalize()} {int(year)} has {days} days",
                code="no_such_day",
            )
        return dt.date(int(year), month, int(day))

    def validate(self, value):
        super().validate(value)
        if not value:
            return
        earliest, latest = (limit() if callable(limit) else limit for limit in (self.earliest, self.latest))
        if earliest and value < earliest:
            raise ValidationError(f"{{label}} must be {uk_date(earliest)} or later", code="too_early")
        if latest and value > latest:
            raise ValidationError(f"{{label}} must be {uk_date(latest)} or earlier", code="too_late")

    def has_changed(self, initial, data):
        try:
            return super().has_changed(initial, self.to_python(data))
        except ValidationError:
            return True


def _month(text):
    if re.fullmatch(r"\d{1,2}", text) and 1 <= int(text) <= 12:
        return int(text)
    named = [number for number, name in enumerate(MONTHS, 1) if len(text) >= 3 and name.startswith(text.lower())]
    return named[0] if len(named) == 1 else None


class MomentBoxes(DateBoxes):
    """Date boxes and one for the time of day."""

    parts = ("day", "month", "year", "time")

    def decompress(self, value):
        if not value:
            return [None] * 4
        if isinstance(value, dt.datetime) and timezone.is_aware(value):
            value = value.astimezone(LONDON)
        return [value.day, value.month, value.year, f"{value:%H:%M}"]

    @staticmethod
    def from_iso(text):
        return dt.datetime.fromisoformat(text) if text else None


class MomentInputField(DateInputField):
    """A moment in UK time: date boxes and a time such as 5pm, 5:30pm or 17:30. The value is an aware datetime."""

    widget = MomentBoxes

    def to_python(self, value):
        if isinstance(value, dt.datetime):
            return value
        typed = [str(part or "").strip() for part in value or []]
        if not any(typed):
            return None
        date = self._date(typed[:3])
        moment = dt.datetime.combine(date, _time(typed[3] if len(typed) > 3 else ""), LONDON)
        if moment.astimezone(dt.UTC).astimezone(LONDON).time() != moment.time():
            raise ValidationError("{label}: the clocks go forward then, choose another time", code="no_such_time")
        return moment


def _time(text):
    words = {"midday": dt.time(12), "noon": dt.time(12), "midnight": dt.time(0)}
    if not text:
        raise ValidationError("{label} must include a time, like 5pm or 17:30", code="incomplete")
    if text.lower() in words:
        return words[text.lower()]
    match = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?(?::\d{2})?\s*([ap])?\.?(?:m\.?)?", text.lower())
    hour, minute, half = (int(match[1]), int(match[2] or 0), match[3]) if match else (99, 0, None)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif half or (match and not match[2]):
        hour = 99
    if hour > 23 or minute > 59:
        raise ValidationError("The time of {label} must be like 5pm, 5:30pm or 17:30", code="time")
    return dt.time(hour, minute)


class RevealRadios(forms.RadioSelect):
    """Radios that show another field of the form under one of them: reveals={"other": "other_text"}."""

    def __init__(self, *args, reveals=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.reveals = reveals or {}

    def __deepcopy__(self, memo):
        copy = super().__deepcopy__(memo)
        copy.reveals = dict(self.reveals)
        return copy


class NhsukFormMixin:
    """What a form needs beyond its fields: NHS.UK template pack, one button, and a layout when wished.

    class FeedbackForm(NhsukFormMixin, forms.Form):
        submit_label = "Send feedback"
    """

    submit_label = "Save and continue"
    secondary_submit = None  # (name, label) of a second, quieter button
    form_layout = None  # a crispy Layout instead of all fields in their order

    @property
    def helper(self):
        helper = FormHelper()
        helper.attrs = {"novalidate": ""}
        revealed = {name for field in self.fields.values() for name in getattr(field.widget, "reveals", {}).values()}
        shown = [name for name in self.fields if name not in revealed]
        helper.layout = self.form_layout or Layout(*shown)
        helper.render_hidden_fields = True
        helper.add_input(Submit("submit", self.submit_label))
        if self.secondary_submit:
            name, label = self.secondary_submit
            helper.add_input(Submit(name, label, css_class="nhsuk-button--secondary"))
        return helper


# Sentences -----------------------------------------------------------------------------------------------------------


def in_sentence(label):
    """A label as it stands inside a sentence: "Lay summary" -> "lay summary", but "ODS code" stays."""
    label = str(label).strip().rstrip(":")
    return label if len(label) > 1 and label[1].isupper() else label[:1].lower() + label[1:]


def error_sentence(bound_field, error):
    """One error of a field as a sentence that says what to do.

    Django's own messages ("This field is required.") do not name the field, which an error summary must;
    messages that a form wrote itself are left as they are.
    """
    field, code, params = bound_field.field, error.code, error.params or {}
    message = str(error.messages[0]) if error.messages else ""
    label = str(bound_field.label).strip().rstrip(":")
    inner = in_sentence(label)
    if "{label}" in message:
        return message.replace("{label}", label if message.startswith("{label}") else inner)
    if message != _default_message(field, code, error):
        return message
    limit, shown = params.get("limit_value"), params.get("show_value")
    match code:
        case "required":
            return _required(field, label, inner)
        case "invalid_choice" | "invalid_list" | "invalid_pk_value":
            return f"Choose from the list of options for {inner}"
        case "max_length":
            return f"{label} must be {limit} characters or fewer. You have written {shown}."
        case "min_length":
            return f"{label} must be {limit} characters or more"
        case "max_value":
            return f"{label} must be {limit} or less"
        case "min_value":
            return f"{label} must be {limit} or more"
        case "invalid" if isinstance(field, forms.EmailField):
            return f"{label}: enter an email address in the correct format, like name@example.com"
        case "invalid" if isinstance(field, forms.IntegerField) and not isinstance(field, forms.FloatField):
            return f"{label} must be a {'number' if isinstance(field, forms.DecimalField) else 'whole number'}"
        case "invalid" if isinstance(field, forms.DateField):
            return f"{label} must be a real date, like 28/06/2026"
        case "invalid" if isinstance(field, forms.URLField):
            return f"{label} must be a web address, like https://www.example.com"
        case "empty":
            return f"{label}: the file is empty, choose another one"
        case "missing" | "invalid" if isinstance(field, forms.FileField):
            return f"{label}: no file arrived, choose it again"
    return message


def _default_message(field, code, error):
    """The message that Django itself gives for this code, or the error's own where Django's has no fixed text."""
    if code in {"max_length", "min_length", "max_value", "min_value"}:
        return str(error.messages[0]) if str(error.messages[0]).startswith("Ensure ") else None
    for kind in type(field).__mro__:
        if code in (defaults := getattr(kind, "default_error_messages", {})):
            default = str(defaults[code])
            return default % error.params if error.params else default
    if code == "invalid" and isinstance(field, forms.EmailField | forms.URLField):
        return str(error.messages[0]) if str(error.messages[0]).startswith("Enter a valid") else None
    return None


def _required(field, label, inner):
    if label.endswith("?"):
        return f"Answer the question: {label}"
    widget = field.widget
    if isinstance(widget, forms.CheckboxInput):
        return f"Tick the box: {label}"
    if isinstance(widget, forms.Select | forms.RadioSelect | forms.CheckboxSelectMultiple):
        return f"Choose {inner}"
    if isinstance(widget, forms.FileInput):
        return f"Choose a file for {inner}"
    return f"Enter {inner}"
