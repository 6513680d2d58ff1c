"""Forms of calls, proposals and reviews: they turn input into clean values and hand them to actions."""

from datetime import timedelta

from crispy_forms.layout import Div, Fieldset, Layout, Submit
from django import forms
from django.contrib.auth import get_user_model
from django.forms.utils import ErrorDict

from projects.models import Organisation, Priority
from proposals import scoring
from proposals.models import ConflictOfInterest, CriterionSet, Decision
from proposals.questions import Kind
from psc_portal.common.nhsuk import (
    DateInputField,
    MaxWordsValidator,
    MomentInputField,
    NhsukFormMixin,
    RevealRadios,
)

MANY = 8  # a list to choose one from that is longer than this is a select box, not radios


class _MayWait:
    """Not optional, but what is missing is said elsewhere: by the form as a whole, or once the work is finished."""

    def validate(self, value):
        if value not in self.empty_values:
            super().validate(value)


class LaterText(_MayWait, forms.CharField):
    pass


class LaterChoice(_MayWait, forms.ChoiceField):
    pass


# A section of a proposal ----------------------------------------------------------------------------------------------
def _field(question, choices, *, is_required):
    common = {"label": question.label, "help_text": question.hint, "required": is_required}
    match question.kind:
        case Kind.TEXT:
            validators = [MaxWordsValidator(question.word_limit)] if question.word_limit else []
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 6}), validators=validators, **common)
        case Kind.CHOICE:
            options = choices.of(question)
            if len(options) > MANY:
                return forms.ChoiceField(choices=[("", "Choose"), *options], **common)
            return forms.ChoiceField(choices=options, widget=forms.RadioSelect, **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=choices.of(question), widget=forms.CheckboxSelectMultiple, **common
            )
        case Kind.DATE:
            return DateInputField(**common)
        case Kind.NUMBER | Kind.WHOLE | Kind.MONEY:
            mode = "numeric" if question.kind == Kind.WHOLE else "decimal"
            attrs = {"inputmode": mode, "class": "nhsuk-input--width-10"}
            return forms.CharField(widget=forms.TextInput(attrs=attrs), **common)
    return forms.CharField(**common)


class SectionForm(NhsukFormMixin, forms.Form):
    """One section of a draft. It takes whatever is typed; what stands in the way comes from `questions.read`."""

    secondary_submit = ("later", "Save and come back later")

    def __init__(self, section, choices, *, answers, version, data=None):
        self.section, self.choices, self.answers = section, choices, answers
        super().__init__(data, initial=self._initial(section, answers))
        rows_of = self.data if self.is_bound else answers
        for question in self._asked(rows_of):
            is_required = question.is_required or question.name in section.one_of
            self.fields[question.name] = _field(question, choices, is_required=is_required)
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=version)

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
            widget = self.fields[question.name].widget
            raw = widget.value_from_datadict(self.data, self.files, self.add_prefix(question.name))
            if question.kind == Kind.DATE:
                parts = [str(part or "").strip() for part in raw or []]
                raw = "/".join(parts) if any(parts) else ""
            typed[question.name] = ("" if raw is None else raw) if question.kind != Kind.CHOICES else list(raw or [])
        return typed

    @property
    def typed_version(self) -> int:
        raw = self.data.get("version", "")
        return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0

    def show_version(self, version):
        """The page, when shown again, saves on top of this version."""
        self.data = self.data.copy()
        self.data["version"] = str(version)

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
        parts = [question.name for question in section.questions]
        if section.rows:
            for number in range(1, section.rows.at_most + 1):
                names = [question.name for question in section.rows.row(number) if question.name in self.fields]
                if names:
                    row = Fieldset(f"{section.rows.one} {number}", *names)
                    parts.append(Div(row, css_class="app-formset__item", css_id=f"{section.rows.name}-{number}"))
        return Layout(*parts, "version")


class AttachmentForm(NhsukFormMixin, forms.Form):
    submit_label = "Add the file"
    file = forms.FileField(
        label="Add a file",
        help_text="PDF, Word (DOCX), Excel (XLSX), PNG or JPEG, up to 10 MB",
        allow_empty_file=True,
        error_messages={"required": "Choose a file to add"},
    )


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


# Staff: calls ---------------------------------------------------------------------------------------------------------
class CallForm(NhsukFormMixin, forms.Form):
    """A call with a weight for each criterion. That weights add to 100 is checked when it is published."""

    submit_label = "Save the call"
    title = forms.CharField(max_length=160)
    summary = forms.CharField(
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One or two plain sentences: who can apply, and for what",
    )
    about = forms.CharField(
        label="What we are looking for",
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Who can apply, what we fund, what we do not. Markdown makes headings, lists and links.",
    )
    priorities = forms.ModelMultipleChoiceField(queryset=Priority.objects.none(), widget=forms.CheckboxSelectMultiple)
    opens_at = MomentInputField(
        label="Opening time", help_text="UK time. Weights are published before, and then frozen."
    )
    closes_at = MomentInputField(
        label="Closing time", help_text="UK time. After this, and the grace, nothing is accepted."
    )
    grace_minutes = forms.IntegerField(
        label="Grace, in minutes", min_value=0, max_value=1440, initial=0, help_text="Published with the closing time"
    )
    decision_on = DateInputField(label="Promised decision date", help_text="Everyone has decision and feedback by then")
    money_total = forms.DecimalField(label="Money in all, in pounds", min_value=0, max_digits=12, decimal_places=2)
    money_per_project = forms.DecimalField(
        label="Most for one proposal, in pounds", min_value=0, max_digits=12, decimal_places=2, required=False
    )
    reviews_wanted = forms.IntegerField(label="Reviews of each proposal", min_value=1, max_value=12, initial=3)
    lay_reviews_wanted = forms.IntegerField(label="How many of them lay", min_value=0, max_value=12, initial=1)
    is_blind = forms.BooleanField(label="Hide the applicants’ names from reviewers", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["priorities"].queryset = Priority.objects.current()
        criteria = CriterionSet.objects.first()
        self.criteria = list(criteria.criteria.all()) if criteria else []
        for criterion in self.criteria:
            self.fields[f"weight_{criterion.number}"] = forms.IntegerField(
                label=f"Weight of “{criterion.title}”", min_value=0, max_value=scoring.WEIGHTS_ADD_TO
            )

    def clean(self):
        values = super().clean()
        values["weights"] = {one.number: values.pop(f"weight_{one.number}", None) or 0 for one in self.criteria}
        values["grace"] = timedelta(minutes=values.pop("grace_minutes", None) or 0)
        opens_at, closes_at = values.get("opens_at"), values.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", "The closing time must be later than the opening time")
        if (values.get("lay_reviews_wanted") or 0) > (values.get("reviews_wanted") or 0):
            self.add_error("lay_reviews_wanted", "There cannot be more lay reviews than reviews")
        return values

    @staticmethod
    def initial_of(call) -> dict:
        names = [name for name in CallForm.base_fields if name not in ("grace_minutes", "priorities")]
        initial = {name: getattr(call, name) for name in names}
        initial |= {
            "grace_minutes": int(call.grace.total_seconds() // 60),
            "priorities": list(call.priorities.values_list("pk", flat=True)),
        }
        weights = call.weights.select_related("criterion")
        return initial | {f"weight_{one.criterion.number}": one.weight for one in weights}


class ExtendForm(NhsukFormMixin, forms.Form):
    submit_label = "Give more time"
    closes_at = MomentInputField(label="New closing time", help_text="UK time")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="Published with the call")


class PanelForm(NhsukFormMixin, forms.Form):
    submit_label = "Move to panel"
    accept_fewer_reviews = forms.BooleanField(label="Go on, even with fewer reviews than wanted", required=False)


# Staff: proposals -----------------------------------------------------------------------------------------------------
YES_NO = [("yes", "Yes"), ("no", "No")]


class ScreenForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"
    eligible = forms.ChoiceField(
        label="Is the proposal eligible?", choices=YES_NO, widget=RevealRadios(reveals={"no": "reason"})
    )
    reason = LaterText(
        label="Which rule does it not meet, and what can the applicant do?",
        help_text="We send this to the applicant",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def clean(self):
        values = super().clean()
        values["is_eligible"] = values.pop("eligible", None) == "yes"
        if not self.errors and not values["is_eligible"] and not values.get("reason"):
            self.add_error("reason", "Say which rule the proposal does not meet, and what the applicant can do")
        return values


class AssignForm(NhsukFormMixin, forms.Form):
    submit_label = "Assign"
    reviewers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    due_on = DateInputField(label="Reviews wanted by", required=False)
    accept_fewer = forms.BooleanField(label="Assign fewer reviewers than the call wants, for now", required=False)

    def __init__(self, *args, possible, **kwargs):
        super().__init__(*args, **kwargs)
        free = [one.user for one in possible if not one.why_not and not one.is_assigned]
        self.users = {str(user.pk): user for user in free}
        self.fields["reviewers"].choices = [
            (pk, f"{user.display_name} (lay)" if user.is_lay else user.display_name) for pk, user in self.users.items()
        ]

    def clean_reviewers(self):
        return [self.users[pk] for pk in self.cleaned_data["reviewers"]]


class ConflictForm(NhsukFormMixin, forms.Form):
    submit_label = "Record the interest"
    user = forms.ModelChoiceField(label="Person", queryset=get_user_model().objects.none())
    kind = forms.ChoiceField(choices=ConflictOfInterest.Kind.choices, widget=forms.RadioSelect)
    explanation = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = get_user_model().objects.filter(is_staff=True, is_active=True)


class OverrideForm(NhsukFormMixin, forms.Form):
    submit_label = "Override"
    reason = forms.CharField(
        label="Why does this interest not stand in the way?",
        help_text="The reason stays in the history",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DecideForm(NhsukFormMixin, forms.Form):
    submit_label = "Record the decision"
    outcome = forms.ChoiceField(
        label="Decision",
        choices=Decision.Outcome.choices,
        widget=RevealRadios(reveals={Decision.Outcome.APPROVED_WITH_CONDITIONS: "conditions"}),
    )
    reasons = forms.CharField(label="The panel’s reasons", widget=forms.Textarea(attrs={"rows": 5}))
    conditions = LaterText(widget=forms.Textarea(attrs={"rows": 3}))
    amount = forms.DecimalField(
        label="Award, in pounds", min_value=0, max_digits=12, decimal_places=2, required=False,
        help_text="If approved",
    )  # fmt: skip
    lead_organisation = forms.ModelChoiceField(
        label="Organisation that leads the project",
        queryset=Organisation.objects.current(),
        required=False,
        help_text="If approved; filled in where the applicant’s organisation is on the register",
    )

    def clean(self):
        values = super().clean()
        needs = values.get("outcome") == Decision.Outcome.APPROVED_WITH_CONDITIONS
        if needs and not values.get("conditions"):
            self.add_error("conditions", "Write down the conditions")
        return values


class FeedbackForm(NhsukFormMixin, forms.Form):
    submit_label = "Save the feedback"

    def __init__(self, *args, criteria, **kwargs):
        super().__init__(*args, **kwargs)
        self.criteria = criteria
        self.fields["opening"] = forms.CharField(
            label="What the panel says on the whole", widget=forms.Textarea(attrs={"rows": 4}), required=False
        )
        for criterion in criteria:
            self.fields[f"criterion_{criterion.pk}"] = LaterText(
                label=str(criterion), widget=forms.Textarea(attrs={"rows": 4})
            )
        self.fields["next_time"] = forms.CharField(
            label="What would change the result", widget=forms.Textarea(attrs={"rows": 4}), required=False
        )

    def clean(self):
        values = super().clean()
        values["comments"] = {one.pk: values.pop(f"criterion_{one.pk}", "") for one in self.criteria}
        return values


# Reviewers ------------------------------------------------------------------------------------------------------------
class DeclareForm(NhsukFormMixin, forms.Form):
    submit_label = "Save and continue"
    interest = forms.ChoiceField(
        label="Do you have an interest in this proposal?",
        choices=YES_NO,
        widget=RevealRadios(reveals={"yes": "kind"}),
    )
    kind = LaterChoice(label="Which?", choices=ConflictOfInterest.Kind.choices, widget=forms.RadioSelect)
    explanation = forms.CharField(
        label="If you like, say more", widget=forms.Textarea(attrs={"rows": 3}), required=False
    )

    def clean(self):
        values = super().clean()
        values["has_interest"] = values.pop("interest", None) == "yes"
        if values["has_interest"] and not values.get("kind"):
            self.add_error("kind", "Choose which kind of interest you have")
        return values


class ReasonForm(NhsukFormMixin, forms.Form):
    submit_label = "Continue"
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}))


class DeclineForm(ReasonForm):
    submit_label = "Decline"
    reason = forms.CharField(label="Why do you decline?", widget=forms.Textarea(attrs={"rows": 3}))


class UnlockForm(ReasonForm):
    submit_label = "Unlock"
    reason = forms.CharField(label="Why?", widget=forms.Textarea(attrs={"rows": 3}), required=False)


NOT_APPLICABLE = "na"


class ReviewForm(NhsukFormMixin, forms.Form):
    """A score and a reason for each criterion, as far as written; what is missing is said when the review is locked."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, weights, stored=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.weights = weights
        parts = []
        for weight in weights:
            criterion, levels = weight.criterion, list(weight.criterion.levels.all())
            score, reason = f"score_{criterion.pk}", f"reason_{criterion.pk}"
            self.fields[score] = LaterChoice(
                label=f"{criterion} ({weight.weight}%)",
                choices=[
                    *((str(level.level), f"{level.level}: {level.text}") for level in levels),
                    (NOT_APPLICABLE, "Not applicable: left out of the mean"),
                ],
                widget=forms.RadioSelect,
            )
            self.fields[reason] = LaterText(
                label=f"Reason for your score on criterion {criterion.number}",
                widget=forms.Textarea(attrs={"rows": 3}),
            )
            parts += [score, reason]
        self.fields["comment"] = forms.CharField(
            label="Anything else for the panel", widget=forms.Textarea(attrs={"rows": 3}), required=False
        )
        self.names = [*parts, "comment"]

    @property
    def form_layout(self):
        return Layout(*self.names, "version")

    def clean(self):
        values = super().clean()
        scores = {}
        for weight in self.weights:
            pk = weight.criterion_id
            raw = values.pop(f"score_{pk}", "")
            value = int(raw) if raw and raw != NOT_APPLICABLE else None
            scores[pk] = (value, raw == NOT_APPLICABLE, values.pop(f"reason_{pk}", ""))
        values["scores"] = scores
        values["lock"] = "lock" in self.data
        return values

    def show_missing(self):
        """Name the scores and reasons without which the review cannot be locked."""
        for weight in self.weights:
            criterion = weight.criterion
            value, is_not_applicable, reason = self.cleaned_data["scores"][criterion.pk]
            if value is None and not is_not_applicable:
                self.add_error(f"score_{criterion.pk}", f"Criterion {criterion.number}: choose a score")
            if not reason.strip():
                self.add_error(f"reason_{criterion.pk}", f"Criterion {criterion.number}: give a reason")

    @staticmethod
    def initial_of(review) -> dict:
        initial = {"comment": review.comment, "version": review.version}
        for score in review.scores.all():
            value = NOT_APPLICABLE if score.is_not_applicable else score.value
            initial[f"score_{score.criterion_id}"] = "" if value is None else str(value)
            initial[f"reason_{score.criterion_id}"] = score.reason
        return initial
