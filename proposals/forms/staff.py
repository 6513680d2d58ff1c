"""Forms with which staff screen, assign and decide."""

from django import forms
from django.contrib.auth import get_user_model

from projects.models import Organisation
from proposals.forms.later import YES_NO, LaterChoice, LaterText
from proposals.models import ConflictOfInterest, Decision
from psc_portal.common import clock
from psc_portal.common.nhsuk import (
    DateInputField,
    NhsukFormMixin,
    RevealRadios,
)


class ScreenForm(NhsukFormMixin, forms.Form):
    """Each rule of the call as a question, then the whole. A call without rules asks the whole only."""

    submit_label = "Save"

    def __init__(self, *args, rules=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.rules = {f"rule_{number}": rule for number, rule in enumerate(rules, 1)}
        for number, (name, rule) in enumerate(self.rules.items(), 1):
            self.fields[name] = LaterChoice(
                label=f"Rule {number}: {rule}",
                choices=[("yes", "Met"), ("no", "Not met")],
                widget=forms.RadioSelect(attrs={"inline": True}),
            )
        self.fields["eligible"] = forms.ChoiceField(
            label="Is the proposal eligible?", choices=YES_NO, widget=forms.RadioSelect(attrs={"inline": True})
        )
        self.fields["reason"] = LaterText(
            label="If not: another reason, or more about the rule"
            if rules
            else "If not: which rule does it not meet, and what can the applicant do?",
            help_text="We send this to the applicant",
            widget=forms.Textarea(attrs={"rows": 3}),
        )
        if rules:
            self.fields["what_to_do"] = LaterText(
                label="If not: what can the applicant do now?",
                help_text="We send this to the applicant",
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def clean(self):
        values = super().clean()
        met = {name: values.pop(name, "") for name in self.rules}
        is_eligible = values.pop("eligible", None)
        values["is_eligible"] = is_eligible == "yes"
        values["rules_not_met"] = [self.rules[name] for name, answer in met.items() if answer == "no"]
        if is_eligible == "yes":
            for number, (name, answer) in enumerate(met.items(), 1):
                if answer == "no":
                    self.add_error(name, f"Rule {number} is not met: then the proposal is not eligible")
                elif not answer:
                    self.add_error(name, f"Say whether rule {number} is met")
        elif is_eligible == "no":
            self._ask_why(values)
        return values

    def _ask_why(self, values):
        if not values["rules_not_met"] and not values.get("reason"):
            self.add_error("reason", "Say which rule the proposal does not meet, and what the applicant can do")
        if self.rules and not values.get("what_to_do"):
            self.add_error("what_to_do", "Say what the applicant can do now")


def _require_date_without_initial(form):
    """The call’s own day is filled in and holds for an empty answer; where none is still to come, one is asked for."""
    form.fields["due_on"].required = form.initial.get("due_on") is None


class AssignForm(NhsukFormMixin, forms.Form):
    submit_label = "Assign"
    reviewers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    due_on = DateInputField(label="Reviews wanted by", help_text="Reviewers are reminded of this date")
    accept_fewer = forms.BooleanField(label="Assign fewer reviewers than the call wants, for now", required=False)

    def __init__(self, *args, possible, due_on=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.possible = possible
        free = sorted((one for one in possible if not one.why_not and not one.is_assigned), key=lambda one: one.load)
        self.users = {str(one.user.pk): one.user for one in free}
        self.fields["reviewers"].choices = [(str(one.user.pk), self._label(one)) for one in free]
        self.initial["due_on"] = due_on if due_on and due_on >= clock.today() else None
        _require_date_without_initial(self)

    @staticmethod
    def _label(one):
        lay = " (lay)" if one.user.is_lay else ""
        return f"{one.user.display_name}{lay}: {one.load} to review in this call"

    def clean_reviewers(self):
        return [self.users[pk] for pk in self.cleaned_data["reviewers"]]


class AssignAllForm(NhsukFormMixin, forms.Form):
    """The plan that was looked at, confirmed."""

    submit_label = "Assign these reviewers"
    due_on = DateInputField(label="Reviews wanted by", help_text="Reviewers are reminded of this date")
    fingerprint = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, people, plan, **kwargs):
        super().__init__(*args, **kwargs)
        self.people, self.plan = people, plan
        _require_date_without_initial(self)

    def clean(self):
        values = super().clean()
        values["reviewers"] = self.people
        values["leave_out"] = [int(pk) for pk in self.data.getlist("leave_out") if pk.isdecimal()]
        return values


class ExampleForm(NhsukFormMixin, forms.Form):
    submit_label = "Save the example"
    title = forms.CharField(max_length=160)
    text = forms.CharField(
        label="The example proposal",
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="Made up, or an earlier one without names. Markdown makes headings and lists.",
    )
    afterword = forms.CharField(
        label="What you say of it",
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
        help_text="Shown to each reviewer after they have scored it",
    )

    @staticmethod
    def initial_of(example) -> dict:
        return {"title": example.title, "text": example.text, "afterword": example.afterword}


class ConflictForm(NhsukFormMixin, forms.Form):
    submit_label = "Record the interest"
    user = forms.ModelChoiceField(label="Person", queryset=get_user_model().objects.none())
    kind = forms.ChoiceField(choices=ConflictOfInterest.Kind.choices, widget=forms.RadioSelect)
    explanation = forms.CharField(
        label="What is the interest?",
        help_text="For example who is related to whom. Staff who have no interest in this proposal can read it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Explain what the interest is"},
    )

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
    quorum_reason = LaterText(
        label="Why does the panel decide without a quorum?",
        help_text="Only where too few members are present",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    overspend_reason = LaterText(
        label="Why does the panel award more than there is?",
        help_text="Only where the award is more than what is left",
        widget=forms.Textarea(attrs={"rows": 2}),
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
