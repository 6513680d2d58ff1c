"""Pages that compose several apps: home and search."""

from django.shortcuts import render

from projects.models import Priority
from proposals.models import Call
from psc_portal.annual_report.models import AnnualReport
from psc_portal.common import clock, registry
from psc_portal.common.public_pages import public_page

HITS_A_KIND = 10
SEARCH_KINDS = {kind: many for kind, (_one, many) in registry.KINDS.items()} | {
    "organisation": "Organisations",
    "page": "Pages",
    "document": "Documents",
    "answer": "You said, we did",
}


@public_page
def home(request):
    now = clock.now()
    priorities = list(Priority.objects.current())
    return render(
        request,
        "home.html",
        {
            "must_do_topics": [priority for priority in priorities if priority.is_must_do],
            "local_priorities": [priority for priority in priorities if not priority.is_must_do],
            "open_calls": Call.objects.open_at(now).order_by("closes_at"),
            "next_call": Call.objects.upcoming_at(now).order_by("opens_at").first(),
            "report": AnnualReport.objects.published().order_by("-year_start").first(),
        },
    )


@public_page
def search(request):
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:200]
    hits = registry.search.collect(query, user=request.user, limit=HITS_A_KIND) if query else []
    groups = {}
    for hit in sorted(hits, key=lambda hit: -hit.rank):
        groups.setdefault(hit.kind, []).append(hit)
    context = {
        "query": query,
        "count": len(hits),
        "groups": [(SEARCH_KINDS.get(kind, kind.capitalize()), found) for kind, found in groups.items()],
        "is_cut": any(len(found) >= HITS_A_KIND for found in groups.values()),
    }
    return render(request, "search.html", context)
