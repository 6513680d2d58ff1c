"""The panel: who sits on it, what it scores, and its end. What it decides is in deciding.py."""

import hashlib

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction

from proposals import permissions
from proposals.actions.locking import hold, locked_call, locked_under_call
from proposals.models import Call, Panel, PanelMember, PanelReopening, PanelScore, Proposal
from proposals.readings import minutes
from proposals.readings.letters import is_anyone_told
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.pdf import render_pdf
from psc_portal.common.refusals import ActionRefused

MAKE_MINUTES = "proposals.make_minutes"
KEPT_OF_MINUTES = ("closed_at", "closed_by", "minutes_file", "minutes_sha256", "minutes_made_at")


def _locked_panel(call) -> Panel:
    """The call is locked first, as everywhere: then a decision and the end of the panel cannot pass each other."""
    locked_call(call.pk)
    panel = hold(Panel.objects).select_related("call").filter(call=call).first()
    if panel is None:
        raise ActionRefused("There is no panel for this call yet. Set it up first.")
    return panel


def _refuse_closed(panel):
    if panel.closed_at is not None:
        raise ActionRefused(
            "The panel is closed and its minutes stand. Until a letter is released it can be reopened, with a reason."
        )


@transaction.atomic
def set_up_panel(*, call, by, held_on, chair, members, quorum) -> Panel:
    """Say who meets when to decide on a call; or change it, until the panel is closed.

    Args:
        members: users; the chair is one of them, named or not.
    """
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    stored = locked_call(call.pk)
    if stored.status not in (Call.Status.ASSESSMENT, Call.Status.PANEL):
        raise ActionRefused("A panel can be set up once the assessment has begun, and until the call is decided.")
    people = {user.pk: user for user in [*members, chair]}
    if not all(user.is_active and (user.is_programme_staff or user.is_reviewer) for user in people.values()):
        raise ActionRefused("Members of a panel are staff or reviewers. Invite the others as reviewers first.")
    if quorum < 1:
        raise ActionRefused("The quorum is at least 1.")
    if quorum > len(people):
        raise ActionRefused(
            f"The quorum is {quorum}, but there are only {len(people)} members. Add members, or lower the quorum."
        )
    panel = hold(Panel.objects).filter(call=stored).first()
    if panel is None:
        panel = Panel(call=stored, opened_at=clock.now())
    _refuse_closed(panel)
    panel.held_on, panel.chair, panel.quorum = held_on, chair, quorum
    panel.save()
    panel.members.exclude(user__in=people).delete()
    for user in people.values():
        PanelMember.objects.get_or_create(panel=panel, user=user, defaults={"is_lay": user.is_lay})
    audit.record("set_up_panel", panel, by=by, after={"members": sorted(people), "quorum": quorum})
    return panel


@transaction.atomic
def record_attendance(*, call, by, present: set[int]) -> Panel:
    """Say which members are in the meeting. Decisions that stand keep the attendance that they were made with.

    Args:
        present: primary keys of members.
    """
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    panel = _locked_panel(call)
    _refuse_closed(panel)
    for member in panel.members.all():
        if member.is_present != (member.pk in present):
            member.is_present = member.pk in present
            member.save(update_fields=["is_present"])
    audit.record("record_attendance", panel, by=by, after={"present": sorted(present)})
    return panel


@transaction.atomic
def use_weights(*, panel, by, weights, reason) -> Panel:
    """Let the panel work with another weighting than the published one, which stays beside it.

    Each decision keeps the weighting that it was made with. The published weights again: the setting is taken back.

    Args:
        weights: whole numbers by criterion code, counted in proportion.
    """
    if panel is None:
        raise ActionRefused("There is no panel for this call yet. Set it up first.")
    if not permissions.can_manage_call(by, panel.call):
        raise PermissionDenied
    panel = _locked_panel(panel.call)
    _refuse_closed(panel)
    published = {one.criterion.code: one.weight for one in panel.call.weights.select_related("criterion")}
    if weights.keys() != published.keys() or min(weights.values()) < 0 or not any(weights.values()):
        raise ActionRefused("Give each criterion a weight of 0 or more, and at least one a weight above 0.")
    is_published = weights == published
    if not is_published and not reason.strip():
        raise ActionRefused("Say why the panel uses another weighting than the published one.")
    refuse_nhs_numbers({"Reason": reason})
    panel.weights, panel.weights_reason = ({}, "") if is_published else (weights, reason.strip())
    panel.save()
    audit.record("use_weights", panel, by=by, after={"weights": panel.weights})
    return panel


@transaction.atomic
def score_at_panel(*, proposal, by, score, reason) -> PanelScore:
    """Record the score that the panel gives after discussion, beside the earlier ones. The latest holds.

    The same score and reason a second time change nothing.
    """
    stored = locked_under_call(proposal)
    if not permissions.can_handle(by, stored) or not permissions.can_discuss(by, stored):
        raise PermissionDenied
    panel = _locked_panel(stored.call)
    _refuse_closed(panel)
    if stored.call.status != Call.Status.PANEL or stored.status != Proposal.Status.AT_PANEL:
        raise ActionRefused(
            f"{stored.reference} is “{stored.get_status_display()}”. The panel scores what is at panel and not decided."
        )
    if score is None or not 0 <= score <= 5:
        raise ActionRefused("The panel’s score is a number from 0 to 5.")
    if not reason.strip():
        raise ActionRefused("Give a reason for the panel’s score.")
    refuse_nhs_numbers({"Reason": reason})
    latest = stored.panel_scores.last()
    if latest is not None and (latest.score, latest.reason) == (score, reason.strip()):
        return latest
    found = PanelScore.objects.create(proposal=stored, score=score, reason=reason.strip(), by=by, at=clock.now())
    audit.record("score_at_panel", stored, by=by, after={"score": str(score)})
    return found


# The end --------------------------------------------------------------------------------------------------------------
@transaction.atomic
def close_panel(*, call, by) -> Panel:
    """End the panel once every item is decided. Its minutes are made by a job."""
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    panel = _locked_panel(call)
    _refuse_closed(panel)
    if panel.call.status != Call.Status.PANEL:
        raise ActionRefused("The call is not at panel yet. Move it to panel first.")
    open_items = panel.call.proposals.filter(status=Proposal.Status.AT_PANEL).count()
    if open_items:
        left = "1 proposal has" if open_items == 1 else f"{open_items} proposals have"
        raise ActionRefused(f"{left} no decision yet. Decide on each first, if only to put it on the reserve list.")
    panel.closed_at, panel.closed_by = clock.now(), by
    panel.save()
    outbox.enqueue(MAKE_MINUTES, panel.pk)
    audit.record("close_panel", panel, by=by)
    return panel


@transaction.atomic
def reopen_panel(*, call, by, reason) -> Panel:
    """Open a closed panel again. Its minutes are kept as an earlier version; closing it makes new ones.

    What it decided stays decided: date, members, attendance and weighting can be put right.
    """
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    panel = _locked_panel(call)
    if panel.closed_at is None:
        raise ActionRefused("The panel is open. There is nothing to reopen.")
    if panel.call.status != Call.Status.PANEL or is_anyone_told(panel.call):
        raise ActionRefused("A letter of this call has been released: what the panel decided is told, and stands.")
    if not reason.strip():
        raise ActionRefused("Say why the panel is reopened.")
    refuse_nhs_numbers({"Reason": reason})
    found = PanelReopening.objects.create(
        panel=panel,
        reason=reason.strip(),
        by=by,
        at=clock.now(),
        **{name: getattr(panel, name) for name in KEPT_OF_MINUTES},
    )
    panel.closed_at = panel.closed_by = panel.minutes_made_at = None
    panel.minutes_file = panel.minutes_sha256 = ""
    panel.save()
    audit.record("reopen_panel", panel, by=by, before={"minutes_sha256": found.minutes_sha256})
    return panel


def make_minutes(*, panel) -> Panel:
    """Make the minutes of a closed panel as a PDF, once. May be called again: what is made stays as it is."""
    if panel.closed_at is None or panel.minutes_made_at is not None:
        return panel
    pdf = render_pdf(minutes.html(panel), stylesheets=("report.css", "minutes.css"))
    with transaction.atomic():
        stored = hold(Panel.objects).get(pk=panel.pk)
        if stored.minutes_made_at is not None or stored.closed_at != panel.closed_at:  # or reopened meanwhile
            return stored
        stored.minutes_file.save("minutes.pdf", ContentFile(pdf.content), save=False)
        stored.minutes_sha256 = hashlib.sha256(pdf.content).hexdigest()
        stored.minutes_made_at = clock.now()
        stored.save()
        audit.record("make_minutes", stored, by=None, after={"sha256": stored.minutes_sha256})
    return stored


def sweep_minutes() -> int:
    """Make the minutes that a crash left unmade. Returns how many were asked for again."""
    waiting = Panel.objects.filter(closed_at__isnull=False, minutes_made_at__isnull=True)
    for panel in waiting:
        outbox.enqueue(MAKE_MINUTES, panel.pk)
    return len(waiting)
