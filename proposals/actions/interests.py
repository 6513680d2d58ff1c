"""Conflicts of interest: declared, recorded, inferred, overridden."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from proposals import permissions, ties
from proposals.actions.analysing import scores_changed
from proposals.actions.locking import lock_all, locked_proposal
from proposals.models import (
    Assignment,
    ConflictOfInterest,
    Proposal,
    Review,
)
from psc_portal.accounts.models import Role
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def record_conflict(*, proposal, by, user, kind, explanation) -> ConflictOfInterest:
    """Record an interest that someone has in a proposal: from now on it is hidden from that person."""
    stored = locked_proposal(proposal.pk)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if not explanation.strip():
        raise ActionRefused("Explain what the interest is: the person, and whoever may override it, will ask.")
    return _write_conflict(stored, user, kind, ConflictOfInterest.Source.RECORDED, explanation, by)


@transaction.atomic
def override_conflict(*, conflict_of_interest, by, reason) -> ConflictOfInterest:
    """Say that an interest does not stand in the way after all. The reason stays in the history."""
    locked_proposal(conflict_of_interest.proposal_id)
    conflict = ConflictOfInterest.objects.select_related("proposal", "user").get(pk=conflict_of_interest.pk)
    if conflict.user_id == by.pk or not permissions.can_handle(by, conflict.proposal):
        raise PermissionDenied
    if not reason.strip():
        raise ActionRefused("Say why this interest does not stand in the way.")
    if not conflict.is_in_force:
        raise ActionRefused("This conflict has been overridden already.")
    if Proposal.objects.of_team(conflict.user).filter(pk=conflict.proposal_id).exists():
        raise ActionRefused("This person is on the team that wrote the proposal. That cannot be overridden.")
    refuse_nhs_numbers({"Reason": reason})
    conflict.overridden_at, conflict.overridden_by, conflict.override_reason = clock.now(), by, reason.strip()
    conflict.save(update_fields=["overridden_at", "overridden_by", "override_reason"])
    audit.record("override_conflict", conflict, by=by, after=audit.snapshot(conflict, ["proposal", "user", "kind"]))
    assignment = Assignment.objects.filter(
        proposal=conflict.proposal, reviewer=conflict.user, status=Assignment.Status.CONFLICTED
    ).first()
    clear = Proposal.objects.filter(pk=conflict.proposal_id).clear_of_conflict_with(conflict.user)
    if assignment and clear.exists():  # another interest may still stand in the way
        assignment.change_status(Assignment.Status.ASSIGNED, by=by)
    return conflict


def _write_conflict(proposal, user, kind, source, explanation, by) -> ConflictOfInterest:
    """One row a person and kind. What is said again differently, or after an override, takes the place of what was
    said before, and that goes into the history."""
    refuse_nhs_numbers({"Explanation": explanation})
    conflict, is_new = ConflictOfInterest.objects.get_or_create(
        proposal=proposal,
        user=user,
        kind=kind,
        defaults={
            "source": source,
            "explanation": explanation.strip(),
            "recorded_by": by,
            "recorded_at": clock.now(),
        },
    )
    says_more = explanation.strip() not in ("", conflict.explanation)
    if not is_new and (says_more or not conflict.is_in_force):
        conflict.keep_statement()
        conflict.overridden_at, conflict.overridden_by, conflict.override_reason = None, None, ""
        conflict.source, conflict.recorded_by, conflict.recorded_at = source, by, clock.now()
        conflict.explanation = explanation.strip()
        conflict.save()
    audit.record("record_conflict", conflict, by=by, after=audit.snapshot(conflict, ["proposal", "user", "kind"]))
    _follow_up(conflict, by)
    return conflict


def _follow_up(conflict, by):
    """The assignment ends, and staff are told where a review was locked that now no longer counts."""
    assignment = Assignment.objects.filter(proposal=conflict.proposal_id, reviewer=conflict.user_id).first()
    if assignment is None or Assignment.Status.CONFLICTED not in Assignment.TRANSITIONS[assignment.status]:
        return
    assignment.change_status(Assignment.Status.CONFLICTED, by=by)
    if Review.objects.locked().filter(assignment=assignment).exists():
        scores_changed(conflict.proposal.call)
        _tell_staff(conflict)


def _tell_staff(conflict):
    proposal = Proposal.objects.select_related("call").get(pk=conflict.proposal_id)
    staff = get_user_model().objects.with_role(Role.PROGRAMME_STAFF)
    told = [one.email for one in staff if permissions.can_handle(one, proposal)]
    if told:
        outbox.send_mail(
            to=told,
            template="proposals/conflict_after_review",
            context={
                "reference": proposal.reference,
                "call": proposal.call.title,
                "reviewer": conflict.user.display_name,
                "interest": conflict.get_kind_display(),
                "url": settings.PORTAL_URL + reverse("admin:proposals_conflictofinterest_change", args=[conflict.pk]),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.conflict_after_review.{conflict.pk}.{conflict.recorded_at.timestamp()}",
        )


WATCHED = (  # statuses in which an interest can still matter
    Proposal.Status.SUBMITTED,
    Proposal.Status.IN_ASSESSMENT,
    Proposal.Status.AT_PANEL,
    Proposal.Status.RESERVE,
)


@transaction.atomic
def infer_conflicts(*, proposals, users=None) -> list[ConflictOfInterest]:
    """Record what follows from what the portal knows, once for each person, proposal and kind.

    What was declared, recorded or overridden before stays as it is; a new kind is a new conflict.

    Args:
        proposals: rows or a QuerySet of them.
        users: by default everyone who works in the admin.
    """
    if users is None:
        users = get_user_model().objects.filter(is_staff=True, is_active=True)
    proposals = list(proposals)
    known = _known(proposals)
    found = [tie for tie in ties.found(proposals, users) if tie.key not in known]
    if not found:
        return []
    lock_all({tie.proposal for tie in found})
    known = _known(proposals)  # another run may have been faster
    new = [
        ConflictOfInterest(
            proposal_id=tie.proposal,
            user_id=tie.user,
            kind=tie.kind,
            source=ConflictOfInterest.Source.INFERRED,
            explanation=tie.why,
            recorded_at=clock.now(),
        )
        for tie in found
        if tie.key not in known
    ]
    written = ConflictOfInterest.objects.bulk_create(new)
    audit.record_many(
        "infer_conflict",
        written,
        by=None,
        after=[{"proposal": one.proposal_id, "user": one.user_id, "kind": one.kind} for one in written],
    )
    _end_assignments(written)
    return written


def _known(proposals) -> set:
    return set(ConflictOfInterest.objects.filter(proposal__in=proposals).values_list("proposal_id", "user_id", "kind"))


def _end_assignments(conflicts):
    if not conflicts:
        return
    by_pair = {(one.proposal_id, one.user_id): one for one in conflicts}
    current = Assignment.objects.current().filter(
        proposal__in={one.proposal_id for one in conflicts}, reviewer__in={one.user_id for one in conflicts}
    )
    for pair in current.order_by("pk").values_list("proposal_id", "reviewer_id"):
        if pair in by_pair:
            _follow_up(by_pair[pair], None)


@transaction.atomic
def infer_all_conflicts() -> int:
    """What the daily task does: every proposal in which an interest can still matter."""
    return len(infer_conflicts(proposals=Proposal.objects.filter(status__in=WATCHED)))


@transaction.atomic
def declare_interest(*, assignment, by, has_interest, kind="", explanation="") -> Assignment:
    """A reviewer says, before any text is shown, whether there is an interest. Without one the review begins."""
    locked_proposal(assignment.proposal_id)
    stored = Assignment.objects.select_related("proposal").get(pk=assignment.pk)
    if not permissions.can_answer_assignment(by, stored):
        raise PermissionDenied
    if has_interest:
        if kind not in ConflictOfInterest.Kind.values:
            raise ActionRefused("Choose which kind of interest you have.")
        source = ConflictOfInterest.Source.DECLARED
        _write_conflict(stored.proposal, by, kind, source, explanation, by)
    else:
        infer_conflicts(proposals=[stored.proposal], users=[by])
        stored.refresh_from_db()
        if Proposal.objects.filter(pk=stored.proposal_id).clear_of_conflict_with(by).exists():
            _clear(stored, by)
    stored.refresh_from_db()
    audit.record("declare_interest", stored, by=by, after={"status": stored.status})
    return stored


def _clear(assignment, by):
    if assignment.status != Assignment.Status.CLEARED:
        assignment.change_status(Assignment.Status.CLEARED, by=by)
    Review.objects.get_or_create(
        assignment=assignment, defaults={"proposal_id": assignment.proposal_id, "reviewer_id": assignment.reviewer_id}
    )
    if Review.objects.locked().filter(assignment=assignment).exists():  # from before the interest: it counts again
        scores_changed(assignment.proposal.call)
