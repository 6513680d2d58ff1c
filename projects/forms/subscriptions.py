from crispy_forms.layout import Div, Layout
from django import forms

from projects.models import Organisation, Priority, Subscription
from psc_portal.common.nhsuk import NhsukFormMixin


class SubscriptionChoices(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    priorities = forms.ModelMultipleChoiceField(
        label="Priorities",
        queryset=Priority.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none here and no organisation to hear of everything.",
    )
    organisations = forms.ModelMultipleChoiceField(
        label="Organisations",
        queryset=Organisation.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    frequency = forms.ChoiceField(
        label="How often?", choices=Subscription.Frequency, widget=forms.RadioSelect, initial="monthly"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["priorities"].queryset = Priority.objects.current()
        self.fields["organisations"].queryset = Organisation.objects.current()


class SubscribeForm(SubscriptionChoices):
    submit_label = "Subscribe"
    form_layout = Layout("email", "frequency", "priorities", "organisations", Div("website", hidden=True))

    email = forms.EmailField(
        label="Your e-mail address",
        help_text="We use it for these e-mails only. Each has a link to stop them, which deletes your address.",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )
    website = forms.CharField(  # people never see this box; programs that fill in every box do
        label="Leave this box empty", required=False, widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )

    @property
    def is_from_a_program(self) -> bool:
        return bool(self.data.get("website"))
