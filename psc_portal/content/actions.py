"""Everything that changes pages, documents and feedback."""

import datetime as dt
import re

import pypdf
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import Resolver404, resolve, reverse

from psc_portal.common import audit, clamd, clock, outbox, registry
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug
from psc_portal.content import links, permissions, placeholders
from psc_portal.content.addresses import public_path
from psc_portal.content.essential_pages import essential_pages
from psc_portal.content.models import Answer, BrokenLink, Document, Edition, Feedback, FeedbackSource, Page

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")
SENT_TWICE = dt.timedelta(minutes=10)  # the same words about the same page within this time are one feedback
ALWAYS_PUBLISHED = {"accessibility-statement", "privacy", "cookies", "contact"}  # linked from every page


def _must_edit(by):
    if not permissions.can_edit(by):
        raise PermissionDenied


# Pages ---------------------------------------------------------------------------------------------------------------
@transaction.atomic
def add_page(*, slug, title, summary, body, by, publish_at=None):
    """A new page with its first version.

    Raises:
        PermissionDenied: `by` may not edit pages.
        ActionRefused: the address is taken or not an address, or the text holds what it must not.
    """
    _must_edit(by)
    if not SLUG.fullmatch(slug):
        raise ActionRefused("Write the address in small letters, digits and hyphens, for example “how-we-work”.")
    try:
        is_free = resolve(f"/{slug}/").view_name == "content:page"
    except Resolver404:
        is_free = False
    if not is_free or Page.objects.filter(slug=slug).exists():
        raise ActionRefused(f"The address /{slug}/ is taken. Choose another one.")
    page = Page.objects.create(slug=slug)
    _next_version(page, title=title, summary=summary, body=body, publish_at=publish_at, by=by)
    audit.record("add", page, by=by, after=audit.snapshot(page, ["slug", "is_published"]))
    return page


@transaction.atomic
def edit_page(*, page, title, summary, body, by, publish_at=None, based_on=None):
    """The next version of a page, shown from `publish_at` on, or at once.

    Raises:
        PermissionDenied: `by` may not edit pages.
        ActionRefused: somebody else saved a version after number `based_on`, or the text holds what it must not.
    """
    _must_edit(by)
    page = Page.objects.select_for_update().get(pk=page.pk)
    newest = page.newest_version
    if based_on is not None and newest.number != based_on:
        raise ActionRefused(
            f"Version {newest.number} was saved while you were writing. Your text is kept here: copy what you need, "
            "open the page again and bring both together."
        )
    version = _next_version(page, title=title, summary=summary, body=body, publish_at=publish_at, by=by)
    audit.record("edit", page, by=by, before={"version": newest.number}, after={"version": version.number})
    return version


@transaction.atomic
def restore_page(*, page, number, by):
    """An older version becomes the next one.

    Raises:
        PermissionDenied: `by` may not edit pages.
        ActionRefused: there is no such version, or it is the newest.
    """
    _must_edit(by)
    page = Page.objects.select_for_update().get(pk=page.pk)
    newest = page.newest_version
    old = page.versions.filter(number=number).first()
    if old is None or old == newest:
        raise ActionRefused(f"Choose a version from 1 to {newest.number - 1}.")
    version = _next_version(
        page, title=old.title, summary=old.summary, body=old.body, publish_at=None, by=by, restored_from=old
    )
    audit.record("restore", page, by=by, before={"version": newest.number}, after={"version": version.number})
    return version


def _next_version(page, *, title, summary, body, publish_at, by, restored_from=None):
    text = {"Title": title, "Summary": summary, "Text": body}
    refuse_nhs_numbers(text)
    placeholders.refuse_unknown("\n".join(text.values()))
    newest = page.newest_version
    return page.versions.create(
        number=newest.number + 1 if newest else 1,
        title=title,
        summary=summary,
        body=body,
        publish_at=publish_at or clock.now(),
        restored_from=restored_from,
        by=by,
    )


@transaction.atomic
def set_page_published(*, page, is_published, by):
    """Show a page to visitors, or take it away.

    Raises:
        PermissionDenied: `by` may not edit pages.
        ActionRefused: the law or every page needs it.
    """
    _must_edit(by)
    page = Page.objects.select_for_update().get(pk=page.pk)
    if not is_published and page.slug in ALWAYS_PUBLISHED:
        raise ActionRefused("This page is linked from every other page and stays. Edit its text instead.")
    before = audit.snapshot(page, ["is_published"])
    page.is_published = is_published
    page.save(update_fields=["is_published"])
    audit.record("publish" if is_published else "unpublish", page, by=by, before=before)
    return page


@transaction.atomic
def refresh_essential_pages() -> list[str]:
    """Give the pages that nobody has edited the text of this version of the portal. Returns the slugs that changed."""
    changed = []
    for essential in essential_pages():
        page, is_new = Page.objects.get_or_create(slug=essential.slug)
        page = Page.objects.select_for_update().get(pk=page.pk)
        newest = page.newest_version
        text = {"title": essential.title, "summary": essential.summary, "body": essential.body}
        if newest and (page.versions.filter(by__isnull=False).exists() or text.items() <= vars(newest).items()):
            continue
        _next_version(page, **text, publish_at=None, by=None)
        audit.record("add" if is_new else "refresh", page, by=None)
        changed.append(page.slug)
    return changed


# Links ---------------------------------------------------------------------------------------------------------------
@transaction.atomic
def ask_for_link_check(*, by) -> None:
    """Have all links checked now; the night does it anyway.

    Raises:
        PermissionDenied: `by` may not edit pages.
    """
    _must_edit(by)
    outbox.enqueue("content.check_links")


def check_links() -> int:
    """Follow every link of the public texts and keep those that lead nowhere. Returns how many. May run twice."""
    checker = links.Checker(asks_others=settings.CHECK_EXTERNAL_LINKS)
    now, kept = clock.now(), []
    for text in registry.linked_texts.collect():
        for link, problem in checker.problems(links.links_of(text.html), at=text.url):
            values = {"source": text.title[:200], "problem": problem[:200], "checked_at": now}
            row, _is_new = BrokenLink.objects.update_or_create(
                source_url=text.url, link=link[:2000], defaults=values, create_defaults=values | {"found_at": now}
            )
            kept.append(row.pk)
    BrokenLink.objects.exclude(pk__in=kept).delete()
    return len(kept)


# Documents -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def add_document(
    *, title, kind, summary, edition_title, published_on, file, body, by, accessibility_note="", is_public=True
):
    """A new document with its first edition.

    Raises:
        PermissionDenied: `by` may not edit documents.
        ActionRefused: the text holds what it must not.
    """
    _must_edit(by)
    refuse_nhs_numbers({"Title": title, "Summary": summary})
    document = Document.objects.create(
        slug=unique_slug(Document, title), title=title, kind=kind, summary=summary, is_public=is_public
    )
    audit.record("add", document, by=by, after=audit.snapshot(document, ["slug", "kind", "is_public"]))
    add_edition(
        document=document,
        title=edition_title,
        published_on=published_on,
        file=file,
        body=body,
        accessibility_note=accessibility_note,
        by=by,
    )
    return document


@transaction.atomic
def add_edition(*, document, title, published_on, file, body, by, accessibility_note=""):
    """The next edition of a document: it replaces the one before, whose file stays to be had.

    `file` has been judged by `check_upload`.

    Raises:
        PermissionDenied: `by` may not edit documents.
        ActionRefused: the edition is dated before the one it replaces, or the text holds what it must not.
    """
    _must_edit(by)
    document = Document.objects.select_for_update().get(pk=document.pk)
    refuse_nhs_numbers({"Title": title, "The document as a web page": body})
    _refuse_viruses(file)
    newest = document.editions.order_by("-number").first()
    if newest and published_on < newest.published_on:
        raise ActionRefused(
            f"The edition before is dated {newest.published_on:%-d %B %Y}. Give a date on or after that day."
        )
    edition = Edition(
        document=document,
        number=newest.number + 1 if newest else 1,
        title=title,
        published_on=published_on,
        replaces=newest,
        file_name=_download_name(document, title, file.name),
        format=file.name.rpartition(".")[2].lower(),
        size=file.size,
        body=body,
        accessibility_note=accessibility_note,
        by=by,
    )
    if edition.format == Edition.Format.PDF:
        edition.pages, edition.has_tags, edition.has_title = _read_pdf(file)
    edition.file = file
    edition.save()
    audit.record("add_edition", document, by=by, after={"edition": edition.number, "size": edition.size})
    return edition


def _download_name(document, title, uploaded_name):
    ending = uploaded_name.rpartition(".")[2].lower()
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{document.title} {title}").strip("-").lower()
    return f"{name[:150]}.{ending}"


def _read_pdf(file):
    """Number of pages, whether it is tagged, whether it has a title."""
    file.seek(0)
    reader = pypdf.PdfReader(file)
    marks = reader.root_object.get("/MarkInfo") or {}
    is_tagged = bool(marks.get("/Marked")) and "/StructTreeRoot" in reader.root_object
    answer = len(reader.pages), is_tagged, bool(reader.metadata and (reader.metadata.title or "").strip())
    file.seek(0)
    return answer


def _refuse_viruses(file):
    """Where a scanner is set up nothing is stored unscanned: whoever uploads is here and can try again."""
    if not clamd.is_set_up():
        return
    try:
        virus = clamd.scan(file)
    except clamd.TooLarge:
        raise ActionRefused("The file is too large for the virus scanner. Make it smaller.")
    except (clamd.ScannerUnavailable, clamd.NoVerdict):
        raise ActionRefused("The virus scanner gives no answer now. What you typed is kept: try again in some minutes.")
    finally:
        file.seek(0)
    if virus:
        raise ActionRefused("The virus scanner found something in this file. It has not been stored.")


@transaction.atomic
def edit_document(*, document, title, kind, summary, is_public, by):
    """Change how a document is listed. Its address stays."""
    _must_edit(by)
    refuse_nhs_numbers({"Title": title, "Summary": summary})
    document = Document.objects.select_for_update().get(pk=document.pk)
    fields = ["title", "kind", "summary", "is_public"]
    before = audit.snapshot(document, fields)
    document.title, document.kind, document.summary, document.is_public = title, kind, summary, is_public
    document.save()
    audit.record("edit", document, by=by, before=before, after=audit.snapshot(document, fields))
    return document


# Feedback ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def give_feedback(*, message, page="", name="", email="", numbers_explained="", by=None):
    """Keep what somebody told us through the website; an account is not needed. Sent twice, it is kept once.

    Raises:
        ActionRefused: the text holds what looks like an NHS number, and nobody says what else it is.
    """
    if not numbers_explained.strip():
        refuse_nhs_numbers({"Your feedback": message, "Your name": name})
    same = Feedback.objects.filter(
        message=message, page=page[:300], email=email, created_at__gte=clock.now() - SENT_TWICE
    )
    if already := same.first():
        return already
    return Feedback.objects.create(
        message=message, page=page[:300], name=name, email=email, numbers_explained=numbers_explained.strip()
    )


@transaction.atomic
def record_feedback(*, message, source, source_note, page="", by):
    """Keep what staff heard elsewhere: at an event, in a forum, by letter."""
    _must_handle(by)
    refuse_nhs_numbers({"What was said": message, "Where": source_note})
    feedback = Feedback.objects.create(message=message, source=source, source_note=source_note, page=page)
    audit.record("record", feedback, by=by, after={"source": source.pk})
    return feedback


@transaction.atomic
def add_source(*, name, is_in_use=True, by):
    """Another forum, event or way by which people tell us something.

    Raises:
        PermissionDenied: `by` may not handle feedback.
        ActionRefused: it is on the list already.
    """
    _must_handle(by)
    _refuse_second_source(name)
    source = FeedbackSource.objects.create(name=name.strip(), is_in_use=is_in_use)
    audit.record("add", source, by=by, after=audit.snapshot(source, ["name", "is_in_use"]))
    return source


@transaction.atomic
def edit_source(*, feedback_source, name, is_in_use, by):
    """Rename a source, or no longer offer it; what was heard through it stays."""
    _must_handle(by)
    source = FeedbackSource.objects.select_for_update().get(pk=feedback_source.pk)
    _refuse_second_source(name, besides=source)
    before = audit.snapshot(source, ["name", "is_in_use"])
    source.name, source.is_in_use = name.strip(), is_in_use
    source.save()
    audit.record("edit", source, by=by, before=before, after=audit.snapshot(source, ["name", "is_in_use"]))
    return source


def _refuse_second_source(name, besides=None):
    others = FeedbackSource.objects.exclude(pk=besides.pk) if besides else FeedbackSource.objects
    if others.filter(name__iexact=name.strip()).exists():
        raise ActionRefused("This source is on the list already. Look for it there.")


def _must_handle(by, feedback=None):
    if not permissions.can_handle_feedback(by, feedback):
        raise PermissionDenied


@transaction.atomic
def triage_feedback(*, feedback, note, by):
    """Say that somebody is looking at it, and what is to be done."""
    return _move(feedback, Feedback.Status.TRIAGED, note=note, by=by)


@transaction.atomic
def close_feedback(*, feedback, note, reply="", by):
    """Nothing more is to be done; the note says why. Whoever left an address gets the reply, if there is one."""
    _must_handle(by, feedback)
    refuse_nhs_numbers({"Reply": reply})
    _refuse_contact_data(feedback, {"Reply": reply})
    feedback.reply = reply.strip()
    feedback.save(update_fields=["reply"])
    feedback = _move(feedback, Feedback.Status.CLOSED, note=note, by=by)
    if feedback.reply:
        _tell(feedback, "content/closed", "closed", reply=feedback.reply)
    return feedback


def _move(feedback, status, *, note, by):
    _must_handle(by, feedback)
    feedback.change_status(status, by=by)
    feedback.note = note
    feedback.save(update_fields=["note"])
    audit.record(str(status), feedback, by=by)
    return feedback


@transaction.atomic
def publish_answer(*, feedback, you_said, we_did, page=None, by):
    """Publish "You said, we did" in our own words, and write once to whoever left an address.

    Args:
        page: the address of what it is about; that of the feedback if left out.
    Raises:
        PermissionDenied: `by` may not handle feedback.
        ActionRefused: it has been answered or closed, or the text holds what it must not.
    """
    _must_handle(by, feedback)
    texts = {"You said": you_said, "We did": we_did}
    refuse_nhs_numbers(texts)
    _refuse_contact_data(feedback, texts)
    page = public_path(feedback.page if page is None else page)
    feedback.change_status(Feedback.Status.ANSWERED, by=by)
    answer = Answer.objects.create(feedback=feedback, page=page, you_said=you_said, we_did=we_did, by=by)
    audit.record("answer", feedback, by=by, after={"answer": answer.pk})
    _tell(feedback, "content/answered", "answered", you_said=you_said, we_did=we_did)
    return answer


def _tell(feedback, template, occasion, **words):
    if not feedback.email:
        return
    outbox.send_mail(
        to=[feedback.email],
        template=template,
        context={
            "name": feedback.name,
            "reference": feedback.reference,
            "collaborative": settings.COLLABORATIVE,
            "answers_url": settings.PORTAL_URL + reverse("content:answer_list"),
            **words,
        },
        key=f"content.{occasion} {feedback.pk}",
    )


def _refuse_contact_data(feedback, texts):
    """An answer must not name whoever wrote: the words are ours."""
    for secret in filter(None, [feedback.name.strip(), feedback.email.strip()]):
        for place, text in texts.items():
            if secret.lower() in text.lower():
                raise ActionRefused(f"“{place}” holds the name or e-mail address of the person who wrote. Take it out.")
