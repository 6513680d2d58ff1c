from django.conf import settings

from psc_portal.common.demonstration import SENTENCE, is_demonstration


def portal(request):
    """What every page needs: whose portal this is, and whether its data is for demonstration."""
    return {
        "collaborative": settings.COLLABORATIVE,
        "is_demonstration": is_demonstration(),
        "demonstration_sentence": SENTENCE,
        "is_demo": settings.DEMO,
    }
