import re

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from psc_portal.accounts import actions, forms, second_factor, sessions, typed_text
from psc_portal.common import registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.pagination import paginate
from psc_portal.common.refusals import ActionRefused

LINK = re.compile(r"(https?://\S+)")


@login_required
def my(request):
    """What waits for this person, by section; the most urgent first."""
    items = sorted(registry.waiting.collect(request.user), key=lambda item: (item.due is None, item.due, item.title))
    sections = {}
    for item in items:
        sections.setdefault(item.section or "Waiting for you", []).append(item)
    return render(request, "accounts/my.html", {"sections": list(sections.items())})


@never_cache
@require_GET
def session_seconds_left(request):
    """Asking does not make the session longer."""
    seconds = max(sessions.seconds_left(request), 0) if request.user.is_authenticated else 0
    return JsonResponse({"seconds_left": seconds})


@never_cache
@require_POST
def session_extend(request):
    if not request.user.is_authenticated:
        return JsonResponse({"seconds_left": 0}, status=403)
    sessions.note_activity(request, now=True)
    return JsonResponse({"seconds_left": sessions.seconds_left(request)})


@login_required
def second_factor_needed(request):
    """Where somebody lands who has to set up a second factor before anything else."""
    if second_factor.was_shown(request) or not second_factor.is_needed_by(request.user):
        return redirect("my")
    return render(request, "accounts/second_factor_needed.html")


@never_cache
def invitation(request, token):
    """The link of an invitation: a new reviewer chooses a password, somebody with an account only confirms."""
    found = actions.find_invitation(token)
    if found and found.accepted_at and request.user == found.accepted_by:
        return redirect("my")  # the second of two clicks
    if refusal := actions.refusal_of(found):
        return render(request, "accounts/invitation_refused.html", {"refusal": refusal}, status=410 if found else 404)
    account = actions.account_of(found)
    if account:
        return _invitation_of_account(request, found, account)
    form = forms.AcceptInvitation(request.POST or None, invitation=found)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(invitation=found, password=form.cleaned_data["password1"])
        except ActionRefused:
            return redirect(request.path)  # opened twice: the page says what became of it
        record_authentication(request, user, method="password", email=user.email)
        return perform_login(request, Login(user=user, email=user.email, redirect_url=reverse("my")))
    rows = [
        {"key": {"text": "Your name"}, "value": {"text": found.full_name}},
        {"key": {"text": "Email address"}, "value": {"text": found.email}},
    ]
    context = {"form": form, "heading": "Accept your invitation", "invitation": found, "rows": rows}
    return render(request, "accounts/invitation_accept.html", context)


def _invitation_of_account(request, found, account):
    if request.user != account:
        return render(request, "accounts/invitation_log_in.html", {"invitation": found})
    if request.method == "POST":
        try:
            actions.accept_invitation(invitation=found, by=request.user)
        except ActionRefused:
            return redirect(request.path)
        messages.success(request, "You are a reviewer now")
        return redirect("my")
    return render(request, "accounts/invitation_confirm.html", {"invitation": found})


@login_required
@never_cache
def typed_text_waiting(request):
    """What somebody sent after their session had ended: to send again, or to throw away."""
    kept = typed_text.waiting_for(request)
    if kept is None:
        return redirect("my")
    if request.method == "POST":
        typed_text.drop(request)
        return redirect(kept.path)
    shown = [(name.replace("_", " ").capitalize(), value) for name, value in kept.fields if value.strip()]
    return render(request, "accounts/typed_text.html", {"kept": kept, "shown": shown})


def mailbox(request):
    """What the outbox sent, for demonstrations and development: elsewhere there is no such page."""
    if not (settings.DEMO or settings.DEBUG):
        raise Http404
    mails = OutboxMessage.objects.filter(kind=OutboxMessage.Kind.MAIL).order_by("-pk").defer("body")
    if to := request.GET.get("to", "").strip().lower():
        mails = mails.filter(to__contains=[to])
    return render(request, "accounts/mailbox.html", {"page": paginate(request, mails, per_page=25), "to": to})


def mailbox_message(request, pk):
    if not (settings.DEMO or settings.DEBUG):
        raise Http404
    mail = get_object_or_404(OutboxMessage, kind=OutboxMessage.Kind.MAIL, pk=pk)
    crumbs = [("Mailbox of the demonstration", reverse("accounts:mailbox"))]
    lines = [[(part, part.startswith("http")) for part in LINK.split(line)] for line in mail.body.splitlines()]
    return render(request, "accounts/mailbox_message.html", {"mail": mail, "lines": lines, "crumbs": crumbs})
