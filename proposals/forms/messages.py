"""Questions, answers, and answers for everyone."""

from crispy_forms.layout import Div, Layout
from django import forms
from django.urls import reverse

from proposals.models import Call
from psc_portal.common.nhsuk import NhsukFormMixin


def _message(label, help_text) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Write your message first"},
    )


class MessageForm(NhsukFormMixin, forms.Form):
    submit_label = "Send your message"
    text = _message(
        "Ask a question or send a message",
        "Reviewers never see it. Do not write anything that identifies a patient.",
    )

    def __init__(self, *args, address, **kwargs):
        self.address = address
        super().__init__(*args, **kwargs)

    @property
    def helper(self):
        helper = super().helper
        helper.form_action = reverse("proposals:proposal_message", args=[self.address])
        return helper


class WriteToTeamForm(NhsukFormMixin, forms.Form):
    submit_label = "Send"
    text = _message(
        "Your message to the team",
        "It stands on the proposal’s page. We tell them by mail that it is there, without its text.",
    )


class PublishAnswerForm(NhsukFormMixin, forms.Form):
    submit_label = "Publish"
    question = forms.CharField(
        label="The question, reworded so that it names nobody", widget=forms.Textarea(attrs={"rows": 3})
    )
    answer = forms.CharField(label="The answer", widget=forms.Textarea(attrs={"rows": 5}))


class CallAnswerForm(PublishAnswerForm):
    call = forms.ModelChoiceField(label="Call", queryset=Call.objects.published())
    field_order = ["call", "question", "answer"]


class ReminderForm(NhsukFormMixin, forms.Form):
    submit_label = "Remind me"
    form_layout = Layout("email", Div("website", hidden=True))
    email = forms.EmailField(
        label="Your email address",
        help_text="We use it for these reminders only, and delete it once the call has closed.",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )
    website = forms.CharField(  # people never see this box; programs that fill in every box do
        label="Leave this box empty", required=False, widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )

    @property
    def is_from_a_program(self) -> bool:
        return bool(self.data.get("website"))
