from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from psc_portal.common.public_pages import public_page
from psc_portal.search import finding
from psc_portal.search.query import clean

LAST_PAGE = 50


@require_safe
@public_page
def search(request):
    """One page of what was found; the filter says how much there is of each kind."""
    text = clean(request.GET.get("q", ""))
    kind = request.GET.get("kind", "")[:20]
    number = _page_number(request)
    found = finding.search(text, user=request.user, kind=kind, page=number)
    page = Paginator(range(found.shown), finding.A_PAGE).get_page(number)
    if found.shown and not found.hits:  # beyond the last page
        found = finding.search(text, user=request.user, kind=kind, page=page.number)
    chosen = {"q": text} | ({"kind": found.kind} if found.kind else {})
    context = {
        "query": text,
        "found": found,
        "page": page,
        "page_query": urlencode(chosen),
        "kinds": [label.replace("You said, we did", "answers to feedback") for label in finding.kinds().values()],
        "kind_label": finding.kinds().get(found.kind, ""),
        "filters": _filters(text, found),
        "asked_in_quotes": [(term, f"?{urlencode({'q': f'"{term}"'})}") for term in found.asked.others],
        "instead_url": f"?{urlencode({'q': found.instead})}",
    }
    return render(request, "search.html", context)


def _page_number(request) -> int:
    text = request.GET.get("page", "1")
    return min(int(text), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1


def _filters(text: str, found) -> list[tuple[str, int, str, bool]]:
    """All, then each kind of which something was found: label, count, address and whether it is shown."""
    all_kinds = [("All", found.total, f"?{urlencode({'q': text})}", not found.kind)]
    return all_kinds + [
        (label, found.counts[kind], f"?{urlencode({'q': text, 'kind': kind})}", kind == found.kind)
        for kind, label in finding.kinds().items()
        if kind in found.counts
    ]
