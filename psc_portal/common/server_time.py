"""The server's clock, for countdowns: a visitor's own clock may be wrong."""

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from psc_portal.common import clock


@never_cache
@require_safe
def clock_now(request):
    """Milliseconds since 1970. Asks nothing of the database or of who is asking."""
    return JsonResponse({"now": int(clock.now().timestamp() * 1000)})
