"""Questions, answers, and answers for everyone."""

from django import forms
from django.urls import reverse

from proposals.models import Call
from psc_portal.common.nhsuk import NhsukFormMixin


class MessageForm(NhsukFormMixin, forms.Form):
    submit_label = "Send your message"
    text = forms.CharField(
        label="Ask a question or send a message",
        help_text="Reviewers never see it. Do not write anything that identifies a patient.",
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": "Write your message first"},
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
    text = forms.CharField(
        label="Your message to the team",
        help_text="It stands on the proposal’s page. We tell them by mail that it is there, without its text.",
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Write your message first"},
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
