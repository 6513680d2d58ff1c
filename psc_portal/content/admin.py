from django.contrib import admin
from django.utils.html import format_html, format_html_join

from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import lines
from psc_portal.content import actions, forms, permissions
from psc_portal.content.models import Answer, Document, Edition, Feedback, Page

Status = Feedback.Status


def text_of(page):
    newest = page.newest_version
    return {"title": newest.title, "summary": newest.summary, "body": newest.body, "based_on": newest.number}


@admin.register(Page)
class PageAdmin(ActionAdmin):
    list_display = ["slug", "title", "is_published", "version", "updated_at"]
    list_filter = ["is_published"]
    search_fields = ["slug", "versions__title"]
    fields = ["slug", "is_published", "address", "versions"]
    readonly_fields = ["address", "versions"]
    add = verb(
        "add", form=forms.AddPageForm, action=actions.add_page, label="Add a page", permission=permissions.can_edit
    )
    verbs = [
        verb(
            "edit",
            form=forms.EditPageForm,
            action=actions.edit_page,
            label="Edit",
            initial=text_of,
            permission=permissions.can_edit,
            success="The new version is saved.",
        ),
        verb(
            "restore",
            form=forms.RestorePageForm,
            action=actions.restore_page,
            label="Restore an older version",
            form_kwargs=lambda request, page: {"page": page},
            when=lambda page: page.newest_version.number > 1,
            permission=permissions.can_edit,
            success="The older version is shown again, as a new one.",
        ),
        verb(
            "publish",
            action=actions.set_page_published,
            label="Show to visitors",
            extra={"is_published": True},
            when=lambda page: not page.is_published,
            permission=permissions.can_edit,
        ),
        verb(
            "unpublish",
            action=actions.set_page_published,
            label="Hide from visitors",
            extra={"is_published": False},
            when=lambda page: page.is_published and page.slug not in actions.ALWAYS_PUBLISHED,
            permission=permissions.can_edit,
        ),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("versions")

    @admin.display
    def title(self, page):
        return max(page.versions.all(), key=lambda version: version.number).title

    @admin.display
    def version(self, page):
        return max(version.number for version in page.versions.all())

    @admin.display
    def address(self, page):
        return format_html('<a href="{0}">{0}</a>', page.get_absolute_url())

    @admin.display
    def versions(self, page):
        rows = page.versions.select_related("by").defer("search")
        return format_html(
            "<ol>{}</ol>",
            format_html_join(
                "",
                '<li value="{}">{}, {}, by {}{}</li>',
                (
                    (
                        version.number,
                        version.title,
                        f"{version.at:%-d %B %Y}",
                        version.by or "the portal",
                        f", shown from {version.publish_at:%-d %B %Y %H:%M}" if version.is_scheduled else "",
                    )
                    for version in rows
                ),
            ),
        )


@admin.register(Document)
class DocumentAdmin(ActionAdmin):
    list_display = ["title", "kind", "is_public", "editions_so_far", "updated_at"]
    list_filter = ["kind", "is_public"]
    search_fields = ["title"]
    fields = ["title", "slug", "kind", "summary", "is_public", "address", "editions_with_checks"]
    readonly_fields = ["address", "editions_with_checks"]
    add = verb(
        "add",
        form=forms.AddDocumentForm,
        action=actions.add_document,
        label="Add a document",
        permission=permissions.can_edit,
    )
    verbs = [
        verb(
            "add_edition",
            form=forms.EditionForm,
            action=actions.add_edition,
            label="Add an edition",
            permission=permissions.can_edit,
            success="The new edition replaces the one before.",
        ),
        verb(
            "edit",
            form=forms.EditDocumentForm,
            action=actions.edit_document,
            label="Edit",
            initial=lambda document: {
                name: getattr(document, name) for name in ("title", "kind", "summary", "is_public")
            },
            permission=permissions.can_edit,
        ),
    ]

    def view_on_site(self, document):
        return document.get_absolute_url()

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("editions")

    @admin.display(description="editions")
    def editions_so_far(self, document):
        return len(document.editions.all())

    @admin.display
    def address(self, document):
        return format_html('<a href="{0}">{0}</a>', document.get_absolute_url())

    @admin.display(description="editions")
    def editions_with_checks(self, document):
        return format_html(
            "<ul>{}</ul>",
            format_html_join(
                "",
                '<li><a href="{}">{}</a>, {} ({}){}</li>',
                (
                    (
                        edition.download_url,
                        edition.title,
                        f"{edition.published_on:%-d %B %Y}",
                        edition.format_and_size,
                        warning_of(edition),
                    )
                    for edition in document.editions.select_related("document").defer("search")
                ),
            ),
        )


def warning_of(edition: Edition) -> str:
    """What the upload found wrong with a PDF, in words."""
    missing = [
        word for word, is_there in (("tags", edition.has_tags), ("title", edition.has_title)) if is_there is False
    ]
    return f". This PDF has no {' and no '.join(missing)}: some people cannot read it." if missing else ""


@admin.register(Feedback)
class FeedbackAdmin(ActionAdmin):
    list_display = ["created_at", "beginning", "page", "source", "status"]
    list_filter = ["status", "source"]
    fields = [
        "status",
        "created_at",
        "source",
        "source_note",
        "page",
        "message",
        "name",
        "email",
        "note",
        "published_answer",
    ]
    readonly_fields = ["published_answer"]
    add = verb(
        "add",
        form=forms.RecordFeedbackForm,
        action=actions.record_feedback,
        label="Record feedback heard elsewhere",
        permission=permissions.can_handle_feedback,
    )
    verbs = [
        verb(
            "answer",
            form=forms.AnswerForm,
            action=actions.publish_answer,
            label="Publish an answer",
            intro=lambda feedback: f"They wrote: {feedback.message}",
            when=lambda feedback: Status.ANSWERED in Feedback.TRANSITIONS[feedback.status],
            permission=permissions.can_handle_feedback,
            success="The answer is published under “You said, we did”.",
        ),
        verb(
            "triage",
            form=forms.NoteForm,
            action=actions.triage_feedback,
            label="Look at it",
            when=lambda feedback: Status.TRIAGED in Feedback.TRANSITIONS[feedback.status],
            permission=permissions.can_handle_feedback,
        ),
        verb(
            "close",
            form=forms.NoteForm,
            action=actions.close_feedback,
            label="Close without an answer",
            when=lambda feedback: Status.CLOSED in Feedback.TRANSITIONS[feedback.status],
            permission=permissions.can_handle_feedback,
        ),
    ]

    @admin.display(description="answer")
    def published_answer(self, feedback):
        answer = Answer.objects.filter(feedback=feedback).select_related("by").first()
        if answer is None:
            return "None yet"
        return format_html(
            "<p><strong>You said</strong></p>{}<p><strong>We did</strong></p>{}<p>{}, by {}</p>",
            lines(answer.you_said),
            lines(answer.we_did),
            f"{answer.published_at:%-d %B %Y}",
            answer.by or "the portal",
        )

    @admin.display(description="message")
    def beginning(self, feedback):
        return feedback.message if len(feedback.message) <= 80 else f"{feedback.message[:80]}…"
