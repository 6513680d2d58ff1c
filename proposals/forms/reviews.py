"""Forms of reviewers: interests, scores and reasons."""

from django import forms
from django.http import QueryDict

from proposals import merging
from proposals.forms.later import YES_NO, LaterChoice, LaterText
from proposals.models import ConflictOfInterest
from psc_portal.common.nhsuk import (
    NhsukFormMixin,
    RevealRadios,
)


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
MOST_SENT = 5


class ScoresForm(NhsukFormMixin, forms.Form):
    """A score and a reason for each criterion, as far as written. Lay reviewers get each criterion as a question."""

    def __init__(self, *args, weights, is_lay=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.weights, self.is_lay = weights, is_lay
        for weight in weights:
            criterion = weight.criterion
            self.fields[f"score_{criterion.pk}"] = LaterChoice(
                label=self._label(weight),
                choices=[
                    *((str(level.level), f"{level.level}: {level.text}") for level in criterion.levels.all()),
                    (NOT_APPLICABLE, "Not applicable: left out of the mean"),
                ],
                widget=forms.RadioSelect,
            )
            self.fields[f"reason_{criterion.pk}"] = LaterText(
                label=f"Reason for your score on criterion {criterion.number}",
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def _label(self, weight) -> str:
        criterion = weight.criterion
        if self.is_lay and criterion.lay_question:
            return f"{criterion.number}. {criterion.lay_question}"
        return f"{criterion} ({weight.weight}%)"

    @property
    def groups(self) -> list[tuple]:
        """Each criterion's weight with its two fields, as the page shows them."""
        return [
            (weight, self[f"score_{weight.criterion_id}"], self[f"reason_{weight.criterion_id}"])
            for weight in self.weights
        ]

    def clean(self):
        values = super().clean()
        scores = {}
        for weight in self.weights:
            pk = weight.criterion_id
            raw = values.pop(f"score_{pk}", "")
            value = int(raw) if raw and raw != NOT_APPLICABLE else None
            scores[pk] = (value, raw == NOT_APPLICABLE, values.pop(f"reason_{pk}", ""))
        values["scores"] = scores
        return values

    def show_missing(self):
        """Name the scores and reasons without which it is not complete."""
        for weight in self.weights:
            criterion = weight.criterion
            value, is_not_applicable, reason = self.cleaned_data["scores"][criterion.pk]
            if value is None and not is_not_applicable:
                self.add_error(f"score_{criterion.pk}", f"Criterion {criterion.number}: choose a score")
            if not reason.strip():
                self.add_error(f"reason_{criterion.pk}", f"Criterion {criterion.number}: give a reason")

    @staticmethod
    def initial_of_scores(scores) -> dict:
        initial = {}
        for score in scores:
            value = NOT_APPLICABLE if score.is_not_applicable else score.value
            initial[f"score_{score.criterion_id}"] = "" if value is None else str(value)
            initial[f"reason_{score.criterion_id}"] = score.reason
        return initial


class ReviewForm(ScoresForm):
    """What is missing is said when the review is locked."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)  # autosave goes by `base` alone
    comment = forms.CharField(
        label="Anything else for the panel", widget=forms.Textarea(attrs={"rows": 3}), required=False
    )

    def clean(self):
        values = super().clean()
        values["lock"] = "lock" in self.data
        values["base"] = merging.page_base(self.data.get("base", ""))
        values["sent"] = self._sent()
        return values

    def _sent(self) -> list[dict]:
        """What the page's autosave had sent and got no answer to."""
        return [QueryDict(one).dict() for one in self.data.getlist("sent")[:MOST_SENT]] if self.data else []

    @classmethod
    def initial_of(cls, review) -> dict:
        return cls.initial_of_scores(review.scores.all()) | {"comment": review.comment, "version": review.version}


class CalibrationForm(ScoresForm):
    """Scores of an example; reasons help to compare and may be left out."""

    submit_label = "Save my scores"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for weight in self.weights:
            self.fields[f"reason_{weight.criterion_id}"].required = False
            self.fields[f"reason_{weight.criterion_id}"].label = f"Why, on criterion {weight.criterion.number}"
