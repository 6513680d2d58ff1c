"""Text that arrives when its writer is no longer logged in: kept on the server until they are.

It waits in the anonymous session of that browser, for one page, for a day. The page shows it only to somebody who may
write the proposal; nothing is kept for a proposal that there is not, so nobody can fill the sessions with it.
"""

from functools import wraps

from django.contrib import messages
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from proposals.models import Proposal
from psc_portal.accounts.middleware import log_in_and_return
from psc_portal.common import clock

KEY = "proposals_typed"
MOST_CHARACTERS = 500_000
KEPT_FOR = 24 * 60 * 60


def log_in_and_keep_text(view):
    """As `login_required`, but what a form sent is on the page again after the log-in."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST":
            keep(request, request.path, Proposal.objects.filter(public_id=kwargs["public_id"]))
        return log_in_and_return(request.get_full_path())

    guarded.answers_visitors = True  # SessionLimits leaves a POST whose session has just ended to us
    return guarded


def keep(request, path, proposals) -> None:
    """Keep what was sent for the page at `path`; `proposals` holds the one that it belongs to, if there is one."""
    fields = request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    typed = fields.urlencode()
    if not typed or len(typed) > MOST_CHARACTERS or not proposals.exists():
        return
    request.session[KEY] = [path, typed, clock.now().isoformat()]
    request.session.set_expiry(KEPT_FOR)  # the log-in sets its own again
    messages.info(request, "You were logged out. Log in: what you typed is kept.")


def take(request) -> QueryDict | None:
    """What was typed on this page before the log-out, once: it is on the page now, and the page saves it."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    path, typed, at = kept
    is_old = (clock.now() - parse_datetime(at)).total_seconds() > KEPT_FOR
    if path != request.path and not is_old:
        return None
    del request.session[KEY]
    return None if is_old else QueryDict(typed)
