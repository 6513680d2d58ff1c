"""Questions of teams and their answers, for staff. Reviewers never see them."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from proposals import actions, forms, permissions
from proposals.admin.shown import list_of
from proposals.models import CallAnswer, Message
from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import lines, uk_datetime


def _conversation(request, message):
    proposal = message.proposal
    return {"conversation": proposal.messages.select_related("by"), "proposal": proposal}


class Unanswered(admin.SimpleListFilter):
    title = "answer"
    parameter_name = "answer"

    def lookups(self, request, model_admin):
        return [("wanted", "Waits for an answer")]

    def queryset(self, request, messages):
        return messages.unanswered() if self.value() == "wanted" else messages


@admin.register(Message)
class MessageAdmin(ActionAdmin):
    list_display = ["start_shown", "proposal_shown", "call_shown", "from_shown", "sent_shown"]
    list_filter = [Unanswered, "is_from_team", ("proposal__call", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["proposal__call", "by"]
    search_fields = ["text", "proposal__reference"]
    ordering = ["-sent_at", "-pk"]
    fields = readonly_fields = ["proposal_shown", "call_shown", "from_shown", "sent_shown", "text_shown",
                                "published_shown"]  # fmt: skip
    verbs = [
        verb(
            "answer", form=forms.WriteToTeamForm, action=actions.answer_message, label="Answer",
            permission=permissions.can_answer_message, context=_conversation, template="proposals/admin_message.html",
            success="Your answer is sent.",
        ),
        verb(
            "publish", form=forms.PublishAnswerForm, action=actions.publish_answer, label="Publish a general answer",
            permission=permissions.can_answer_message, context=_conversation, template="proposals/admin_message.html",
            initial=lambda message: {"question": message.text}, when=lambda message: message.is_from_team,
            intro="Question and answer stand on the call’s page, for everyone. Reword both so that they name nobody.",
            success="The answer is on the call’s page.",
        ),
    ]  # fmt: skip

    @admin.display(description="message")
    def start_shown(self, message):
        return message.text if len(message.text) <= 80 else f"{message.text[:79]}…"

    @admin.display(description="proposal", ordering="proposal__reference")
    def proposal_shown(self, message):
        """A draft's page is its authors' only: it has no link, and not even its title is told."""
        proposal = message.proposal
        if not proposal.reference:
            return "A draft"
        url = reverse("admin:proposals_proposal_change", args=[proposal.pk])
        return format_html('<a href="{}">{}</a>', url, proposal.reference)

    @admin.display(description="call")
    def call_shown(self, message):
        return message.proposal.call.title

    @admin.display(description="from", ordering="is_from_team")
    def from_shown(self, message):
        return f"{message.by.display_name}, {'the team' if message.is_from_team else 'for us'}"

    @admin.display(description="sent", ordering="sent_at")
    def sent_shown(self, message):
        return uk_datetime(message.sent_at)

    @admin.display(description="text")
    def text_shown(self, message):
        return lines(message.text)

    @admin.display(description="published as")
    def published_shown(self, message):
        rows = ((reverse("admin:proposals_callanswer_change", args=[one.pk]), one.question)
                for one in message.published_answers.all())  # fmt: skip
        return list_of('<li><a href="{}">{}</a></li>', rows, "Not published")


@admin.register(CallAnswer)
class CallAnswerAdmin(ActionAdmin):
    """What stands on a call's page for everyone."""

    list_display = ["question", "call", "published_shown"]
    list_filter = [("call", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["call"]
    search_fields = ["question", "answer"]
    ordering = ["-published_at", "-pk"]
    fields = readonly_fields = ["call", "question", "answer", "published_shown", "published_by"]
    add = verb(
        "add", form=forms.CallAnswerForm, action=actions.publish_answer, label="Publish an answer on a call’s page",
        permission=permissions.is_staff, success="The answer is on the call’s page.",
    )  # fmt: skip
    verbs = [
        verb(
            "edit", form=forms.PublishAnswerForm, action=actions.edit_answer, label="Change",
            permission=permissions.is_staff, success="The answer is changed.",
            initial=lambda one: {"question": one.question, "answer": one.answer},
        ),
    ]  # fmt: skip

    @admin.display(description="published", ordering="published_at")
    def published_shown(self, answer):
        return uk_datetime(answer.published_at)
