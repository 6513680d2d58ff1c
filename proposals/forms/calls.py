"""Forms with which staff set up a call and move it on."""

import datetime as dt
from datetime import timedelta

from django import forms
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from projects.models import Priority
from proposals import scoring
from proposals.models import CriterionSet, Proposal
from psc_portal.common import clock
from psc_portal.common.nhsuk import (
    DateInputField,
    MomentInputField,
    NhsukFormMixin,
    RevealRadios,
)
from psc_portal.common.templatetags.portal import uk_datetime


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
    eligibility = forms.CharField(
        label="Rules of eligibility",
        widget=forms.Textarea(attrs={"rows": 6}),
        required=False,
        help_text="One rule a line. They are published with the call, and screening asks about each of them.",
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
    reviews_due_on = DateInputField(
        label="Reviews due on", required=False, help_text="Between closing and decision. Reviewers are reminded of it."
    )
    decision_on = DateInputField(label="Promised decision date", help_text="Everyone has decision and feedback by then")
    money_total = forms.DecimalField(label="Money in all, in pounds", min_value=0, max_digits=12, decimal_places=2)
    money_per_project = forms.DecimalField(
        label="Most for one proposal, in pounds", min_value=0, max_digits=12, decimal_places=2, required=False
    )
    reviews_wanted = forms.IntegerField(label="Reviews of each proposal", min_value=1, max_value=12, initial=3)
    lay_reviews_wanted = forms.IntegerField(label="How many of them lay", min_value=0, max_value=12, initial=1)
    is_blind = forms.BooleanField(label="Hide the applicants’ names from reviewers", required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # A draft may be about what was a priority then: it stays until it is taken off.
        chosen = self.initial.get("priorities") or []
        self.fields["priorities"].queryset = Priority.objects.filter(
            Q(pk__in=Priority.objects.current().order_by().values("pk")) | Q(pk__in=chosen)
        )
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
        values["seen"] = parse_datetime(values.get("seen") or "")
        refuse_wrong_order(self, values)
        if (values.get("lay_reviews_wanted") or 0) > (values.get("reviews_wanted") or 0):
            self.add_error("lay_reviews_wanted", "There cannot be more lay reviews than reviews")
        return values

    @staticmethod
    def initial_of(call) -> dict:
        names = [name for name in CallForm.base_fields if name not in ("grace_minutes", "priorities", "seen")]
        initial = {name: getattr(call, name) for name in names}
        initial |= {
            "grace_minutes": int(call.grace.total_seconds() // 60),
            "priorities": list(call.priorities.values_list("pk", flat=True)),
            "seen": call.updated_at.isoformat(),
        }
        weights = call.weights.select_related("criterion")
        return initial | {f"weight_{one.criterion.number}": one.weight for one in weights}

    def show_stored(self, call):
        """The page, when shown again, saves on top of what is stored now."""
        self.data = self.data.copy()
        self.data["seen"] = call.updated_at.isoformat()

    def differences(self, call) -> list[tuple[str, str]]:
        """What is stored and not what was typed: label and stored text."""
        stored = self.initial_of(call)
        typed = self.cleaned_data | {f"weight_{number}": one for number, one in self.cleaned_data["weights"].items()}
        typed |= {"grace_minutes": int(typed["grace"].total_seconds() // 60)}
        typed["priorities"] = [one.pk for one in typed.get("priorities") or []]
        found = []
        for name, field in self.fields.items():
            before, now = stored.get(name), typed.get(name)
            if name == "priorities":
                before, now = sorted(before), sorted(now)
            if name != "seen" and (before or None) != (now or None):
                found.append((field.label or name.replace("_", " ").capitalize(), self._in_words(name, before)))
        return found

    def _in_words(self, name, value) -> str:
        if name == "priorities":
            return ", ".join(one.title for one in Priority.objects.filter(pk__in=value)) or "None"
        if isinstance(value, dt.date):
            return uk_datetime(value)
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return "Nothing" if value in (None, "") else str(value)


def refuse_wrong_order(form, values):
    """Dates that cannot be stored, or that nobody can keep, are named beside their field."""
    opens_at, closes_at = values.get("opens_at"), values.get("closes_at")
    if opens_at and closes_at and closes_at <= opens_at:
        form.add_error("closes_at", "The closing time must be later than the opening time")
    due, decision = values.get("reviews_due_on"), values.get("decision_on")
    if due and closes_at and due <= closes_at.astimezone(clock.UK).date():
        form.add_error("reviews_due_on", "The day that reviews are due must be after the closing date")
    if due and decision and due >= decision:
        form.add_error("reviews_due_on", "The day that reviews are due must be before the promised decision date")


class CopyCallForm(NhsukFormMixin, forms.Form):
    """The dates of a new call that is like an earlier one."""

    submit_label = "Make the copy"
    title = forms.CharField(label="Title of the new call", max_length=160)
    opens_at = MomentInputField(label="Opening time", help_text="UK time")
    closes_at = MomentInputField(label="Closing time", help_text="UK time")
    reviews_due_on = DateInputField(label="Reviews due on", required=False, help_text="Between closing and decision")
    decision_on = DateInputField(label="Promised decision date", help_text="Everyone has decision and feedback by then")

    def clean(self):
        values = super().clean()
        refuse_wrong_order(self, values)
        return values


class ExtendForm(NhsukFormMixin, forms.Form):
    """More time for everyone, or for one applicant. Drafts are their authors' only: staff name the applicant."""

    submit_label = "Give more time"
    whom = forms.ChoiceField(
        label="For whom?",
        choices=[
            ("everyone", "Everyone: shown on the page of the call, with the reason"),
            ("one", "One applicant: shown to them only"),
        ],
        widget=RevealRadios(reveals={"one": "email"}),
        initial="everyone",
        error_messages={"required": "Choose for whom"},
    )
    email = forms.EmailField(
        label="The applicant’s email address", help_text="As they log in. They must have begun a draft.", required=False
    )
    closes_at = MomentInputField(label="New closing time", help_text="UK time")
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Published with the call, or told to the one applicant. It is sent by mail too.",
        error_messages={"required": "Say why there is more time"},
    )

    def __init__(self, *args, call=None, **kwargs):
        self.call = call
        super().__init__(*args, **kwargs)

    def clean(self):
        values = super().clean()
        values["applicant"] = None
        email = values.pop("email", None)
        if values.pop("whom", None) == "one" and "email" not in self.errors:
            values["applicant"] = self._applicant(email)
        return values

    def _applicant(self, email):
        if not email:
            self.add_error("email", "Enter the email address of the applicant")
            return None
        drafts = self.call.proposals.filter(status=Proposal.Status.DRAFT, applicant__email__iexact=email)
        draft = drafts.select_related("applicant").first()
        if draft is None:
            self.add_error(
                "email", f"Nobody with the address {email} has begun a draft in this call. Check the address."
            )
            return None
        return draft.applicant


class PanelForm(NhsukFormMixin, forms.Form):
    submit_label = "Move to panel"
    accept_fewer_reviews = forms.BooleanField(
        label="Go on, even with fewer reviews than wanted, or fewer of them lay", required=False
    )


class DescribeLevelsForm(NhsukFormMixin, forms.Form):
    """What each score means for one criterion."""

    submit_label = "Save the descriptions"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for level in scoring.LEVELS:
            self.fields[f"level_{level}"] = forms.CharField(
                label=f"Level {level}", widget=forms.Textarea(attrs={"rows": 3})
            )

    @staticmethod
    def initial_of(criterion) -> dict:
        return {f"level_{one.level}": one.text for one in criterion.levels.all()}

    def clean(self):
        values = super().clean()
        return {"levels": {level: values.get(f"level_{level}", "") for level in scoring.LEVELS}}
