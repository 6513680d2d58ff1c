from django import forms

from projects.forms.shared import text_field
from psc_portal.common.nhsuk import NhsukFormMixin


class ApproveChangeForm(NhsukFormMixin, forms.Form):
    submit_label = "Approve and make public"

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ReturnChangeForm(NhsukFormMixin, forms.Form):
    submit_label = "Send back"

    reason = text_field(words=200, label="Why it goes back", help_text="The lead reads it: what would make it fit?")
