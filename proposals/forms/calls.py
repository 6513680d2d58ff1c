"""Forms with which staff set up a call and move it on."""

from datetime import timedelta

from django import forms

from projects.models import Priority
from proposals import scoring
from proposals.models import CriterionSet
from psc_portal.common.nhsuk import (
    DateInputField,
    MomentInputField,
    NhsukFormMixin,
)


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
