from django.contrib import admin
from django.utils.html import format_html_join

from projects import actions, forms, permissions
from projects.admin.shared import history
from projects.models import Consultation, ConsultationResponse
from psc_portal.common import clock
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import lines

Status = Consultation.Status
Response = ConsultationResponse.Status


@admin.register(Consultation)
class ConsultationAdmin(ActionAdmin):
    list_display = ["title", "stage", "opens_at", "closes_at", "decided_on"]
    list_filter = ["status"]
    search_fields = ["title"]
    readonly_fields = ["slug", "stage", "asked", "history"]
    fields = [
        "title", "slug", "stage", "summary", "about", "asked", "opens_at", "closes_at", "what_was_said",
        "what_was_decided", "decided_on", "priorities", "history",
    ]  # fmt: skip
    add = verb(
        "add",
        form=forms.ConsultationForm,
        action=actions.create_consultation,
        label="Add a consultation",
        permission=permissions.can_manage,
    )
    verbs = [
        verb(
            "edit",
            form=forms.ConsultationForm,
            action=actions.edit_consultation,
            initial=forms.ConsultationForm.initial_of,
            when=lambda row: row.status == Status.DRAFT or row.is_upcoming,
            permission=permissions.can_manage,
        ),
        verb(
            "publish",
            action=actions.publish_consultation,
            intro="Everyone will be able to read it. It opens and closes by the clock.",
            when=lambda row: row.status == Status.DRAFT,
            permission=permissions.can_manage,
        ),
        verb(
            "extend",
            form=forms.ExtendForm,
            action=actions.extend_consultation,
            label="Give more time",
            initial=lambda row: {"closes_at": row.closes_at},
            when=lambda row: row.status == Status.PUBLISHED,
            permission=permissions.can_manage,
        ),
        verb(
            "decide",
            form=forms.DecideForm,
            action=actions.decide_consultation,
            label="Publish what was said and decided",
            intro="Everyone will read it on the page of the consultation, and on those of the priorities.",
            when=lambda row: row.status == Status.PUBLISHED and row.closes_at <= clock.now(),
            permission=permissions.can_manage,
        ),
    ]

    def view_on_site(self, row):
        return row.get_absolute_url()

    @admin.display(description="questions")
    def asked(self, row):
        return "\n".join(map(str, row.questions.all()))

    @admin.display
    def history(self, row):
        return history(row)


@admin.register(ConsultationResponse)
class ConsultationResponseAdmin(ActionAdmin):
    list_display = ["__str__", "consultation", "status", "kind", "is_late", "created_at"]
    list_filter = ["status", "consultation", "kind", "is_late"]
    list_select_related = ["consultation"]
    readonly_fields = ["answered", "history"]
    fields = [
        "consultation", "status", "kind", "name", "is_late", "created_at", "answered", "withheld_because", "history",
    ]  # fmt: skip
    verbs = [
        verb(
            "show",
            action=actions.show_response,
            label="Show it to everybody",
            intro="Read it first: it names no patient and no member of staff, and it insults nobody.",
            when=lambda row: row.status != Response.SHOWN,
            permission=permissions.can_manage,
        ),
        verb(
            "withhold",
            form=forms.WithholdForm,
            action=actions.withhold_response,
            label="Do not show it",
            when=lambda row: row.status != Response.WITHHELD,
            permission=permissions.can_manage,
        ),
    ]

    @admin.display(description="answers")
    def answered(self, row):
        rows = row.answers.select_related("question")
        return format_html_join("", "<p><strong>{}</strong></p>{}", ((one.question, lines(one.text)) for one in rows))

    @admin.display
    def history(self, row):
        return history(row)
