"""Screening, conflicts of interest, and reviews."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from proposals import permissions, scoring
from proposals.models import (
    Assignment,
    Call,
    ConflictOfInterest,
    Proposal,
    Review,
    ReviewUnlock,
    Score,
    Screening,
)
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


def _locked(proposal) -> Proposal:
    return Proposal.objects.locked().get(pk=proposal.pk)


# Screening ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def screen_proposal(*, proposal, by, is_eligible, reason="") -> Screening:
    """Say whether a submitted proposal is eligible. If not, the applicant is told why and what to do."""
    stored = _locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    reason = reason.strip()
    if not is_eligible and not reason:
        raise ActionRefused("Say which rule the proposal does not meet, and what the applicant can do.")
    refuse_nhs_numbers({"Reason": reason})
    if is_eligible and stored.call.status not in (Call.Status.PUBLISHED, Call.Status.ASSESSMENT):
        raise ActionRefused("The panel has begun. A proposal can no longer join the assessment of this call.")
    to = Proposal.Status.IN_ASSESSMENT if is_eligible else Proposal.Status.INELIGIBLE
    stored.change_status(to, by=by)
    screening = Screening.objects.create(
        proposal=stored, is_eligible=is_eligible, reason=reason, screened_by=by, screened_at=clock.now()
    )
    audit.record("screen_proposal", stored, by=by, after={"is_eligible": is_eligible})
    if not is_eligible:
        outbox.send_mail(
            to=[stored.applicant.email],
            template="proposals/ineligible",
            context=_about(stored) | {"reason": reason},
            key=f"proposals.ineligible.{screening.pk}",
        )
    return screening


def _about(proposal) -> dict:
    return {
        "name": proposal.applicant.display_name,
        "reference": proposal.reference,
        "title": proposal.title,
        "call": proposal.call.title,
        "url": settings.PORTAL_URL + proposal.get_absolute_url(),
        "collaborative": settings.COLLABORATIVE,
    }


# Conflicts of interest ------------------------------------------------------------------------------------------------
@transaction.atomic
def record_conflict(*, proposal, by, user, kind, explanation="") -> ConflictOfInterest:
    """Record an interest that someone has in a proposal: from now on it is hidden from that person."""
    stored = _locked(proposal)
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


# Assignment -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def assign_reviewers(*, proposal, by, reviewers, due_on=None, accept_fewer=False) -> list[Assignment]:
    """Give an eligible proposal to reviewers, who are asked to declare their interests first.

    Raises:
        ActionRefused: one of them has an interest (also when only inferred), or the call wants more reviewers.
    """
    stored = _locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.status != Proposal.Status.IN_ASSESSMENT:
        raise ActionRefused("Reviewers can be assigned once a proposal is screened as eligible, and until the panel.")
    if due_on and due_on < clock.today():
        raise ActionRefused("Choose a date for the reviews that is still to come.")
    for reviewer in reviewers:
        if not permissions.can_be_reviewer_of(reviewer, stored):
            raise ActionRefused(
                f"{reviewer.display_name} cannot review this proposal: not a reviewer, or with a conflict of interest. "
                "Choose someone else."
            )
    assigned = [_assign(stored, reviewer, due_on, by) for reviewer in reviewers]
    _refuse_too_few(stored, accept_fewer)
    return assigned


def _assign(proposal, reviewer, due_on, by) -> Assignment:
    assignment, is_new = Assignment.objects.get_or_create(
        proposal=proposal, reviewer=reviewer, defaults={"is_lay": reviewer.is_lay, "due_on": due_on}
    )
    if not is_new:
        assignment.change_status(Assignment.Status.ASSIGNED, by=by)
        assignment.due_on = due_on
        assignment.save(update_fields=["due_on"])
    audit.record("assign_reviewer", assignment, by=by, after=audit.snapshot(assignment, ["proposal", "reviewer"]))
    times = assignment.status_changes.count()
    outbox.send_mail(
        to=[reviewer.email],
        template="proposals/assigned",
        context={
            "name": reviewer.display_name,
            "reference": proposal.reference,
            "call": proposal.call.title,
            "due_on": due_on,
            "url": settings.PORTAL_URL + reverse("admin:proposals_assignment_change", args=[assignment.pk]),
            "collaborative": settings.COLLABORATIVE,
        },
        key=f"proposals.assigned.{assignment.pk}.{times}",
    )
    return assignment


def _refuse_too_few(proposal, accept_fewer):
    if accept_fewer:
        return
    current = proposal.assignments.current()
    reviews, lay = current.count(), current.filter(is_lay=True).count()
    call = proposal.call
    if reviews < call.reviews_wanted or lay < call.lay_reviews_wanted:
        raise ActionRefused(
            f"This call wants {call.reviews_wanted} reviews of each proposal, {call.lay_reviews_wanted} of them lay. "
            f"With this there would be {reviews}, {lay} of them lay. Choose more reviewers, or tick the box to "
            "assign fewer for now."
        )


@transaction.atomic
def take_back_assignment(*, assignment, by) -> Assignment:
    stored = Assignment.objects.select_for_update(of=["self"]).select_related("proposal").get(pk=assignment.pk)
    if not permissions.can_handle_assignment(by, stored):
        raise PermissionDenied
    if Review.objects.locked().filter(assignment=stored).exists():
        raise ActionRefused("This review is locked. Unlock it first if it must not count.")
    stored.change_status(Assignment.Status.REMOVED, by=by)
    audit.record("take_back_assignment", stored, by=by)
    return stored


@transaction.atomic
def decline_assignment(*, assignment, by, reason) -> Assignment:
    """A reviewer says no; staff see the reason and ask someone else."""
    stored = Assignment.objects.select_for_update(of=["self"]).select_related("proposal").get(pk=assignment.pk)
    if not permissions.can_answer_assignment(by, stored):
        raise PermissionDenied
    if not reason.strip():
        raise ActionRefused("Say why you decline, so that we can ask someone else.")
    if Review.objects.locked().filter(assignment=stored).exists():
        raise ActionRefused("Your review is locked already. Unlock it first if you want to decline.")
    refuse_nhs_numbers({"Reason": reason})
    stored.decline_reason = reason.strip()
    stored.save(update_fields=["decline_reason"])
    stored.change_status(Assignment.Status.DECLINED, by=by)
    audit.record("decline_assignment", stored, by=by)
    return stored


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


@transaction.atomic
def send_to_panel(*, proposal, by, accept_fewer_reviews=False) -> Proposal:
    """End the reviewing of one proposal ahead of the others: its reviews can no longer be written or unlocked."""
    stored = _locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.call.status not in (Call.Status.ASSESSMENT, Call.Status.PANEL):
        raise ActionRefused("Start the assessment of the call first.")
    reviews, wanted = Review.objects.counted().filter(proposal=stored).count(), stored.call.reviews_wanted
    if reviews < wanted and not accept_fewer_reviews:
        raise ActionRefused(
            f"{reviews} of {wanted} reviews are locked. Wait for the others, or tick the box to go on with fewer."
        )
    stored.change_status(Proposal.Status.AT_PANEL, by=by)
    audit.record("send_to_panel", stored, by=by, after={"reviews": reviews})
    return stored


# Reviews --------------------------------------------------------------------------------------------------------------
def _locked_review(review) -> Review:
    return (
        Review.objects.select_for_update(of=["self"]).select_related("proposal__call", "assignment").get(pk=review.pk)
    )


def _refuse_not_writing(by, review):
    if not permissions.can_write_review(by, review):
        raise PermissionDenied
    if review.is_locked:
        raise ActionRefused("This review is locked. Unlock it first to change it.")
    if review.proposal.status != Proposal.Status.IN_ASSESSMENT:
        raise ActionRefused("The assessment of this proposal is over. A review can no longer be written.")


@transaction.atomic
def save_review(*, review, by, scores, comment, version) -> Review:
    """Keep scores and reasons as far as they are written.

    Args:
        scores: by criterion id: (0 to 5 or None, is not applicable, reason).
        version: the version that the page was opened with.
    """
    stored = _locked_review(review)
    _refuse_not_writing(by, stored)
    if version != stored.version:
        raise ActionRefused(
            "This review was saved in another window since you opened this page. What was saved there stands beside "
            "your text below: put together what you want to keep, then save again."
        )
    weights = stored.proposal.call.weight_by_criterion()
    refuse_nhs_numbers(
        {"Comment to the panel": comment}
        | {f"Reason {number}": reason for number, (_value, _na, reason) in enumerate(scores.values(), 1)}
    )
    for criterion, (value, is_not_applicable, reason) in scores.items():
        if criterion not in weights:
            continue
        Score.objects.update_or_create(
            review=stored,
            criterion_id=criterion,
            defaults={
                "value": None if is_not_applicable else value,
                "is_not_applicable": is_not_applicable,
                "reason": reason.strip(),
            },
        )
    stored.total = scoring.weighted_mean({score.criterion_id: score.value for score in stored.scores.all()}, weights)
    stored.comment = comment.strip()
    stored.version += 1
    stored.saved_at = clock.now()
    stored.save()
    review.version = stored.version
    return stored


@transaction.atomic
def lock_review(*, review, by) -> Review:
    """Lock a review whose every criterion has a score, or is not applicable, and a reason."""
    stored = _locked_review(review)
    _refuse_not_writing(by, stored)
    complete = {score.criterion_id for score in stored.scores.all() if score.is_complete}
    missing = [
        str(weight.criterion)
        for weight in stored.proposal.call.weights.select_related("criterion")
        if weight.criterion_id not in complete
    ]
    if missing:
        raise ActionRefused(
            f"Your review is saved but not locked. Give a score and a reason for: {'; '.join(missing)}."
        )
    stored.locked_at = clock.now()
    stored.is_changed_after_seeing_others = stored.others_seen_at is not None
    stored.save(update_fields=["locked_at", "is_changed_after_seeing_others"])
    stored.change_status(Review.Status.LOCKED, by=by)
    audit.record("lock_review", stored, by=by, after=audit.snapshot(stored, ["total", "status"]))
    return stored


def write_review(*, review, by, scores, comment, version, lock=False) -> Review:
    """Save, then lock if asked: what was typed stays saved where the lock is refused."""
    saved = save_review(review=review, by=by, scores=scores, comment=comment, version=version)
    return lock_review(review=saved, by=by) if lock else saved


@transaction.atomic
def show_other_reviews(*, review, by) -> Review:
    """Show a reviewer who has locked their own review what the others wrote. From then on only staff can unlock it."""
    stored = _locked_review(review)
    if not permissions.can_write_review(by, stored):
        raise PermissionDenied
    if not stored.is_locked:
        raise ActionRefused("Lock your own review first: then you can read the others.")
    if stored.others_seen_at is None:
        stored.others_seen_at = clock.now()
        stored.save(update_fields=["others_seen_at"])
        audit.record("show_other_reviews", stored, by=by)
    return stored


@transaction.atomic
def unlock_review(*, review, by, reason="") -> Review:
    """Open a locked review again and keep the scores as they were locked.

    The reviewer can, until the others' scores were shown to them or the panel has begun; after that staff only, with a
    reason, and once it is locked again it is marked as changed after seeing others.
    """
    stored = _locked_review(review)
    if not permissions.can_unlock_review(by, stored):
        raise PermissionDenied
    is_own = stored.reviewer_id == by.pk
    if not is_own and not reason.strip():
        raise ActionRefused("Say why this review is opened again.")
    if stored.proposal.status != Proposal.Status.IN_ASSESSMENT:
        raise ActionRefused("The panel has begun. Reviews can no longer be unlocked.")
    if not stored.is_locked:
        raise ActionRefused("This review is not locked.")
    refuse_nhs_numbers({"Reason": reason})
    ReviewUnlock.objects.create(
        review=stored,
        unlocked_by=by,
        unlocked_at=clock.now(),
        reason=reason.strip(),
        after_seeing_others=stored.others_seen_at is not None,
        locked_at=stored.locked_at,
        total=stored.total,
        scores=[
            {
                "criterion": score.criterion_id,
                "value": score.value,
                "is_not_applicable": score.is_not_applicable,
                "reason": score.reason,
            }
            for score in stored.scores.all()
        ],
    )
    stored.change_status(Review.Status.DRAFT, by=by)
    stored.locked_at = None
    stored.save(update_fields=["locked_at"])
    audit.record("unlock_review", stored, by=by, after={"after_seeing_others": stored.others_seen_at is not None})
    return stored
