"""Forms of innovators: the sections of a draft, files, submitting and withdrawing."""

import json

from crispy_forms.layout import HTML, Div, Fieldset, Layout, Submit
from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.html import escape

from proposals import merging
from proposals.models import Call
from proposals.questions import BUDGET, Kind, condition_of, is_carried_over
from psc_portal.common import clock
from psc_portal.common.nhsuk import (
    DateInputField,
    MaxWordsValidator,
    NhsukFormMixin,
)
from psc_portal.common.templatetags.portal import uk_datetime

REMOVE = "-remove"  # behind the name of a file's question: the box that takes the file out
MOST_SENT = 5
MANY = 8  # a list to choose one from that is longer than this is a select box, not radios


def _field(question, choices, *, is_required, hint=""):
    common = {"label": question.label, "help_text": hint, "required": is_required}
    match question.kind:
        case Kind.TEXT:
            validators = [MaxWordsValidator(question.word_limit)] if question.word_limit else []
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 6}), validators=validators, **common)
        case Kind.CHOICE:
            options = choices.of(question)
            if len(options) > MANY:
                return forms.ChoiceField(choices=[("", "Choose"), *options], **common)
            is_short = len(options) <= 3 and all(len(label) < 10 for _value, label in options)
            widget = forms.RadioSelect(attrs={"inline": True} if is_short else None)
            return forms.ChoiceField(choices=options, widget=widget, **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=choices.of(question), widget=forms.CheckboxSelectMultiple, **common
            )
        case Kind.DATE:
            return DateInputField(**common)
        case Kind.FILE:
            return forms.FileField(allow_empty_file=True, widget=forms.FileInput, **common)
        case Kind.NUMBER | Kind.WHOLE | Kind.MONEY:
            mode = "numeric" if question.kind == Kind.WHOLE else "decimal"
            attrs = {"inputmode": mode, "class": "nhsuk-input--width-10"}
            return forms.CharField(widget=forms.TextInput(attrs=attrs), **common)
    return forms.CharField(**common)


def present_answers(section, data) -> dict:
    """What `data` holds of a section's questions, exactly as typed: text, a list of what was ticked, a date as d/m/y.

    What the page did not send it did not show, and that stays as it is. Only an empty list cannot be told from that.
    """
    typed = {}
    shown = {question.name for question in section.questions}
    for name, question in section.by_name.items():
        if question.kind == Kind.CHOICES:
            if name in data or name in shown:
                typed[name] = data.getlist(name)
        elif question.kind == Kind.DATE and f"{name}_day" in data:
            parts = [(data.get(f"{name}_{part}") or "").strip() for part in ("day", "month", "year")]
            typed[name] = "/".join(parts) if any(parts) else ""
        elif question.kind != Kind.FILE and name in data:
            typed[name] = data[name]
    return typed


def sent_answers(section, data) -> list[dict]:
    """What a script sent before as query strings, and does not know whether it arrived."""
    return [present_answers(section, QueryDict(one)) for one in data.getlist("sent")[:MOST_SENT]]


class SectionForm(NhsukFormMixin, forms.Form):
    """One section of a draft. It takes whatever is typed; what stands in the way comes from `questions.read`."""

    secondary_submit = ("later", "Save and come back later")

    def __init__(self, section, choices, *, answers, version, data=None, files=None):
        self.section, self.choices, self.answers = section, choices, answers
        super().__init__(data, files, initial=self._initial(section, answers))
        rows_of = self.data if self.is_bound else answers
        for question in self._asked(rows_of):
            is_required = question.is_required or question.name in section.one_of
            self.fields[question.name] = _field(
                question, choices, is_required=is_required, hint=self._hint(question, rows_of)
            )
            if question.kind == Kind.FILE and (kept := answers.get(question.name)):
                label = f"Remove “{kept[-1].name}”"
                self.fields[f"{question.name}{REMOVE}"] = forms.BooleanField(label=label, required=False)
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=version)
        base = merging.digests(section.names(), answers)
        self.fields["base"] = forms.CharField(widget=forms.HiddenInput, required=False, initial=base)

    def _hint(self, question, answers) -> str:
        """The hint, what it depends on, and whether the fit check has answered it; staff write hints, so escaped."""
        parts = [question.hint, condition_of(self.section, question, self.choices)]
        if is_carried_over(question.name, answers):
            parts.append("From your fit check: change it if it is no longer right.")
        return escape(". ".join(part.removesuffix(".") for part in parts if part)) + ("." if any(parts[1:]) else "")

    def _asked(self, answers):
        """Rows that were posted stay, rows in use stay, and there is always one more."""
        if not (self.is_bound and self.section.rows):
            return list(self.section.asked(answers))
        posted = [
            number
            for number in range(1, self.section.rows.at_most + 1)
            if any(name.startswith(f"{self.section.rows.name}-{number}-") for name in self.data)
        ]
        rows = [question for number in posted for question in self.section.rows.row(number)]
        return [*self.section.questions, *rows]

    @staticmethod
    def _initial(section, answers):
        initial = {}
        for question in section.asked(answers):
            raw = answers.get(question.name) or ""
            if question.kind == Kind.FILE:
                raw = raw[-1].name if raw else ""
            initial[question.name] = raw.split("/") if question.kind == Kind.DATE and raw else raw
        return initial

    def full_clean(self):
        """Nothing typed is refused here: a draft keeps it as it is."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def typed(self) -> dict:
        """What was typed, exactly: text, or a list of what was ticked. A date is day/month/year."""
        typed = {}
        for question in self._asked(self.data):
            if question.kind == Kind.FILE:
                continue
            widget = self.fields[question.name].widget
            raw = widget.value_from_datadict(self.data, self.files, self.add_prefix(question.name))
            if question.kind == Kind.DATE:
                parts = [str(part or "").strip() for part in raw or []]
                raw = "/".join(parts) if any(parts) else ""
            typed[question.name] = ("" if raw is None else raw) if question.kind != Kind.CHOICES else list(raw or [])
        return typed

    def sent_files(self) -> dict:
        """Files that were sent, by the name of the question that they answer."""
        by_name = self.section.by_name
        return {name: file for name, file in self.files.items() if name in by_name and by_name[name].kind == Kind.FILE}

    def files_to_remove(self) -> list[str]:
        """Names of questions whose file is to be taken out."""
        names = (name.removesuffix(REMOVE) for name in self.data if name.endswith(REMOVE))
        return [name for name in names if name in self.section.by_name and name not in self.files]

    @property
    def typed_version(self) -> int:
        raw = self.data.get("version", "")
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0

    @property
    def typed_base(self) -> dict[str, str] | None:
        """The digests of the answers that the page showed, as it sent them back."""
        return merging.page_base(self.data.get("base", ""))

    @property
    def sent_before(self) -> list[dict]:
        """What the page's autosave had sent and got no answer to, when the button was pressed."""
        return sent_answers(self.section, self.data)

    def show_version(self, version, answers):
        """The page, when shown again, saves on top of these answers."""
        self.data = self.data.copy()
        self.data["version"] = str(version)
        self.data["base"] = merging.digests(self.section.names(), answers)
        self.data.pop("sent", None)

    def show_problems(self, problems):
        for name, problem in problems.items():
            self.add_error(name if name in self.fields else None, problem)

    @property
    def helper(self):
        helper = super().helper
        rows = self.section.rows
        if rows and len(rows.filled(self.answers)) < rows.at_most:
            helper.add_input(Submit("more", "Save and add another", css_class="nhsuk-button--secondary"))
        return helper

    @property
    def form_layout(self):
        section = self.section
        names = [name for name in self.fields if name.removesuffix(REMOVE) in section.by_name]
        rows = section.rows
        in_rows = {one.name for number in range(1, rows.at_most + 1) for one in rows.row(number)} if rows else set()
        parts = [self._laid_out(name) for name in names if name.removesuffix(REMOVE) not in in_rows]
        if rows:
            parts.append(self._rows(names))
        if rows is BUDGET:
            parts.append(HTML('{% include "proposals/_budget_totals.html" %}'))
        return Layout(*parts, "version", "base")

    def _rows(self, names):
        rows = self.section.rows
        parts = []
        for number in range(1, rows.at_most + 1):
            mine = {one.name for one in rows.row(number)}
            shown = [self._laid_out(name) for name in names if name.removesuffix(REMOVE) in mine]
            if shown:
                row = Fieldset(f"{rows.one} {number}", *shown)
                parts.append(Div(row, css_class="app-formset__item", css_id=f"{rows.name}-{number}"))
        return Div(*parts, **self._revealed(rows))

    def _laid_out(self, name):
        question = self.section.by_name[name.removesuffix(REMOVE)]
        return Div(name, **self._revealed(question)) if question.asked_if else name

    @staticmethod
    def _revealed(asked) -> dict:
        """What the page's script needs to show something only while its condition is met."""
        if asked.asked_if is None:
            return {}
        condition = asked.asked_if
        return {"data_asked_if": condition.name, "data_asked_if_answers": json.dumps(condition.answers)}


class SubmitForm(NhsukFormMixin, forms.Form):
    submit_label = "Submit your proposal"
    interests = forms.CharField(
        label="Declaration of interests",
        help_text="Interests of anyone in the team that could seem to influence this work. Leave it empty if none.",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )
    numbers_explained = forms.CharField(
        label="A number in your text looks like an NHS number. If it is none, say what it is",
        help_text="If it is one, take it out. We keep what you write here with the proposal.",
        max_length=300,
        required=False,
    )
    declares = forms.BooleanField(
        label="I declare that this is true as far as I know, that it holds nothing that identifies a patient, that my "
        "organisation knows of it, and that you may publish title and lay summary if you fund it",
        error_messages={"required": "Tick the box to make the declaration"},
    )

    def __init__(self, *args, has_numbers=False, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_numbers:
            del self.fields["numbers_explained"]


class WithdrawForm(NhsukFormMixin, forms.Form):
    submit_label = "Withdraw the proposal"
    reason = forms.CharField(
        label="Why do you withdraw it?",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you withdraw the proposal"},
    )


class ResubmitForm(NhsukFormMixin, forms.Form):
    submit_label = "Begin a new proposal with this text"
    call = forms.ModelChoiceField(
        label="Which call is it for?", queryset=Call.objects.none(), widget=forms.RadioSelect, empty_label=None
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["call"].queryset = Call.objects.open_at(clock.now()).order_by("closes_at")
        self.fields["call"].label_from_instance = lambda call: f"{call.title}: closes {uk_datetime(call.closes_at)}"
