"""The form with which staff write a call's own questions."""

from django import forms

from proposals.models import CallQuestion
from proposals.questions import own_question
from psc_portal.common.nhsuk import NhsukFormMixin

MOST_CHOICES = 20
LONGEST_CHOICE = 200
WITH_ANSWERS = (CallQuestion.Kind.YES_NO, CallQuestion.Kind.CHOICE, CallQuestion.Kind.CHOICES)


class CallQuestionForm(NhsukFormMixin, forms.Form):
    submit_label = "Save the question"
    text = forms.CharField(label="Question", max_length=255, help_text="As applicants read it")
    hint = forms.CharField(
        label="Hint",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What a good answer says, or an example",
    )
    kind = forms.ChoiceField(label="Kind of answer", choices=CallQuestion.Kind, widget=forms.RadioSelect)
    choices = forms.CharField(
        label="Answers to choose from",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line. Only for “One of several” and “Several of several”.",
    )
    word_limit = forms.IntegerField(
        label="Most words", required=False, min_value=10, max_value=2000, help_text="Only for long text"
    )
    is_required = forms.BooleanField(label="An answer is required", required=False, initial=True)
    names_people = forms.BooleanField(
        label="Answers name people or organisations",
        required=False,
        help_text="In a blind call reviewers do not see them",
    )
    asked_if = forms.ChoiceField(
        label="When is it asked?",
        required=False,
        help_text="Always, or only for one answer to an earlier question",
    )

    def __init__(self, *args, call, question=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.earlier = {str(one.pk): one for one in call.questions.all() if one.kind in WITH_ANSWERS}
        if question:
            self.earlier = {pk: one for pk, one in self.earlier.items() if one.position < question.position}
        self.fields["asked_if"].choices = [("", "Always"), *self._conditions()]

    def _conditions(self):
        for pk, one in self.earlier.items():
            for value, label in own_question(one).options:
                yield f"{pk}|{value}", f"Only if {one.position}. “{one.text}” is “{label}”"

    @staticmethod
    def initial_of(question) -> dict:
        names = ("text", "hint", "kind", "word_limit", "is_required", "names_people")
        asked_if = f"{question.shown_if_id}|{question.shown_if_answer}" if question.shown_if_id else ""
        return {name: getattr(question, name) for name in names} | {
            "choices": "\n".join(question.choices),
            "asked_if": asked_if,
        }

    def clean_choices(self):
        lines = [" ".join(line.split()) for line in self.cleaned_data["choices"].splitlines()]
        choices = [line for line in lines if line]
        if len(choices) > MOST_CHOICES:
            raise forms.ValidationError(f"Give up to {MOST_CHOICES} answers. There are {len(choices)}.")
        if long := next((one for one in choices if len(one) > LONGEST_CHOICE), None):
            raise forms.ValidationError(f"“{long[:40]}…” is too long: use up to {LONGEST_CHOICE} characters an answer.")
        return choices

    def clean(self):
        values = super().clean()
        has_choices = values.get("kind") in (CallQuestion.Kind.CHOICE, CallQuestion.Kind.CHOICES)
        if has_choices and "choices" in values and len(set(values["choices"])) < 2:
            self.add_error("choices", "Give at least two different answers to choose from, one a line")
        pk, _, answer = values.pop("asked_if", "").partition("|")
        values["shown_if"], values["shown_if_answer"] = self.earlier.get(pk), answer
        return values
