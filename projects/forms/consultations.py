from crispy_forms.layout import Div, Layout
from django import forms

from projects.forms.shared import NO_PATIENTS, several, text_field
from projects.models import Consultation, ConsultationResponse, Priority
from psc_portal.common import clock
from psc_portal.common.guards import GuardedForm
from psc_portal.common.nhsuk import DateInputField, MaxWordsValidator, MomentInputField, NhsukFormMixin

WORDS_AN_ANSWER = 500
QUESTIONS_MOST = 12
Kind = ConsultationResponse.Kind


class ConsultationForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=160)
    summary = forms.CharField(max_length=400, help_text="One or two plain sentences: what we ask, and of whom")
    about = text_field(
        words=600, label="What it is about", help_text="Why we ask, what is already fixed, and what can change"
    )
    questions = forms.CharField(
        widget=forms.Textarea, help_text=f"One question a line, {QUESTIONS_MOST} at most, up to 300 characters each"
    )
    opens_at = MomentInputField(label="Opens", help_text="UK time, for example 28 6 2026, 9am")
    closes_at = MomentInputField(label="Closes", help_text="UK time, for example 28 9 2026, 5pm")

    def clean_questions(self):
        questions = [line.strip() for line in self.cleaned_data["questions"].splitlines() if line.strip()]
        if len(questions) > QUESTIONS_MOST:
            raise forms.ValidationError(f"Ask {QUESTIONS_MOST} questions or fewer. You have written {len(questions)}.")
        if any(len(question) > 300 for question in questions):
            raise forms.ValidationError("Use 300 characters or fewer for each question.")
        return questions

    @staticmethod
    def initial_of(consultation: Consultation) -> dict:
        names = ("title", "summary", "about", "opens_at", "closes_at")
        questions = consultation.questions.values_list("text", flat=True)
        return {name: getattr(consultation, name) for name in names} | {"questions": "\n".join(questions)}


class ExtendForm(NhsukFormMixin, forms.Form):
    submit_label = "Give more time"

    closes_at = MomentInputField(label="Closes", help_text="UK time, for example 28 9 2026, 5pm")


class WithholdForm(NhsukFormMixin, forms.Form):
    submit_label = "Do not show it"

    withheld_because = text_field(
        words=60, label="Why is it not shown?", help_text="Kept for staff. For example: it names a member of staff."
    )


class DecideForm(NhsukFormMixin, forms.Form):
    submit_label = "Publish"

    what_was_said = text_field(words=800, help_text="What people agreed on, where they differed, in plain words")
    what_was_decided = text_field(words=800, help_text="What changes because of it, and what does not, with reasons")
    decided_on = DateInputField(label="Date of the decision", initial=clock.today)
    priorities = several(
        Priority.objects.none(), required=False, label="Priorities that came from it or were changed by it"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["priorities"].queryset = Priority.objects.all()


class RespondForm(NhsukFormMixin, GuardedForm):
    """A box for each question of a consultation."""

    submit_label = "Send my answers"

    kind = forms.ChoiceField(
        label="For whom do you answer?", choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.PERSON
    )
    name = forms.CharField(
        label="Name",
        max_length=160,
        required=False,
        help_text="Only if you want it shown with your answers: your own, or that of the organisation or group.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def __init__(self, *args, consultation: Consultation, **kwargs):
        super().__init__(*args, **kwargs)
        self.questions = list(consultation.questions.all())
        for question in self.questions:
            self.fields[f"question_{question.number}"] = forms.CharField(
                label=str(question),
                required=False,
                max_length=6000,
                widget=forms.Textarea,
                validators=[MaxWordsValidator(WORDS_AN_ANSWER)],
                help_text=f"Up to {WORDS_AN_ANSWER} words. {NO_PATIENTS}" if question.number == 1 else "",
            )
        names = [f"question_{question.number}" for question in self.questions]
        self.form_layout = Layout(*names, "kind", "name", Div("website", hidden=True))

    @property
    def answers(self) -> dict[int, str]:
        return {question.pk: self.cleaned_data[f"question_{question.number}"] for question in self.questions}
