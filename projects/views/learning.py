"""The best-practice library and the offers of the collaborative."""

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from projects import forms
from projects.models import LearningResource, Offer, Priority, Project
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.content.models import Document
from psc_portal.content.prose import prose

RESOURCES_A_PAGE = 20
LIBRARY = "Learning"


def crumbs(*more):
    return [(LIBRARY, reverse("projects:learning_list")), *more]


@public_page
def learning_list(request):
    visible = LearningResource.objects.visible_to(request.user)
    filters = forms.LearningFilters(request.GET)
    resources = filters.applied_to(visible).defer("body", "search").prefetch_related("topics")
    context = {
        "page": paginate(request, resources, per_page=RESOURCES_A_PAGE),
        "form": filters,
        "lesson": None if filters.chosen else LearningResource.objects.out().lessons().first(),
        "offers": [] if filters.chosen else Offer.objects.filter(is_public=True).open()[:3],
    }
    return render(request, "projects/learning_list.html", context)


@public_page
def learning_detail(request, slug):
    rows = LearningResource.objects.visible_to(request.user).prefetch_related(
        "topics",
        Prefetch("projects", Project.objects.visible_to(request.user)),
        Prefetch("priorities", Priority.objects.visible_to(request.user)),
        Prefetch("document", Document.objects.visible_to(request.user)),
    )
    resource = get_object_or_404(rows, slug=slug)
    context = {"resource": resource, "body": prose(resource.body), "crumbs": crumbs()}
    return render(request, "projects/learning_detail.html", context)


@public_page
def offer_list(request):
    visible = Offer.objects.visible_to(request.user).defer("body", "how_to_apply", "search")
    context = {
        "open_offers": visible.open(),
        "page": paginate(request, visible.exclude(pk__in=Offer.objects.open().values("pk"))),
        "crumbs": crumbs(),
    }
    return render(request, "projects/offer_list.html", context)


@public_page
def offer_detail(request, slug):
    rows = Offer.objects.visible_to(request.user)
    offer = get_object_or_404(
        rows.prefetch_related(Prefetch("priorities", Priority.objects.visible_to(request.user))), slug=slug
    )
    context = {
        "offer": offer,
        "body": prose(offer.body),
        "how_to_apply": prose(offer.how_to_apply),
        "crumbs": crumbs(("Offers", reverse("projects:offer_list"))),
    }
    return render(request, "projects/offer_detail.html", context)
