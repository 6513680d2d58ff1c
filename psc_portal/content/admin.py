from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from psc_portal.common.admin import ActionAdmin, verb
from psc_portal.common.templatetags.portal import lines
from psc_portal.common.word_diff import word_changes
from psc_portal.content import actions, forms, links, permissions
from psc_portal.content.addresses import public_path
from psc_portal.content.models import Answer, BrokenLink, Document, Feedback, FeedbackSource, Page
from psc_portal.content.placeholders import filled_in
from psc_portal.content.prose import prose

Status = Feedback.Status
LINKS_CHECKED = {
    True: "Each link of the pages, documents, events and of the library is followed, to other websites too.",
    False: "Each link of the pages, documents, events and of the library to this website is followed. Other websites "
    "are not asked: CHECK_EXTERNAL_LINKS is off.",
}


def text_of(page):
    newest = page.newest_version
    return {"title": newest.title, "summary": newest.summary, "body": newest.body, "based_on": newest.number}


def text_to_compare(version) -> str:
    return "\n\n".join(filter(None, [version.title, version.summary, version.body]))


@admin.register(Page)
class PageAdmin(ActionAdmin):
    list_display = ["slug", "title", "is_published", "version", "updated_at"]
    list_filter = ["is_published"]
    search_fields = ["slug", "versions__title"]
    fields = ["slug", "is_published", "address", "versions"]
    readonly_fields = ["address", "versions"]
    add = verb(
        "add",
        form=forms.AddPageForm,
        action=actions.add_page,
        label="Add a page",
        permission=permissions.can_edit,
        template="admin/page_write.html",
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
            template="admin/page_write.html",
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

    def get_urls(self):
        view = self.admin_site.admin_view(self.version_view)
        return [path("<int:pk>/versions/<int:number>/", view, name="content_page_version"), *super().get_urls()]

    def version_view(self, request, pk, number):
        """One version: what it says, and what it changed."""
        page = self.get_object(request, str(pk))
        if page is None or not self.has_view_permission(request, page):
            raise Http404
        version = get_object_or_404(page.versions.select_related("by", "restored_from").defer("search"), number=number)
        before = page.versions.filter(number=number - 1).first()
        context = {
            **self.admin_site.each_context(request),
            "title": f"{page}, version {number}",
            "opts": self.opts,
            "page": page,
            "version": version,
            "before": before,
            "changes": word_changes(text_to_compare(before), text_to_compare(version)) if before else [],
            "body": prose(version.body),
            "may_restore": permissions.can_edit(request.user) and number < page.newest_version.number,
        }
        return TemplateResponse(request, "admin/page_version.html", context)

    def _answer(self, request, one, obj):
        """ "Preview" shows the text as visitors would see it and says which links are broken; nothing is saved."""
        if request.method != "POST" or "preview" not in request.POST or one.name not in {"add", "edit"}:
            return super()._answer(request, one, obj)
        form = self._form(request, one, obj)
        if form.is_valid():
            text = form.cleaned_data
            slug = obj.slug if obj else text["slug"]
            body = prose(text["body"])
            form.preview = {
                "title": filled_in(text["title"]),
                "body": body,
                "problems": links.Checker().problems(links.links_of(body), at=f"/{slug}/"),
            }
        return self._page(request, one, obj, form)

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
                '<li value="{}"><a href="{}">{}</a>, {}, by {}{}</li>',
                (
                    (
                        version.number,
                        reverse("admin:content_page_version", args=[page.pk, version.number]),
                        version.title,
                        f"{version.at:%-d %B %Y}",
                        version.by or "the portal",
                        f", shown from {version.publish_at:%-d %B %Y %H:%M}" if version.is_scheduled else "",
                    )
                    for version in rows
                ),
            ),
        )


def said_of_upload(sentence: str, document: Document) -> str:
    """What the person reads after an upload: a warning where some people cannot read the file. It is not refused."""
    edition = document.editions.order_by("-number").first()
    if not edition.warning:
        return sentence
    return (
        f"{sentence} {edition.warning} Save it again as a tagged PDF with a title, or say so in the accessibility note."
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
        success=lambda nothing, document: said_of_upload("The document is stored.", document),
    )
    verbs = [
        verb(
            "add_edition",
            form=forms.EditionForm,
            action=actions.add_edition,
            label="Add an edition",
            permission=permissions.can_edit,
            success=lambda document, edition: said_of_upload("The new edition replaces the one before.", document),
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
                        f". {edition.warning}" if edition.warning else "",
                    )
                    for edition in document.editions.select_related("document").defer("search")
                ),
            ),
        )


@admin.register(FeedbackSource)
class FeedbackSourceAdmin(ActionAdmin):
    list_display = ["name", "is_in_use"]
    fields = ["name", "is_in_use"]
    add = verb(
        "add",
        form=forms.SourceForm,
        action=actions.add_source,
        label="Add a source",
        permission=permissions.can_handle_feedback,
    )
    verbs = [
        verb(
            "edit",
            form=forms.SourceForm,
            action=actions.edit_source,
            label="Edit",
            initial=lambda source: {"name": source.name, "is_in_use": source.is_in_use},
            permission=permissions.can_handle_feedback,
        ),
    ]


@admin.register(Feedback)
class FeedbackAdmin(ActionAdmin):
    list_display = ["reference", "created_at", "beginning", "page", "source_words", "status"]
    list_filter = ["status", "source"]
    list_select_related = ["source"]
    search_fields = ["reference", "message"]
    fields = [
        "reference", "status", "created_at", "source_words", "source_note", "page", "message", "numbers_explained",
        "name", "email", "note", "reply", "published_answer",
    ]  # fmt: skip
    readonly_fields = ["reference", "source_words", "published_answer"]
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
            initial=lambda feedback: {"page": public_path(feedback.page)},
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
            form=forms.CloseForm,
            action=actions.close_feedback,
            label="Close without an answer",
            when=lambda feedback: Status.CLOSED in Feedback.TRANSITIONS[feedback.status],
            permission=permissions.can_handle_feedback,
        ),
    ]

    @admin.display(description="source")
    def source_words(self, feedback):
        return feedback.source_words

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


@admin.register(BrokenLink)
class BrokenLinkAdmin(ActionAdmin):
    """The report of the check that runs each night."""

    list_display = ["link", "where", "problem", "found_at", "checked_at"]
    list_display_links = None
    search_fields = ["link", "source"]
    fields = ["where", "link", "problem", "found_at", "checked_at"]
    readonly_fields = ["where"]
    add = verb(
        "add",
        action=actions.ask_for_link_check,
        label="Check all links now",
        permission=permissions.can_edit,
        intro=lambda nothing: LINKS_CHECKED[settings.CHECK_EXTERNAL_LINKS],
        success="The links are being checked. Look here again in some minutes.",
    )

    @admin.display(description="where it stands", ordering="source")
    def where(self, broken):
        return format_html('<a href="{}">{}</a>', broken.source_url, broken.source)
