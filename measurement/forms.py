"""What people type about metrics, as clean values for the actions."""

import datetime as dt
import hashlib
import json
from itertools import islice
from uuid import uuid4, uuid5

from django import forms
from django.conf import settings
from django.core.files.base import ContentFile
from django.template.defaultfilters import filesizeformat

from measurement import actions, due, imports, jumps, layouts, periods, workbooks
from measurement.actions import DEFINITION_FIELDS
from measurement.models import Annotation, Metric, MetricVersion, Series
from projects.models import Organisation, PdsaCycle, Priority, Project
from psc_portal.accounts.models import User
from psc_portal.common import clock, uploads
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin
from psc_portal.common.refusals import ActionRefused

NO_PATIENTS = "Do not write anything that could identify a patient."
READ_BY_ALL = f"The public reads it: give no number of people from 1 to 7. {NO_PATIENTS}"
PERIODS_OFFERED = {"week": 60, "month": 48, "quarter": 24, "half_year": 12, "year": 10}
LINES_IN_SENTENCE = {"rows": 3}


# The list of metrics -------------------------------------------------------------------------------------------------


class MetricFilters(forms.Form):
    """Filters in the address of the list; what makes no sense there is left out."""

    SIGNALS = [
        ("concern", "Worse"),
        ("improvement", "Better"),
        ("neutral", "Changed"),
        ("common", "No sign of change"),
    ]

    priority = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(
        required=False,
        choices=[("", "All kinds"), *((value, label.split(":")[0]) for value, label in Metric.Kind.choices)],
    )
    dimension = forms.ChoiceField(
        required=False, choices=[("", "All dimensions"), *Metric.Dimension.choices], label="Dimension of safety"
    )
    signal = forms.ChoiceField(required=False, choices=[("", "All signals"), *SIGNALS], label="What the data say")
    sort = forms.ChoiceField(
        required=False, choices=[("", "Priority"), ("signal", "Signal, worse first"), ("name", "Name")], label="Sort by"
    )

    def __init__(self, data, *, priorities):
        super().__init__(data)
        self.fields["priority"].choices = [("", "All priorities"), *((one.slug, one.title) for one in priorities)]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}


# Entering data -------------------------------------------------------------------------------------------------------


class NumbersForm(NhsukFormMixin, forms.Form):
    """The numbers of one period. Its fields follow the metric's definition."""

    is_provisional = forms.BooleanField(required=False, label="These numbers may still change")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, series: Series, recent, **kwargs):
        """`recent`: the newest values of the series, newest first."""
        super().__init__(*args, **kwargs)
        self.series, self.metric, self.recent = series, series.metric, recent
        version = self.metric.version
        numbers = {}
        if version.entry == MetricVersion.Entry.VALUE:
            numbers["value"] = number_field(f"Value in {self.metric.unit}")
        else:
            numbers["numerator"] = number_field("Numerator", version.numerator)
        if version.entry == MetricVersion.Entry.RATIO:
            numbers["denominator"] = number_field("Denominator", version.denominator)
        self.number_names = list(numbers)
        self.fields = {**numbers, **self.fields}
        self.stored = None  # what somebody else stored while this form was open
        if self.is_bound and self.add_prefix("is_sure") in self.data:
            self._offer_sure()

    def _offer_sure(self):
        self.fields["is_sure"] = forms.BooleanField(required=False, label="I have checked it: the unit is right")

    def clean(self):
        cleaned = super().clean()
        if not cleaned.pop("is_sure", False):
            for name in self.number_names:
                self._ask_about_unit(name, cleaned.get(name))
        return cleaned

    def _ask_about_unit(self, name, number) -> None:
        usually = jumps.usual(getattr(point, name) for point in self.recent)
        if far := jumps.how_far(number, usually):
            self._offer_sure()
            self.add_error(
                name,
                f"{self.fields[name].label}: {imports.plain(number)} is {far} than the usual {imports.plain(usually)}. "
                "Check the unit. If it is right, tick the box and save again.",
            )

    def show_stored(self, refusal: actions.PointChanged, seen: str) -> None:
        """Keep what was typed, beside what somebody else stored meanwhile: to store it now is to have chosen."""
        self.stored = refusal.stored
        self.data = self.data.copy()
        self.data[self.add_prefix("seen")] = seen
        self.fields.setdefault("reason", reason_field())
        self.refuse(str(refusal))

    def refuse(self, sentence: str) -> None:
        """Say beside the first number what is wrong: a summary of errors can lead there."""
        self.add_error(self.number_names[0], sentence)

    @property
    def stored_text(self) -> str:
        return imports.shown(self.stored, self.metric.unit) if self.stored else ""


def reason_field():
    return forms.CharField(
        required=False,
        max_length=300,
        label="Reason for a correction",
        help_text="Only where the period has a value already. The old value is kept in the history.",
    )


class PointForm(NumbersForm):
    """One period of one series; the last denominator is carried forward."""

    submit_label = "Save"

    note = forms.CharField(required=False, max_length=300, label="Note", help_text=NO_PATIENTS)
    reason = reason_field()

    def __init__(self, data=None, *, series: Series, points, period: dt.date | None = None):
        """`points`: the stored points of the series, oldest first; `period`: the one to correct, or None."""
        super().__init__(data, series=series, recent=points[: -due.RECENT - 1 : -1])
        self.points = {point.period_start: point for point in points}
        self.fields = {"period_start": self._period_field(), **self.fields}
        self._carry_forward(points, period)
        self.initial["seen"] = json.dumps({start.isoformat(): point.stamp for start, point in self.points.items()})

    def _period_field(self):
        if self.metric.frequency == Metric.Frequency.EVENT:
            return DateInputField(label="Date of the event", latest=clock.today)
        choices = []
        for start in recent_periods(self.metric, PERIODS_OFFERED[self.metric.frequency]):
            label = periods.label(start, self.metric.frequency)
            label = label[0].upper() + label[1:]
            choices.append((start.isoformat(), f"{label} (has a value)" if start in self.points else label))
        return forms.TypedChoiceField(label="Period", choices=choices, coerce=dt.date.fromisoformat, empty_value=None)

    def clean_seen(self) -> dict[str, str] | None:
        """What was stored for each period when the form was made; None where the form does not say."""
        try:
            seen = json.loads(self.cleaned_data["seen"] or "null")
        except ValueError:
            return None
        return seen if isinstance(seen, dict) else None

    def clean(self):
        cleaned = super().clean()
        seen, start = cleaned.get("seen"), cleaned.get("period_start")
        if seen is not None and start:
            cleaned["seen"] = str(seen.get(start.isoformat(), actions.NOTHING_STORED))
        return cleaned

    def show_changed(self, refusal: actions.PointChanged) -> None:
        seen = json.loads(self.data["seen"])
        start = self.cleaned_data["period_start"].isoformat()
        seen.pop(start, None)
        if refusal.stored:
            seen[start] = refusal.stored.stamp
        self.show_stored(refusal, json.dumps(seen))

    def _carry_forward(self, points, period) -> None:
        point = self.points.get(period)
        if point is not None:
            shown = {name: imports.plain(getattr(point, name)) for name in ("numerator", "denominator", "value")}
            self.initial |= shown | {
                "period_start": self._start(period),
                "note": point.note,
                "is_provisional": point.finality == point.Finality.PROVISIONAL,
            }
            return
        if points and points[-1].denominator is not None:
            self.initial["denominator"] = imports.plain(points[-1].denominator)
            hint = carried(self.fields["denominator"].help_text, points[-1], self.metric.frequency)
            self.fields["denominator"].help_text = hint
        if self.metric.frequency != Metric.Frequency.EVENT:
            self.initial["period_start"] = self._first_due()

    def _start(self, period):
        return period if self.metric.frequency == Metric.Frequency.EVENT else period.isoformat()

    def _first_due(self) -> str:
        """The oldest period without a value after the newest with one; else the newest period."""
        offered = [value for value, _ in self.fields["period_start"].choices]
        newest = max(self.points, default=None)
        after = [value for value in offered if newest is not None and dt.date.fromisoformat(value) > newest]
        return after[-1] if after else offered[0]


def carried(meaning: str, point, frequency: str) -> str:
    """The hint of a denominator that is filled in already: whence it comes."""
    label = periods.label(point.period_start, frequency)
    return f"{meaning + '. ' if meaning else ''}Carried forward from {label}: change it if it differs."


class DueForm(NumbersForm):
    """One row of the page with all that is due. Left empty it is skipped."""

    carried = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data, *, one: due.Due, recent):
        super().__init__(
            data,
            prefix=due.anchor(one.series, one.start),
            series=one.series,
            recent=recent,
            empty_permitted=True,
            use_required_attribute=False,
        )
        self.due = one
        self.point = None  # what was stored of it just now
        self.newest = recent[0] if recent else None
        self.initial["seen"] = actions.NOTHING_STORED
        if self.newest is not None and self.newest.denominator is not None:
            self.initial["denominator"] = self.initial["carried"] = imports.plain(self.newest.denominator)
            hint = carried(self.fields["denominator"].help_text, self.newest, self.metric.frequency)
            self.fields["denominator"].help_text = hint
        if self.is_bound and self.add_prefix("reason") in self.data:
            self.fields["reason"] = reason_field()

    def has_changed(self) -> bool:
        """Whether something was typed: a denominator that was only carried forward says nothing by itself."""
        typed = {name: (self.data.get(self.add_prefix(name)) or "").strip() for name in self.number_names}
        if typed.get("denominator") == self.data.get(self.add_prefix("carried")):
            del typed["denominator"]
        return any(typed.values())

    @property
    def point_text(self) -> str:
        return imports.shown(self.point, self.metric.unit)

    @property
    def last_text(self) -> str:
        if self.newest is None:
            return ""
        label = periods.label(self.newest.period_start, self.metric.frequency)
        return f"{label}: {imports.shown(self.newest, self.metric.unit)}"

    @property
    def values(self) -> dict:
        """What `actions.enter_point` takes."""
        cleaned = {name: value for name, value in self.cleaned_data.items() if name != "carried"}
        return {"series": self.series, "period_start": self.due.start, **cleaned, "seen": cleaned["seen"] or None}


class DueForms:
    """All rows of the page; speaks like a formset, so that the summary of errors reads it."""

    def __init__(self, data, rows, recent):
        self.is_bound = data is not None
        self.forms = [DueForm(data, one=one, recent=recent.get(one.series.pk, [])) for one in rows]

    def __iter__(self):
        return iter(self.forms)

    def __len__(self):
        return len(self.forms)

    @staticmethod
    def non_form_errors() -> list[str]:
        return []

    def filled(self) -> list[DueForm]:
        return [form for form in self.forms if form.has_changed()]

    @property
    def total_error_count(self) -> int:
        return sum(len(form.errors) for form in self.forms if self.is_bound)


def recent_periods(metric: Metric, count: int) -> list[dt.date]:
    """Starts of the newest periods that are over, newest first."""
    starts = []
    start = periods.start_of(clock.today(), metric.frequency)
    for _ in range(count):
        start = periods.start_of(start - dt.timedelta(days=1), metric.frequency)
        starts.append(start)
    return starts


def number_field(label: str, meaning: str = ""):
    return NumberField(
        label=label,
        help_text=meaning,
        widget=forms.TextInput({"inputmode": "decimal", "class": "nhsuk-input--width-10"}),
    )


class NumberField(forms.Field):
    """A number as people write it: with thousands commas if they like."""

    def to_python(self, value):
        if isinstance(value, str):
            try:
                return imports.number_of(value)
            except ActionRefused:
                raise forms.ValidationError("{label} must be a number, like 12 or 1,234.5", code="not_a_number")
        return value


class RowsForm(NhsukFormMixin, forms.Form):
    """Rows pasted, or in a file. Many rows, or a large file, are for a worker: then `is_large`."""

    LARGE = 300_000  # bytes: a file that is not even opened while the person waits

    submit_label = "Check the rows"
    field_order = ["rows", "file", "series", "measure", "token"]

    measure = forms.ChoiceField(
        required=False, label="Which numbers", help_text="Published statistics are taken as they are downloaded"
    )
    series = forms.ChoiceField(label="Place", help_text="For rows that do not name an organisation")
    rows = forms.CharField(
        required=False,
        strip=False,
        label="Paste rows from a spreadsheet",
        help_text="With their column names. " + NO_PATIENTS,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(required=False, label="Or choose a file", help_text="Excel workbook (.xlsx) or CSV")
    token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args, metric, allowed: list[Series], **kwargs):
        super().__init__(*args, **kwargs)
        self.metric = metric
        self.allowed = {series.key: series for series in allowed}
        self.fields["series"].choices = [(series.key, series.place) for series in allowed]
        if len(allowed) == 1:
            self.fields["series"].widget = forms.HiddenInput()
            self.fields["series"].initial = allowed[0].key
        self.fields["measure"].choices = [("", "A table of my own"), *_grouped(layouts.for_entry(metric.version.entry))]
        self.is_large = False

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(
                f"The file is {filesizeformat(file.size)}, more than the {filesizeformat(settings.UPLOAD_MAX_BYTES)} "
                "allowed. Split it, or take out what is not needed."
            )
        return file

    def clean_rows(self):
        text = self.cleaned_data["rows"]
        if len(text) > imports.MAX_BYTES:
            raise forms.ValidationError("This is too much to paste: save it as a file and choose that.")
        return text

    def clean(self):
        cleaned = super().clean()
        file, text = cleaned.get("file"), cleaned.get("rows") or ""
        if self.errors:
            return cleaned
        if file and text.strip():
            raise forms.ValidationError("Paste rows or choose a file, not both.")
        cleaned["default"] = self.allowed.get(cleaned.get("series"))
        cleaned["name"] = uploads.clean_name(file.name) if file else "Pasted rows"
        try:
            self._read(cleaned, file, text)
        except ActionRefused as refusal:
            self.add_error("file" if file else "rows", str(refusal))
        return cleaned

    def _read(self, cleaned, file, text) -> None:
        """The rows as text, where they are few; else the file itself for the worker."""
        if file and file.size > self.LARGE:
            self.is_large = True
            if file.read(4) == b"PK\x03\x04":
                workbooks.refuse_unfit(file)
        else:
            source = imports.of_file(file, self.metric) if file else imports.of_text(text)
            rows = list(islice(source.rows, imports.ROWS_AT_ONCE + 2))
            self.is_large = len(rows) > imports.ROWS_AT_ONCE + 1
            cleaned["text"] = "" if self.is_large else imports.as_text(rows)
            if source.sheet:
                cleaned["name"] = f"{cleaned['name']}, {source.sheet}"
        if self.is_large:
            cleaned["kept"] = kept = file or ContentFile(text.encode(), name="pasted.csv")
            kept.seek(0)
            content = hashlib.file_digest(kept, "sha256").hexdigest()  # another file from the same page is another one
            cleaned["token"] = uuid5(cleaned.get("token") or uuid4(), content)


def _grouped(measures) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices under the name of their publication."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for measure in measures:
        groups.setdefault(measure.layout.name, []).append((measure.key, measure.name))
    return list(groups.items())


class AnswersForm(NhsukFormMixin, forms.Form):
    """What a person says to a check before its good rows are stored."""

    name = forms.CharField(max_length=120, label="Name of this import", help_text="So that you find it again")
    reason = forms.CharField(
        max_length=300, label="Reason for the corrections", help_text="The old values are kept in the history."
    )
    is_sure = forms.BooleanField()

    def __init__(self, *args, found: dict, **kwargs):
        """`found`: what the check found, as `Preview.as_dict` says it."""
        super().__init__(*args, **kwargs)
        count, refused = found["good"], found["refused"]
        rows = f"{'good ' if refused else ''}row{'s' if count != 1 else ''}"
        self.submit_label = f"Store {count:,} {rows}"
        if not found["corrections"]:
            del self.fields["reason"]
        if found["warned"]:
            many = found["warned"] > 1
            self.fields["is_sure"].label = (
                f"I have checked the {found['warned']:,} values" if many else "I have checked the value"
            ) + f" that look{'' if many else 's'} as if in another unit"
        else:
            del self.fields["is_sure"]

    @property
    def answers(self) -> dict:
        return {
            "name": self.cleaned_data["name"],
            "reason": self.cleaned_data.get("reason", ""),
            "is_sure": self.cleaned_data.get("is_sure", False),
        }


class StoreRowsForm(AnswersForm):
    """The same rows again, to be checked again and stored."""

    series = forms.CharField(widget=forms.HiddenInput)
    text = forms.CharField(widget=forms.HiddenInput, strip=False, max_length=2 * imports.MAX_BYTES)
    measure = forms.CharField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class StoreFileForm(AnswersForm):
    secondary_submit = ("discard", "Throw the file away")


# Annotations and rebases ---------------------------------------------------------------------------------------------


class AnnotationForm(NhsukFormMixin, forms.Form):
    submit_label = "Add to the chart"

    date = DateInputField(label="When", latest=clock.today)
    kind = forms.ChoiceField(choices=Annotation.Kind, widget=forms.RadioSelect, label="What kind of event")
    text = forms.CharField(max_length=200, label="What happened", help_text=f"In a few words. {READ_BY_ALL}")
    series = forms.ModelChoiceField(
        Series.objects.none(), required=False, empty_label="All places", label="Whose chart"
    )
    pdsa_cycle = forms.ModelChoiceField(
        PdsaCycle.objects.none(), required=False, empty_label="None", label="Plan-do-study-act cycle"
    )

    def __init__(self, *args, metric, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["series"].queryset = metric.series.select_related("organisation", "metric")
        self.fields["series"].label_from_instance = lambda series: series.place
        if metric.project_id:
            self.fields["pdsa_cycle"].queryset = metric.project.pdsa_cycles.all()
        else:
            del self.fields["pdsa_cycle"]


class RebaseDateForm(NhsukFormMixin, forms.Form):
    submit_label = "Rebase"

    from_date = DateInputField(label="Calculate anew from", latest=clock.today)
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(LINES_IN_SENTENCE),
        help_text="What changed in the way of working, and how you know that it will last. It is shown with the chart. "
        + READ_BY_ALL,
    )


class RebaseForm(RebaseDateForm):
    series = forms.ModelChoiceField(Series.objects.none(), empty_label=None, label="Whose chart")
    field_order = ["series", "from_date", "reason"]

    def __init__(self, *args, metric, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["series"].queryset = metric.series.select_related("organisation", "metric")
        self.fields["series"].label_from_instance = lambda series: series.place


# For staff, in the admin ---------------------------------------------------------------------------------------------


class DefinitionFields(NhsukFormMixin, forms.Form):
    operational_definition = forms.CharField(
        widget=forms.Textarea(LINES_IN_SENTENCE), help_text="Exactly what is counted, and how"
    )
    numerator = forms.CharField(required=False, help_text="Empty where a period has one value, such as days")
    denominator = forms.CharField(required=False, help_text="Empty for a plain count")
    exclusions = forms.CharField(required=False, widget=forms.Textarea(LINES_IN_SENTENCE))
    source = forms.CharField(required=False, help_text="Where the numbers come from")
    sampling = forms.CharField(required=False, help_text="All cases, or how many of them and how they are chosen")


class DescriptionFields(forms.Form):
    """What explains a metric: its owner may change these too."""

    why_it_matters = forms.CharField(required=False, widget=forms.Textarea(LINES_IN_SENTENCE))
    known_limits = forms.CharField(required=False, widget=forms.Textarea(LINES_IN_SENTENCE))
    collector = forms.CharField(
        required=False, max_length=160, label="Who collects the data", help_text="A role or a team"
    )
    stratified_by = forms.CharField(
        required=False, max_length=160, help_text="For example organisation, setting, equality group"
    )
    baseline_from = DateInputField(
        required=False, label="Baseline period, first day", help_text="The period that later values are compared with"
    )
    baseline_to = DateInputField(required=False, label="Baseline period, last day")
    days_to_report = forms.IntegerField(
        min_value=0, max_value=730, initial=30, label="Days to report", help_text="After the end of a period"
    )
    days_until_final = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=3650,
        label="Days until a value is final",
        help_text="After the end of a period; empty if it never changes",
    )


class MetricFields(DescriptionFields):
    name = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=Metric.Kind)
    dimension = forms.ChoiceField(choices=Metric.Dimension, label="Dimension of safety")
    priority = forms.ModelChoiceField(Priority.objects.all(), required=False)
    project = forms.ModelChoiceField(Project.objects.all(), required=False)
    direction = forms.ChoiceField(choices=Metric.Direction, label="Improvement direction")
    unit = forms.CharField(max_length=60, help_text="%, days, per 1,000 occupied bed days")
    multiplier = forms.IntegerField(min_value=1, initial=1, help_text="100 for %, 1,000 for a rate per 1,000, else 1")
    frequency = forms.ChoiceField(choices=Metric.Frequency, initial=Metric.Frequency.MONTH)
    is_public = forms.BooleanField(required=False, label="Public")
    numerator_counts_people = forms.BooleanField(
        required=False, initial=True, help_text="Public pages hide 1 to 7 people and round the rest"
    )
    denominator_counts_people = forms.BooleanField(required=False, initial=True)
    is_illustrative = forms.BooleanField(required=False, label="Values are illustrative")


class AddMetricForm(DefinitionFields, MetricFields):
    submit_label = "Add the metric"

    target = forms.DecimalField(required=False, max_digits=16, decimal_places=4)
    target_from = DateInputField(required=False, label="Target from")
    target_set_by = forms.CharField(required=False, max_length=120, label="Who set the target")
    chart_type = forms.ChoiceField(choices=Metric.ChartType, initial=Metric.ChartType.XMR, label="Chart")

    code = forms.RegexField(
        r"^[A-Za-z][A-Za-z0-9-]*\Z",
        required=False,
        max_length=12,
        help_text="Like PU1; the next free one if left empty",
        error_messages={"invalid": "Use letters, digits and hyphens for the code, like PU1"},
    )

    field_order = [
        "code",
        *[name for name in MetricFields.base_fields if name not in DescriptionFields.base_fields],
        *DEFINITION_FIELDS,
        *("target", "target_from", "target_set_by", "chart_type"),
        *DescriptionFields.base_fields,
    ]

    def clean(self):
        cleaned = super().clean()
        cleaned["definition"] = {name: cleaned.pop(name, "") for name in DEFINITION_FIELDS}
        return cleaned


class EditMetricForm(NhsukFormMixin, MetricFields):
    submit_label = "Save"
    field_order = [
        *[name for name in MetricFields.base_fields if name not in DescriptionFields.base_fields],
        *DescriptionFields.base_fields,
    ]


class OwnerForm(NhsukFormMixin, forms.Form):
    user = forms.ModelChoiceField(User.objects.filter(is_active=True), label="Owner")
    deputy = forms.ModelChoiceField(User.objects.filter(is_active=True), required=False, empty_label="None")


class SeriesForm(NhsukFormMixin, forms.Form):
    organisation = forms.ModelChoiceField(
        Organisation.objects.filter(closed_on__isnull=True), required=False, empty_label="The whole region"
    )
