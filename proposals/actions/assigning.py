"""Who reviews what."""

import datetime as dt
from collections import defaultdict

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from proposals import permissions, readings
from proposals.actions.interests import infer_conflicts
from proposals.actions.locking import hold, locked_call, locked_proposal, locked_under_call
from proposals.models import (
    Assignment,
    Call,
    Proposal,
    Review,
)
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def assign_reviewers(*, proposal, by, reviewers, due_on=None, accept_fewer=False) -> list[Assignment]:
    """Give an eligible proposal to reviewers, who are asked to declare their interests first.

    Args:
        due_on: when the reviews are wanted; by default the day that the call names.
    Raises:
        ActionRefused: one of them has an interest (also when only inferred), or the call wants more reviewers.
    """
    stored = locked_under_call(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.status != Proposal.Status.IN_ASSESSMENT:
        raise ActionRefused("Reviewers can be assigned once a proposal is screened as eligible, and until the panel.")
    due_on = _due_on(due_on, stored.call)
    infer_conflicts(proposals=[stored], users=reviewers)
    for reviewer in reviewers:
        if not permissions.can_be_reviewer_of(reviewer, stored):
            raise ActionRefused(
                f"{reviewer.display_name} cannot review this proposal: not a reviewer, or with a conflict of interest. "
                "Choose someone else."
            )
    assigned = [_assign(stored, reviewer, due_on, by) for reviewer in reviewers]
    _refuse_too_few(stored, accept_fewer)
    return assigned


def _due_on(chosen, call) -> dt.date:
    """Every review has its day, the call's if no other is chosen: without one nobody would be reminded of it."""
    due_on = chosen or call.reviews_due_on
    if due_on is None:
        raise ActionRefused("Say by which date you want the reviews: reviewers are reminded of it.")
    if due_on < clock.today():
        raise ActionRefused("Choose a date for the reviews that is still to come.")
    return due_on


def _assign(proposal, reviewer, due_on, by) -> Assignment:
    assignment, is_new = Assignment.objects.get_or_create(
        proposal=proposal, reviewer=reviewer, defaults={"is_lay": reviewer.is_lay, "due_on": due_on}
    )
    if not is_new:
        assignment.change_status(Assignment.Status.ASSIGNED, by=by)
        assignment.due_on, assignment.reminded_at, assignment.is_lay = due_on, None, reviewer.is_lay
        assignment.save(update_fields=["due_on", "reminded_at", "is_lay"])
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


@transaction.atomic
def assign_to_all(*, call, by, reviewers, fingerprint, due_on=None, leave_out=()) -> list[Assignment]:
    """Give every proposal of a call in assessment the reviewers that it lacks, evenly; one mail a reviewer.

    Args:
        reviewers: whom to choose from.
        fingerprint: of the plan that was looked at.
        due_on: when the reviews are wanted; by default the day that the call names.
        leave_out: ids of proposals that get nobody now.
    Raises:
        ActionRefused: what was looked at is no longer what would be done.
    """
    stored = locked_call(call.pk)
    if not permissions.can_manage_call(by, stored):
        raise PermissionDenied
    if stored.status not in (Call.Status.PUBLISHED, Call.Status.ASSESSMENT):
        raise ActionRefused("The panel of this call has begun. Nobody can be assigned any more.")
    due_on = _due_on(due_on, stored)
    infer_conflicts(proposals=stored.proposals.filter(status=Proposal.Status.IN_ASSESSMENT))
    plan = readings.plan_of(stored, by, reviewers)
    if plan.fingerprint != fingerprint:
        raise ActionRefused(
            "Something has changed since you looked: a proposal, a reviewer or an interest. Nobody was assigned. "
            "Look at the new plan below, then assign."
        )
    leave_out = set(leave_out)
    assignments = [
        Assignment(proposal=one.proposal, reviewer=user, is_lay=user.is_lay, due_on=due_on)
        for one in plan.proposals
        if one.proposal.pk not in leave_out
        for user in one.new
    ]
    if not assignments:
        raise ActionRefused("There is nobody to assign: every proposal has its reviewers, or nobody is free for it.")
    Assignment.objects.bulk_create(assignments)
    audit.record_many(
        "assign_reviewer",
        assignments,
        by=by,
        after=[{"proposal": one.proposal_id, "reviewer": one.reviewer_id} for one in assignments],
    )
    _mail_each(assignments, stored, due_on)
    return assignments


def _mail_each(assignments, call, due_on):
    by_reviewer = defaultdict(list)
    for one in assignments:
        by_reviewer[one.reviewer].append(one)
    for reviewer, own in by_reviewer.items():
        outbox.send_mail(
            to=[reviewer.email],
            template="proposals/assigned_several",
            context={
                "name": reviewer.display_name,
                "references": [one.proposal.reference for one in own],
                "call": call.title,
                "due_on": due_on,
                "url": settings.PORTAL_URL + reverse("my"),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.assigned_several.{own[0].pk}",
        )


def _refuse_too_few(proposal, accept_fewer):
    if accept_fewer:
        return
    current = proposal.assignments.current()
    reviews, lay = current.count(), current.filter(is_lay=True).count()
    call = proposal.call
    if not call.has_enough(reviews, lay):
        raise ActionRefused(
            f"This call wants {call.reviews_in_words}. "
            f"With this there would be {reviews}, {lay} of them lay. Choose more reviewers, or tick the box to "
            "assign fewer for now."
        )


@transaction.atomic
def take_back_assignment(*, assignment, by) -> Assignment:
    locked_proposal(assignment.proposal_id)
    stored = Assignment.objects.select_related("proposal").get(pk=assignment.pk)
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
    locked_proposal(assignment.proposal_id)
    stored = Assignment.objects.select_related("proposal").get(pk=assignment.pk)
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


# Reminders ------------------------------------------------------------------------------------------------------------
REMIND_BEFORE = dt.timedelta(days=3)  # once, this long before the date
REMIND_AGAIN = dt.timedelta(days=7)  # and this often once the date has passed


def is_to_remind(due_on, reminded_on, today) -> bool:
    """Whether an open review is to be reminded of today.

    Args:
        reminded_on: the day of the last reminder, None before the first.
    """
    if today <= due_on:
        return today >= due_on - REMIND_BEFORE and reminded_on is None
    return reminded_on is None or reminded_on <= due_on or today - reminded_on >= REMIND_AGAIN


@transaction.atomic
def remind_reviewers() -> int:
    """Remind those whose reviews are nearly due or overdue: one mail a person, with all that is open. Counts the mails.

    Whoever has locked the review or has an interest gets none.
    """
    open_ones = (
        hold(Assignment.objects.current())
        .filter(
            proposal__status=Proposal.Status.IN_ASSESSMENT,
            reviewer__is_active=True,
            pk__in=Assignment.objects.exclude(review__status=Review.Status.LOCKED).values("pk"),
        )
        .select_related("proposal__call", "reviewer")
        .order_by("pk")
    )
    by_reviewer = defaultdict(list)
    for assignment in sorted(open_ones, key=lambda one: (one.due_on is None, one.due_on, one.pk)):
        by_reviewer[assignment.reviewer].append(assignment)
    proposals = {one.proposal for own in by_reviewer.values() for one in own}
    why = readings.people_with_interest(proposals, by_reviewer)
    today, reminded = clock.today(), 0
    for reviewer, own in by_reviewer.items():
        own = [one for one in own if reviewer.pk not in why.get(one.proposal_id, {})]
        dated = [one for one in own if one.due_on]
        if any(is_to_remind(one.due_on, _uk_date(one.reminded_at), today) for one in dated):
            _remind(reviewer, own, today)
            reminded += 1
    return reminded


def _uk_date(moment):
    return moment.astimezone(clock.UK).date() if moment else None


def _remind(reviewer, assignments, today):
    near = [one.pk for one in assignments if one.due_on and today >= one.due_on - REMIND_BEFORE]
    Assignment.objects.filter(pk__in=near).update(reminded_at=clock.now())
    overdue = sum(one.due_on is not None and one.due_on < today for one in assignments)
    outbox.send_mail(
        to=[reviewer.email],
        template="proposals/review_reminder",
        context={
            "name": reviewer.display_name,
            "assignments": assignments,
            "count": len(assignments),
            "overdue": overdue,
            "today": today,
            "url": settings.PORTAL_URL + reverse("my"),
            "collaborative": settings.COLLABORATIVE,
        },
        key=f"proposals.review_reminder.{reviewer.pk}.{today}",
    )
