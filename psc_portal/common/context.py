from django.conf import settings

from psc_portal.common.demonstration import SENTENCE, is_demonstration


def portal(request):
    """What every page needs: whose portal this is, and whether its data is for demonstration."""
    return {
        "collaborative": settings.COLLABORATIVE,
        "licence": settings.OPEN_DATA_LICENCE,
        "theme": settings.THEME,
        "is_demonstration": is_demonstration(),
        "demonstration_sentence": SENTENCE,
        "is_demo": settings.DEMO,
        "portal_url": settings.PORTAL_URL,
        "canonical_url": canonical_url(request),
    }


def canonical_url(request) -> str:
    """The page's one address: filters and orders are views of the same list; a further page of it is not."""
    page = request.GET.get("page", "")
    number = f"?page={int(page)}" if page.isascii() and page.isdigit() and int(page[:6]) > 1 else ""
    return f"{settings.PORTAL_URL}{request.path}{number if len(page) <= 6 else ''}"
