"""Conflicts of interest: declared, recorded, inferred, overridden."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions
from proposals.actions.screening import locked
from proposals.models import (
    Assignment,
    ConflictOfInterest,
    Proposal,
    Review,
)
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def record_conflict(*, proposal, by, user, kind, explanation="") -> ConflictOfInterest:
    """Record an interest that someone has in a proposal: from now on it is hidden from that person."""
    stored = locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    return _write_conflict(stored, user, kind, ConflictOfInterest.Source.RECORDED, explanation, by)


@transaction.atomic
def override_conflict(*, conflict_of_interest, by, reason) -> ConflictOfInterest:
    """Say that an interest does not stand in the way after all. The reason stays in the history."""
    conflict = ConflictOfInterest.objects.select_for_update(of=["self"]).get(pk=conflict_of_interest.pk)
    if conflict.user_id == by.pk or not permissions.can_handle(by, conflict.proposal):
        raise PermissionDenied
    if not reason.strip():
        raise ActionRefused("Say why this interest does not stand in the way.")
    if not conflict.is_in_force:
        raise ActionRefused("This conflict has been overridden already.")
    conflict.overridden_at, conflict.overridden_by, conflict.override_reason = clock.now(), by, reason.strip()
    conflict.save(update_fields=["overridden_at", "overridden_by", "override_reason"])
    audit.record("override_conflict", conflict, by=by, after=audit.snapshot(conflict, ["proposal", "user", "kind"]))
    assignment = Assignment.objects.filter(
        proposal=conflict.proposal, reviewer=conflict.user, status=Assignment.Status.CONFLICTED
    ).first()
    if assignment:
        assignment.change_status(Assignment.Status.ASSIGNED, by=by)
    return conflict


def _write_conflict(proposal, user, kind, source, explanation, by) -> ConflictOfInterest:
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
    if not is_new and not conflict.is_in_force:
        conflict.overridden_at, conflict.overridden_by, conflict.override_reason = None, None, ""
        conflict.source, conflict.recorded_by, conflict.recorded_at = source, by, clock.now()
        conflict.explanation = explanation.strip()
        conflict.save()
    audit.record("record_conflict", conflict, by=by, after=audit.snapshot(conflict, ["proposal", "user", "kind"]))
    assignment = Assignment.objects.filter(proposal=proposal, reviewer=user).first()
    if assignment and Assignment.Status.CONFLICTED in Assignment.TRANSITIONS[assignment.status]:
        assignment.change_status(Assignment.Status.CONFLICTED, by=by)
    return conflict


@transaction.atomic
def declare_interest(*, assignment, by, has_interest, kind="", explanation="") -> Assignment:
    """A reviewer says, before any text is shown, whether there is an interest. Without one the review begins."""
    stored = Assignment.objects.select_for_update(of=["self"]).select_related("proposal").get(pk=assignment.pk)
    if not permissions.can_answer_assignment(by, stored):
        raise PermissionDenied
    if has_interest:
        if kind not in ConflictOfInterest.Kind.values:
            raise ActionRefused("Choose which kind of interest you have.")
        source = ConflictOfInterest.Source.DECLARED
        _write_conflict(stored.proposal, by, kind, source, explanation, by)
    elif not Proposal.objects.filter(pk=stored.proposal_id).clear_of_conflict_with(by).exists():
        kind, source = ConflictOfInterest.Kind.SAME_ORGANISATION, ConflictOfInterest.Source.INFERRED
        _write_conflict(stored.proposal, by, kind, source, "", None)
    else:
        if stored.status != Assignment.Status.CLEARED:
            stored.change_status(Assignment.Status.CLEARED, by=by)
        Review.objects.get_or_create(
            assignment=stored, defaults={"proposal_id": stored.proposal_id, "reviewer_id": stored.reviewer_id}
        )
    stored.refresh_from_db()
    audit.record("declare_interest", stored, by=by, after={"status": stored.status})
    return stored
