"""Forms of the ranking's other weightings, of the panel and of its letters."""

from decimal import Decimal

from django import forms
from django.contrib.auth import get_user_model

from projects.models import Organisation
from proposals import scoring
from proposals.forms.later import LaterChoice, LaterText
from proposals.models import Decision
from psc_portal.accounts.models import Role
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin, RevealRadios


class WeightingForm(NhsukFormMixin, forms.Form):
    """Weights to try, counted in proportion: they need not add to 100. Number fields; a script adds the sliders."""

    money = forms.DecimalField(label="Money to share out, in pounds", min_value=0, max_digits=12, decimal_places=2)
    number = forms.IntegerField(
        label="Most proposals to fund",
        min_value=1,
        max_value=5000,
        required=False,
        help_text="Leave empty for no limit",
    )
    reason = forms.CharField(
        label="Why does the panel use this weighting?", widget=forms.Textarea(attrs={"rows": 3}), required=False
    )

    def __init__(self, data=None, *, criteria, money, panel=None, **kwargs):
        self.criteria = criteria
        self.panel = panel
        weights = (panel.weights if panel else None) or {one["code"]: one["weight"] for one in criteria}
        initial = {f"w_{code}": weight for code, weight in weights.items()} | {"money": money}
        if data is not None:  # an address that names only some of the numbers: the others stay as they are
            data = {**initial, **data.dict()}
        super().__init__(data, initial=initial, **kwargs)
        for one in criteria:
            self.fields[f"w_{one['code']}"] = forms.IntegerField(
                label=f"{one['number']}. {one['title']}", min_value=0, max_value=scoring.WEIGHTS_ADD_TO
            )
            self.fields[f"w_{one['code']}"].widget.attrs |= {"class": "nhsuk-input--width-3"}
        self.fields["money"].widget.attrs |= {"class": "nhsuk-input--width-10"}
        self.fields["number"].widget.attrs |= {"class": "nhsuk-input--width-4"}

    def rows(self):
        """(criterion, published weight, its number field) for the page."""
        return [(one, self[f"w_{one['code']}"]) for one in self.criteria]

    def _value(self, name):
        return self.cleaned_data[name] if self.is_bound else self.initial[name]

    def clean(self):
        values = super().clean()
        if not self.errors and not any(values[f"w_{one['code']}"] for one in self.criteria):
            raise forms.ValidationError("Give at least one criterion a weight above 0")
        return values

    def weights(self) -> dict[int, int]:
        return {one["criterion"]: int(self._value(f"w_{one['code']}")) for one in self.criteria}

    def limits(self) -> dict:
        return {"money": Decimal(self._value("money")), "number": self._value("number") if self.is_bound else None}

    def for_the_panel(self) -> dict:
        return {
            "weights": {one["code"]: self.cleaned_data[f"w_{one['code']}"] for one in self.criteria},
            "reason": self.cleaned_data["reason"],
        }


def _may_sit():
    return (
        get_user_model()
        .objects.filter(is_active=True, groups__name__in=[Role.PROGRAMME_STAFF, Role.REVIEWER])
        .distinct()
    )


class SetUpPanelForm(NhsukFormMixin, forms.Form):
    submit_label = "Save the panel"
    held_on = DateInputField(label="Date of the meeting")
    chair = forms.ModelChoiceField(queryset=get_user_model().objects.none())
    members = forms.ModelMultipleChoiceField(
        queryset=get_user_model().objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Staff and reviewers. The chair is a member too. Interests are counted for each proposal by itself.",
    )
    quorum = forms.IntegerField(
        min_value=1, max_value=50, initial=3,
        help_text="How many members without an interest must be present to decide on a proposal",
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        people = _may_sit()
        for name in ("chair", "members"):
            self.fields[name].queryset = people
            self.fields[name].label_from_instance = lambda user: (
                f"{user.display_name} (lay)" if user.is_lay else user.display_name
            )

    @staticmethod
    def initial_of(call) -> dict:
        panel = getattr(call, "panel", None)
        if panel is None:
            return {}
        return {
            "held_on": panel.held_on,
            "chair": panel.chair_id,
            "members": list(panel.members.values_list("user", flat=True)),
            "quorum": panel.quorum,
        }


class AttendanceForm(forms.Form):
    present = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)

    def __init__(self, *args, members, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["present"].choices = [(str(member.pk), str(member)) for member in members]
        self.fields["present"].initial = [str(member.pk) for member in members if member.is_present]

    def clean_present(self):
        return {int(pk) for pk in self.cleaned_data["present"]}


class PanelItemForm(forms.Form):
    """One item of the agenda: the panel's score, and its decision. Each is saved by its own button."""

    score = forms.DecimalField(
        label="The panel’s score, 0 to 5", min_value=0, max_value=5, max_digits=3, decimal_places=2, required=False
    )
    score_reason = LaterText(label="Reason for the panel’s score", widget=forms.Textarea(attrs={"rows": 2}))
    outcome = LaterChoice(
        label="Decision",
        choices=Decision.Outcome.choices,
        widget=RevealRadios(reveals={Decision.Outcome.APPROVED_WITH_CONDITIONS: "conditions"}),
    )
    conditions = LaterText(widget=forms.Textarea(attrs={"rows": 2}))
    reasons = LaterText(label="The panel’s reasons", widget=forms.Textarea(attrs={"rows": 3}))
    amount = forms.DecimalField(
        label="Award, in pounds", min_value=0, max_digits=12, decimal_places=2, required=False, help_text="If approved"
    )
    lead_organisation = forms.ModelChoiceField(
        label="Organisation that leads the project",
        queryset=Organisation.objects.none(),
        required=False,
        help_text="If approved: the applicant’s organisation is not on the register",
    )
    quorum_reason = LaterText(
        label="Why does the panel decide without a quorum?", widget=forms.Textarea(attrs={"rows": 2})
    )
    overspend_reason = LaterText(
        label="Why does the panel award more than there is?",
        help_text="Only where the award is more than what is left",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    SCORING = ("score", "score_reason")

    def __init__(self, *args, item, **kwargs):
        proposal = item.proposal
        initial = {"amount": proposal.amount_asked}
        super().__init__(*args, prefix=f"p{proposal.pk}", initial=initial, **kwargs)
        if proposal.organisation_id is None:
            self.fields["lead_organisation"].queryset = Organisation.objects.current()
        else:
            del self.fields["lead_organisation"]
        if item.is_quorate:
            del self.fields["quorum_reason"]

    @property
    def scoring_fields(self):
        return [self[name] for name in self.SCORING]

    @property
    def decision_fields(self):
        """In their order; the conditions are revealed under their radio button."""
        return [self[name] for name in self.fields if name not in (*self.SCORING, "conditions", "overspend_reason")]

    @property
    def overspend_field(self):
        return self["overspend_reason"]

    def for_the_score(self) -> dict:
        if self.cleaned_data.get("score") is None:
            self.add_error("score", "Enter the panel’s score")
        if not self.cleaned_data.get("score_reason"):
            self.add_error("score_reason", "Give a reason for the panel’s score")
        return {"score": self.cleaned_data.get("score"), "reason": self.cleaned_data.get("score_reason", "")}

    def for_the_decision(self) -> dict:
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.SCORING}
        if not values.get("outcome"):
            self.add_error("outcome", "Choose the decision")
        if not values.get("reasons"):
            self.add_error("reasons", "Give the panel’s reasons")
        if values.get("outcome") == Decision.Outcome.APPROVED_WITH_CONDITIONS and not values.get("conditions"):
            self.add_error("conditions", "Write down the conditions")
        return values


# Letters --------------------------------------------------------------------------------------------------------------
class LetterForm(NhsukFormMixin, forms.Form):
    """A letter as text. `seen` says which text the page was opened with."""

    submit_label = "Save the letter"
    subject = LaterText(max_length=200)
    body = LaterText(label="Text of the letter", widget=forms.Textarea(attrs={"rows": 30}))
    use_assembled = forms.BooleanField(
        label="Throw this text away and use the letter as the portal puts it together", required=False
    )
    seen = forms.CharField(widget=forms.HiddenInput)


class ReleaseForm(NhsukFormMixin, forms.Form):
    submit_label = "Release feedback"
    reason = LaterText(
        label="Why is this applicant told before the others?",
        help_text="Only where other applicants of this call still wait: their letters go out together",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
