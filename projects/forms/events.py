from urllib.parse import urlencode

from crispy_forms.layout import Div, Layout
from django import forms
from django.db import models
from django.db.models import Q

from projects.forms.filters import FilterChoice
from projects.forms.shared import NO_PATIENTS, several, text_field
from projects.models import Event, Priority, Project
from psc_portal.common.guards import GuardedForm
from psc_portal.common.nhsuk import MomentInputField, NhsukFormMixin

TOO_MANY_REGISTRATIONS = (
    "A lot of registrations have come from your address in the last hour. Wait an hour, then try again."
)
MARKDOWN_HINT = "Markdown: # for a heading, - for a list, [words](/address/) for a link."


class EventFilters(forms.Form):
    """Filters in the address of the list. What makes no sense there gets a sentence and is left out."""

    when = FilterChoice(nothing="To come", choices=[("past", "Past")])
    kind = FilterChoice(nothing="All kinds", choices=Event.Kind.choices)
    attendance = FilterChoice(
        nothing="In person and online", choices=Event.Attendance.choices[:2], label="How to take part"
    )
    priority = FilterChoice(nothing="All priorities")

    def __init__(self, data):
        super().__init__(data)
        field = self.fields["priority"]
        field.choices = [("", field.nothing), *Priority.objects.values_list("slug", "title")]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    def applied_to(self, events: models.QuerySet) -> models.QuerySet:
        events = events.past() if "when" in self.chosen else events.upcoming()
        if kind := self.chosen.get("kind"):
            events = events.filter(kind=kind)
        if attendance := self.chosen.get("attendance"):
            events = events.filter(Q(attendance=attendance) | Q(attendance=Event.Attendance.BOTH))
        if priority := self.chosen.get("priority"):
            events = events.filter(
                pk__in=Event.priorities.through.objects.filter(priority__slug=priority).values("event")
            )
        return events

    @property
    def query(self) -> str:
        return urlencode(self.chosen)


class RegistrationForm(NhsukFormMixin, GuardedForm):
    submit_label = "Register"
    form_layout = Layout("name", "email", "organisation", "comes", "access_needs", Div("website", hidden=True))

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your e-mail address",
        help_text="We write to you about this event only. The e-mail has a link with which you can cancel.",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )
    organisation = forms.CharField(label="Your organisation", max_length=160, required=False)
    comes = forms.ChoiceField(
        label="How will you take part?", choices=Event.Attendance.choices[:2], widget=forms.RadioSelect
    )
    access_needs = text_field(
        words=150,
        required=False,
        label="Do you need anything to take part?",
        help_text="For example a hearing loop, an interpreter, step-free access, or a diet. Only the people who run "
        f"the event read this, and it is deleted after the event. {NO_PATIENTS}",
    )

    def __init__(self, data=None, *, event: Event):
        super().__init__(data)
        self.event = event
        if event.attendance != Event.Attendance.BOTH:
            del self.fields["comes"]
            self.form_layout = Layout("name", "email", "organisation", "access_needs", Div("website", hidden=True))

    @property
    def details(self) -> dict:
        return {"comes": self.event.attendance} | self.cleaned_data


# In the admin --------------------------------------------------------------------------------------------------------
class EventForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120, help_text="The address of the page comes from the first title and stays.")
    kind = forms.ChoiceField(choices=Event.Kind.choices)
    summary = forms.CharField(max_length=300, help_text="One or two sentences for lists")
    description = forms.CharField(widget=forms.Textarea({"rows": 12}), help_text=MARKDOWN_HINT)
    audience = forms.CharField(max_length=200, required=False, label="Who it is for")
    starts_at = MomentInputField(label="Start", help_text="UK time, for example 9:30am")
    ends_at = MomentInputField(label="End", help_text="UK time")
    attendance = forms.ChoiceField(
        choices=Event.Attendance.choices, widget=forms.RadioSelect, label="How people take part"
    )
    venue = forms.CharField(
        max_length=200, required=False, label="Place", help_text="Name and address, with the postcode"
    )
    venue_access = text_field(
        words=150,
        required=False,
        label="Access to the place",
        help_text="Steps, lift, parking, hearing loop, quiet room",
    )
    joining_link = forms.URLField(
        required=False,
        label="Link to join",
        assume_scheme="https",
        help_text="Only those with a place get it, by e-mail. It never stands on a public page.",
    )
    takes_registrations = forms.BooleanField(required=False, initial=True, label="People register here")
    places = forms.IntegerField(
        min_value=1, max_value=100_000, required=False, help_text="Leave empty for as many as come."
    )
    registration_closes_at = MomentInputField(
        required=False, label="Registration closes", help_text="Leave empty: it closes when the event starts."
    )
    priorities = several(Priority.objects.all(), required=False)
    projects = several(Project.objects.all(), required=False)


class EditEventForm(EventForm):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class CancelEventForm(NhsukFormMixin, forms.Form):
    reason = forms.CharField(
        max_length=300,
        label="Why is it cancelled?",
        widget=forms.Textarea({"rows": 3}),
        help_text="Everyone who registered gets this by e-mail, and it stands on the page.",
    )
