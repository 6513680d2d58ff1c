from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from projects import actions, forms, permissions
from projects.admin.shared import fields_of, history
from projects.models import Event, Registration
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.admin_exports import Column, ExportAdmin, labelled, yes_no
from psc_portal.common.templatetags.portal import uk_datetime

Status = Event.Status


def event_as_seen(event):
    return fields_of(forms.EditEventForm)(event) | {"seen": event.edit_mark}


@admin.register(Event)
class EventAdmin(ActionAdmin):
    list_display = ["title", "starts", "status", "attendance", "places", "with_a_place", "on_the_list"]
    list_filter = ["status", "kind", "attendance"]
    search_fields = ["title", "venue"]
    readonly_fields = ["slug", "status", "starts", "ends", "closes", "people", "history"]
    fields = [
        "title", "slug", "status", "people", "kind", "summary", "description", "audience", "starts", "ends",
        "attendance", "venue", "venue_access", "joining_link", "takes_registrations", "places", "closes",
        "priorities", "projects", "cancelled_reason", "history",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.EventForm,
        action=actions.create_event,
        label="Add an event",
        permission=permissions.can_manage,
        success="The event is a draft. Publish it when it is ready.",
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditEventForm,
            action=actions.edit_event,
            initial=event_as_seen,
            when=lambda event: not event.is_cancelled,
            intro="Whoever registered gets a mail when time, place or link change.",
            permission=permissions.can_manage,
        ),
        verb(
            "publish",
            action=actions.publish_event,
            when=lambda event: event.status == Status.DRAFT,
            intro="Everyone will be able to read its page, and to register if it takes registrations.",
            permission=permissions.can_manage,
        ),
        verb(
            "cancel",
            form=forms.CancelEventForm,
            action=actions.cancel_event,
            label="Cancel the event",
            when=lambda event: event.status == Status.PUBLISHED and not event.is_past,
            intro="Its page stays and says so. Everyone who registered gets a mail.",
            permission=permissions.can_manage,
        ),
    ]

    def view_on_site(self, event):
        return event.get_absolute_url()

    def get_queryset(self, request):
        return super().get_queryset(request).with_counts()

    @admin.display(description="start", ordering="starts_at")
    def starts(self, event):
        return uk_datetime(event.starts_at)

    @admin.display(description="end")
    def ends(self, event):
        return uk_datetime(event.ends_at)

    @admin.display(description="registration closes")
    def closes(self, event):
        return uk_datetime(event.closes_at)

    @admin.display(description="with a place", ordering="taken")
    def with_a_place(self, event):
        return event.taken

    @admin.display(description="waiting", ordering="waiting")
    def on_the_list(self, event):
        return event.waiting

    @admin.display(description="registrations")
    def people(self, event):
        url = f"{reverse('admin:projects_registration_changelist')}?event__id__exact={event.pk}"
        return format_html('<a href="{}">{} with a place, {} waiting</a>', url, event.taken, event.waiting)

    def history(self, event):
        return history(event)


class HasNeeds(admin.SimpleListFilter):
    """Who told us that they need something to take part: shown one by one, never in the list or its download."""

    title = "access needs"
    parameter_name = "needs"

    def lookups(self, request, model_admin):
        return [("yes", "Told us what they need")]

    def queryset(self, request, rows):
        return rows.exclude(access_needs="") if self.value() == "yes" else rows


@admin.register(Registration)
class RegistrationAdmin(ExportAdmin, ActionAdmin):
    list_display = ["name", "email", "organisation", "event", "status", "comes", "has_needs", "registered_at"]
    list_filter = ["status", HasNeeds, "comes", ("event", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["event"]
    search_fields = ["name", "email", "organisation"]
    readonly_fields = ["history"]
    fields = [
        "event", "status", "name", "email", "organisation", "comes", "access_needs", "registered_at",
        "needs_erased_at", "erased_at", "history",
    ]  # fmt: skip
    verbs = [
        verb(
            "cancel",
            action=actions.cancel_registration,
            label="Cancel the registration",
            when=lambda row: row.status != Registration.Status.CANCELLED and not row.event.is_past,
            intro="The first of the waiting list gets the place. The person gets a mail.",
            permission=permissions.can_manage,
        ),
    ]

    @admin.display(description="access needs", boolean=True)
    def has_needs(self, registration):
        return bool(registration.access_needs)

    def history(self, registration):
        return history(registration)

    def export_columns(self, request):
        return [
            Column("Event", "event__title"),
            Column("Registration", "status", labelled(Registration.Status)),
            Column("Name", "name"),
            Column("E-mail address", "email"),
            Column("Organisation", "organisation"),
            Column("Takes part", "comes", labelled(Event.Attendance)),
            Column("Told us access needs", "access_needs", yes_no),
            Column("Registered at (UK time)", "registered_at"),
        ]
