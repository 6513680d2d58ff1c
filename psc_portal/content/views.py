from urllib.parse import urlsplit

from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from psc_portal.common.files import attachment_response
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions, forms, permissions
from psc_portal.content.models import Answer, Document, Edition, PageVersion
from psc_portal.content.placeholders import filled_in
from psc_portal.content.prose import prose
from psc_portal.content.rate_limit import is_too_often

FEEDBACK_AN_HOUR = 10  # from one address
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
    return render(request, "content/page_detail.html", context)


@public_page
def document_list(request):
    latest = Edition.objects.out().order_by("document_id", "-number").distinct("document_id").defer("body", "search")
    documents = Document.objects.visible_to(request.user).prefetch_related(
        Prefetch("editions", queryset=latest, to_attr="latest")
    )
    return render(request, "content/document_list.html", {"page": paginate(request, documents)})


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
    if form.is_from_a_program:
        return redirect("content:feedback_thanks")  # it learns nothing
    if form.is_valid():
        if is_too_often(request, what="feedback", times=FEEDBACK_AN_HOUR, seconds=3600):
            form.add_error(
                None, "You have sent a lot of feedback in the last hour. Wait an hour, then send this again."
            )
            return _feedback_page(request, form, status=429)
        values = {name: form.cleaned_data[name] for name in ("message", "page", "name", "email")}
        try:
            actions.give_feedback(**values)
        except ActionRefused as refusal:
            form.add_error("message", str(refusal))
        else:
            return redirect("content:feedback_thanks")
    return _feedback_page(request, form)


def _page_before(request):
    """The page of this website from which the visitor came."""
    before = urlsplit(request.headers.get("Referer", ""))
    return before.path if before.netloc == request.get_host() and not before.path.startswith("/feedback/") else ""


def _feedback_page(request, form, *, status=200):
    return render(request, "content/feedback_form.html", {"form": form, "about": form["page"].value()}, status=status)


def feedback_thanks(request):
    return render(request, "content/feedback_thanks.html", {"crumbs": []})


@public_page
def answer_list(request):
    answers = Answer.objects.select_related("feedback").defer("search")
    return render(request, "content/answer_list.html", {"page": paginate(request, answers, per_page=20)})
