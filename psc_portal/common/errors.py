"""Pages for what went wrong, each with a way on. The 500 and 503 pages need neither database nor context."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.csrf import requires_csrf_token


@requires_csrf_token
def bad_request(request, exception=None):
    return render(request, "400.html", status=400)


@requires_csrf_token
def permission_denied(request, exception=None):
    return render(request, "403.html", status=403)


@requires_csrf_token
def page_not_found(request, exception=None):
    return render(request, "404.html", status=404)


def too_many_requests(request, exception=None):
    return render(request, "429.html", status=429)


def server_error(request):
    return _bare("500.html", 500)


def maintenance(request):
    answer = _bare("503.html", 503)
    answer["Retry-After"] = "600"
    return answer


def csrf_failure(request, reason=""):
    """A form came without its security cookie: nothing was changed, and going back brings the typed text again."""
    return render(request, "403_csrf.html", status=403)


def _bare(template, status):
    return HttpResponse(get_template(template).render({"collaborative": settings.COLLABORATIVE}), status=status)
