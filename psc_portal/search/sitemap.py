"""For search engines: where the public pages are, and where they need not look."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from psc_portal.common import registry
from psc_portal.common.public_pages import public_page
from psc_portal.search import recent

IN_ONE = 10_000  # addresses of one file; the protocol allows 50,000
LISTS = [
    "home",
    "thread",
    "projects:priority_list",
    "projects:project_list",
    "projects:event_list",
    "projects:learning_list",
    "projects:consultation_list",
    "proposals:call_list",
    "measurement:metric_list",
    "pledges:wall",
    "annual_report:report_list",
    "content:document_list",
    "content:answer_list",
    "data",
]
KEPT_OUT = ["/accounts/", "/admin/", "/my/", "/proposals/", "/search/", "/subscriptions/", "/demo/"]


def _addresses() -> list[tuple[str, object]]:
    lists = []
    for name in LISTS:
        try:
            lists.append((reverse(name), None))
        except NoReverseMatch:
            continue
    lists += [(reverse("data_set", args=[dataset.name]), None) for dataset in registry.datasets]
    listed = {url for url, _at in lists}
    return lists + [(url, at) for url, at in recent.addresses() if url not in listed]


@require_safe
@public_page
def sitemap(request):
    """All addresses; where there are very many, the parts that hold them."""
    found = _addresses()
    parts = range(1, (len(found) - 1) // IN_ONE + 2)
    text = request.GET.get("part", "")
    part = int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) in parts else None
    is_index = part is None and len(parts) > 1
    rows = found if part is None else found[(part - 1) * IN_ONE : part * IN_ONE]
    context = {"portal_url": settings.PORTAL_URL, "parts": parts if is_index else [], "rows": [] if is_index else rows}
    return render(request, "search/sitemap.xml", context, content_type="application/xml")


@require_safe
@public_page
def robots(request):
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in KEPT_OUT),
        "",
        f"Sitemap: {settings.PORTAL_URL}/sitemap.xml",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
