"""What holds for every request of somebody who is logged in."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import JsonResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control

from psc_portal.accounts import second_factor, sessions, typed_text

PERMISSIONS_POLICY = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), fullscreen=(self), geolocation=(), gyroscope=(), "
    "microphone=(), midi=(), payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)"
)
# What a session that still has to set up its second factor may open: the enrolment pages, log-out, and what they need.
ENROLMENT_PAGES = {
    "accounts:second_factor_needed",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "account_reauthenticate",
    "account_logout",
    "accounts:session_seconds_left",
    "accounts:session_extend",
}
OPEN_PATHS = ("/static/", "/theme.css", "/favicon.ico")
TIMER_PAGES = {"accounts:session_seconds_left", "accounts:session_extend"}


def is_signed_in(request) -> bool:
    """Looks at the session only when the browser sent one: a visitor's page varies on nothing and can be cached."""
    return (
        settings.SESSION_COOKIE_NAME in request.COOKIES and hasattr(request, "user") and request.user.is_authenticated
    )


def log_in_and_return(path):
    return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': path})}")


class PrivatePages:
    """Pages of a signed-in person are kept by no cache; no page may use the device's sensors."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if is_signed_in(request) and not request.path.startswith(OPEN_PATHS):
            add_never_cache_headers(response)
            patch_cache_control(response, no_store=True, private=True)
        return response


class SessionLimits:
    """Ends a session that was idle or open for too long; after the next log-in its person is back where they were."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if getattr(view, "sees_no_log_in", False) or not is_signed_in(request):
            return None
        page = request.resolver_match.view_name
        if sessions.has_ended(request):
            return self._end(request, view, page)
        if page != "accounts:session_seconds_left":
            sessions.note_activity(request)
        if request.method == "POST":
            typed_text.drop_if_sent(request)
        return None

    def _end(self, request, view, page):
        if getattr(view, "answers_visitors", False):  # it keeps what was typed itself, and sends them to the log-in
            logout(request)
            return None
        kept = typed_text.read(request) if request.method == "POST" and page not in TIMER_PAGES else None
        logout(request)
        if page in TIMER_PAGES:
            return JsonResponse({"seconds_left": 0})
        if page == "account_logout":
            return redirect(settings.LOGOUT_REDIRECT_URL)
        if kept is None:
            messages.info(request, "You were logged out because your session had ended. Log in to carry on.")
            return log_in_and_return(request.get_full_path())
        typed_text.keep(request, kept)
        messages.info(request, "You were logged out because your session had ended. Log in: what you sent is kept.")
        return log_in_and_return(reverse("accounts:typed_text"))


class SecondFactorRequired:
    """Whoever needs a second factor and has not shown one in this session gets the enrolment pages and nothing else."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.path.startswith(OPEN_PATHS) or getattr(view, "sees_no_log_in", False) or not is_signed_in(request):
            return None
        if second_factor.was_shown(request) or not second_factor.is_needed_by(request.user):
            return None
        if second_factor.has_one(request.user):
            # The factor was set up in another session: this one has to show it, and only a log-in asks for it.
            logout(request)
            return log_in_and_return(request.get_full_path())
        if request.resolver_match.view_name in ENROLMENT_PAGES:
            return None
        return redirect("accounts:second_factor_needed")
