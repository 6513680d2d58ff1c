from crispy_forms.layout import Div, Layout
from django import forms

from projects.forms.filters import FilterChoice, ListFilters
from projects.forms.shared import Words
from projects.models import CareSetting, Organisation, Priority, System
from psc_portal.common.guards import GuardedForm
from psc_portal.common.nhsuk import NhsukFormMixin


class SpreadFilters(ListFilters):
    """Filters of the spread board."""

    priority = FilterChoice(nothing="All priorities")
    system = FilterChoice(nothing="All systems")
    setting = FilterChoice(nothing="All settings", choices=CareSetting.choices, label="Setting of care")
    project = FilterChoice(nothing="All projects")

    def named_choices(self):
        return {
            "priority": Priority.objects.values_list("slug", "title"),
            "system": System.objects.values_list("code", "name"),
            "project": self.projects.values_list("slug", "title"),
        }


class NearFilters(ListFilters):
    """Where somebody is, and what they look for."""

    place = Words(
        label="Your postcode, town or county",
        required=False,
        max_length=60,
        help_text="The first half of the postcode is enough, for example LN2.",
    )
    system = FilterChoice(nothing="As my postcode says", label="Or choose your area")
    q = Words(label="What about?", required=False, max_length=100, help_text="For example falls. Leave empty for all.")

    def named_choices(self):
        return {"system": System.objects.values_list("code", "name")}


class ContactForm(NhsukFormMixin, GuardedForm):
    submit_label = "Send your message"
    form_layout = Layout("organisation", "name", "email", "message", Div("website", hidden=True))

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(),
        required=False,
        label="Whom do you want to ask?",
        empty_label="Who leads the project",
    )
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your email address",
        help_text="Whoever answers sees it and replies to it. We keep it for nothing else.",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )
    message = forms.CharField(
        label="Your message",
        max_length=3000,
        widget=forms.Textarea,
        help_text="Do not write about anyone's health or care, and never give an NHS number.",
    )

    def __init__(self, *args, project, **kwargs):
        super().__init__(*args, **kwargs)
        adopters = Organisation.objects.filter(adoptions__project=project).distinct().order_by("name")
        self.fields["organisation"].queryset = adopters
