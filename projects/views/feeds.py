"""Atom feeds of what is public: of everything, of a kind, of a priority, of an organisation."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from projects.models import Organisation, Priority
from psc_portal.common.public_pages import open_page, public_page
from psc_portal.search import finding
from psc_portal.search.recent import recent

IN_FEED = 50


@require_safe
@public_page
def feed_list(request):
    """Every feed there is, for people who do not read the head of a page."""
    context = {
        "kinds": finding.kinds().items(),
        "priorities": Priority.objects.current(),
        "organisations": Organisation.objects.current(),
    }
    return render(request, "projects/feed_list.html", context)


@require_safe
@open_page
def everything(request):
    return _feed(request, "Everything new", "/")


@require_safe
@open_page
def of_kind(request, kind):
    label = finding.kinds().get(kind)
    if label is None:
        raise Http404
    return _feed(request, label, reverse("search"), kind=kind)


@require_safe
@open_page
def of_priority(request, slug):
    priority = get_object_or_404(Priority.objects.visible_to(request.user), slug=slug)
    return _feed(request, priority.title, priority.get_absolute_url(), priorities=[priority.pk])


@require_safe
@open_page
def of_organisation(request, slug):
    organisation = get_object_or_404(Organisation, slug=slug)
    page = f"{reverse('projects:project_list')}?organisation={organisation.slug}"
    return _feed(request, organisation.name, page, organisations=[organisation.pk])


def _feed(request, title, page, **what):
    """An entry keeps its id, the address of its page, and is news again when that page changes."""
    atom = Atom1Feed(
        title=f"{title}, {settings.COLLABORATIVE['name']}",
        link=settings.PORTAL_URL + page,
        description="",
        feed_url=settings.PORTAL_URL + request.path,
        language="en-GB",
        author_name=settings.COLLABORATIVE["name"],
    )
    for item in recent(limit=IN_FEED, **what):
        url = settings.PORTAL_URL + item.url
        atom.add_item(
            title=f"{item.one}: {item.title}", link=url, unique_id=url, description=item.summary,
            pubdate=item.at, updateddate=item.at,
        )  # fmt: skip
    return HttpResponse(atom.writeString("utf-8"), content_type=atom.content_type)
