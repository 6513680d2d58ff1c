"""Pages that compose several apps: home, search, the whole thread."""

from django.shortcuts import render

from projects.models import Priority
from psc_portal.common import registry


def home(request):
    return render(request, "home.html", {"priorities": Priority.objects.current()})


def search(request):
    query = request.GET.get("q", "").replace("\0", "").strip()[:200]
    hits = (
        sorted(registry.search.collect(query, user=request.user, limit=20), key=lambda hit: -hit.rank) if query else []
    )
    return render(request, "search.html", {"query": query, "hits": hits})


def thread(request):
    return render(request, "thread.html", {"priorities": Priority.objects.current()})
