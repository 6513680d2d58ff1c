import re
from urllib.parse import urlencode, urlsplit

from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from psc_portal.common import clock
from psc_portal.common.files import attachment_response
from psc_portal.common.guards import is_too_often
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import kept_until, public_page
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions, forms, permissions
from psc_portal.content.addresses import part_of, public_path
from psc_portal.content.models import NOT_MISREAD, REFERENCE_LENGTH, Answer, Document, Edition, Feedback, PageVersion
from psc_portal.content.placeholders import filled_in
from psc_portal.content.prose import prose

FEEDBACK_AN_HOUR = 10  # from one address
LOOK_UPS_AN_HOUR = 30
A_REFERENCE = re.compile(rf"F-[{NOT_MISREAD}]{{{REFERENCE_LENGTH}}}")
DOCUMENTS = "Documents"


@public_page
def page(request, slug):
    shown = PageVersion.objects.shown().select_related("page").defer("search")
    version = get_object_or_404(shown, page__slug=slug)
    parent = shown.filter(page__slug=slug.rpartition("/")[0]).first() if "/" in slug else None
    context = {
        "page": version.page,
        "title": filled_in(version.title),
        "body": prose(version.body),
        "changed_at": version.publish_at,
        "crumbs": [(filled_in(parent.title), parent.page.get_absolute_url())] if parent else [],
    }
    coming = version.page.versions.filter(publish_at__gt=clock.now()).order_by("publish_at").first()
    response = render(request, "content/page_detail.html", context)
    return kept_until(response, coming and coming.publish_at)


@public_page
def document_list(request):
    latest = Edition.objects.out().order_by("document_id", "-number").distinct("document_id").defer("body", "search")
    filters = forms.DocumentFilters(request.GET)
    documents = Document.objects.visible_to(request.user).prefetch_related(
        Prefetch("editions", queryset=latest, to_attr="latest")
    )
    if kind := filters.chosen.get("kind"):
        documents = documents.filter(kind=kind)
    context = {"page": paginate(request, documents), "form": filters}
    return render(request, "content/document_list.html", context)


@public_page
def document_detail(request, slug):
    document = get_object_or_404(Document.objects.visible_to(request.user), slug=slug)
    editions = list(_editions(request, document))
    for edition in editions:
        edition.document = document
    context = {
        "document": document,
        "edition": editions[0] if editions else None,
        "older": editions[1:],
        "body": prose(editions[0].body) if editions else "",
        "crumbs": [(DOCUMENTS, reverse("content:document_list"))],
    }
    return render(request, "content/document_detail.html", context)


@public_page
def edition_detail(request, slug, number):
    """An edition as a web page, an earlier one too; the latest has the page of the document."""
    document = get_object_or_404(Document.objects.visible_to(request.user), slug=slug)
    editions = list(_editions(request, document))
    edition = next((one for one in editions if one.number == number), None)
    if edition is None:
        raise Http404
    edition.document = document
    context = {
        "document": document,
        "edition": edition,
        "latest": editions[0],
        "body": prose(edition.body),
        "crumbs": [(DOCUMENTS, reverse("content:document_list")), (document.title, document.get_absolute_url())],
    }
    return render(request, "content/edition_detail.html", context)


def edition_download(request, slug, number=None):
    """One edition's file; without a number the latest one's, at an address that stays."""
    document = get_object_or_404(Document.objects.visible_to(request.user), slug=slug)
    editions = _editions(request, document)
    edition = editions.filter(number=number).first() if number else editions.first()
    if edition is None:
        raise Http404
    return attachment_response(edition.file, edition.file_name)


def _editions(request, document):
    """The newest first. Before their day only staff see them."""
    editions = document.editions.order_by("-number").defer("search")
    return editions if permissions.can_edit(request.user) else editions.out()


@never_cache
def feedback(request):
    if request.method != "POST":
        form = forms.FeedbackForm(initial={"page": request.GET.get("page") or _page_before(request)})
        return _feedback_page(request, form)
    form = forms.FeedbackForm(request.POST)
    if not form.is_valid():
        return _feedback_page(request, form)
    if is_too_often(request, what="feedback", times=FEEDBACK_AN_HOUR, seconds=3600):
        form.add_error(None, "You have sent a lot of feedback in the last hour. Wait an hour, then send this again.")
        return _feedback_page(request, form, status=429)
    try:
        given = actions.give_feedback(**form.cleaned_data)
    except ActionRefused as refusal:
        form.add_error("message", str(refusal))
        return _feedback_page(request, form)
    return redirect(f"{reverse('content:feedback_thanks')}?{urlencode({'reference': given.reference})}")


def _page_before(request):
    """The page of this website from which the visitor came."""
    before = urlsplit(request.headers.get("Referer", ""))
    return before.path if before.netloc == request.get_host() and not before.path.startswith("/feedback/") else ""


def _feedback_page(request, form, *, status=200):
    about = public_path(form["page"].value() or "")
    context = {
        "form": form,
        "about": about,
        "answers_here": Answer.objects.filter(page=about).count() if about else 0,
        "part": part_of(about),
    }
    return render(request, "content/feedback_form.html", context, status=status)


@never_cache
def feedback_thanks(request):
    reference = request.GET.get("reference", "")
    context = {"reference": reference if A_REFERENCE.fullmatch(reference) else "", "crumbs": []}
    return render(request, "content/feedback_thanks.html", context)


@never_cache
def feedback_status(request):
    """What became of a piece of feedback, for whoever has its reference. What was written is not shown."""
    form = forms.FeedbackStatusForm(request.GET if "reference" in request.GET else None)
    found, status = None, 200
    if form.is_valid():
        if is_too_often(request, what="feedback-status", times=LOOK_UPS_AN_HOUR, seconds=3600):
            form.add_error(None, "You have looked up many references in the last hour. Wait an hour, then try again.")
            status = 429
        else:
            rows = Feedback.objects.select_related("answer").defer("answer__search")
            found = rows.filter(reference=form.cleaned_data["reference"]).first()
            if found is None:
                form.add_error("reference", "There is no feedback with this reference. Check each letter and number.")
    context = {
        "form": form,
        "found": found,
        "answer": getattr(found, "answer", None),
        "crumbs": [("You said, we did", reverse("content:answer_list"))],
    }
    return render(request, "content/feedback_status.html", context, status=status)


@public_page
def answer_list(request):
    filters = forms.AnswerFilters(request.GET)
    answers = filters.applied_to(Answer.objects.select_related("feedback__source").defer("search"))
    context = {"page": paginate(request, answers, per_page=20), "form": filters}
    return render(request, "content/answer_list.html", context)
