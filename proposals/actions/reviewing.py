"""Scores with reasons: saved, locked, shown to others, unlocked."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import merging, permissions, scoring
from proposals.actions.analysing import scores_changed
from proposals.actions.locking import hold, locked_proposal
from proposals.models import (
    Criterion,
    Proposal,
    Review,
    ReviewUnlock,
    Score,
)
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


def _locked_review(review, *, under_proposal=False) -> Review:
    """The review alone, or with its proposal too: then the panel cannot begin meanwhile."""
    if under_proposal:
        locked_proposal(review.proposal_id)
    rows = hold(Review.objects).select_related("proposal__call", "assignment")
    return rows.get(pk=review.pk)


def _refuse_not_writing(by, review):
    if not permissions.can_write_review(by, review):
        raise PermissionDenied
    if review.is_locked:
        raise ActionRefused("This review is locked. Unlock it first to change it.")
    if review.proposal.status != Proposal.Status.IN_ASSESSMENT:
        raise ActionRefused("The assessment of this proposal is over. A review can no longer be written.")


@dataclass(frozen=True)
class SavedReview:
    """What came of an automatic save: the review, what clashed, and what the page is to carry from now on."""

    review: Review
    clashes: list[merging.Clash]
    base: str


NOT_APPLICABLE = "na"


def answers_of(scores, comment) -> dict[str, str]:
    """Scores as one answer each, by the names that the page gives its fields: what two windows are compared in.

    Args:
        scores: by criterion id: (0 to 5 or None, is not applicable, reason).
    """
    answers = {"comment": comment}
    for criterion, (value, is_not_applicable, reason) in scores.items():
        answers[f"score_{criterion}"] = NOT_APPLICABLE if is_not_applicable else "" if value is None else str(value)
        answers[f"reason_{criterion}"] = reason
    return answers


def stored_answers(review) -> dict[str, str]:
    scores = {one.criterion_id: (one.value, one.is_not_applicable, one.reason) for one in review.scores.all()}
    return answers_of(scores, review.comment)


def page_base_of(review, weights) -> str:
    """What the review page carries of what it shows."""
    return merging.digests(["comment", *(name for pk in weights for name in _names(pk))], stored_answers(review))


def _names(criterion) -> tuple[str, str]:
    return f"score_{criterion}", f"reason_{criterion}"


@transaction.atomic
def save_review(*, review, by, scores, comment, version, base=None, sent=()) -> Review:
    """Keep scores and reasons as far as they are written.

    Args:
        scores: by criterion id: (0 to 5 or None, is not applicable, reason).
        version: the version that the page was opened with.
        base: the digests of the answers that the page showed; more exact than the version.
        sent: what the page sent by itself and got no answer to.
    """
    stored = _locked_review(review)
    _refuse_not_writing(by, stored)
    weights = stored.proposal.call.weight_by_criterion()
    answers = answers_of({pk: score for pk, score in scores.items() if pk in weights}, comment)
    if version != stored.version:
        clashes = True
        if base is not None:
            before = stored_answers(stored)
            answers, clashes = merging.merge(before, answers, merging.base_of(carried=base, sent=sent))
        if clashes:
            raise ActionRefused(
                "This review was saved in another window since you opened this page. What was saved there stands "
                "beside your text below: put together what you want to keep, then save again."
            )
    _store(stored, answers, weights)
    review.version = stored.version
    return stored


@transaction.atomic
def autosave_review(*, review, by, scores, comment, base, sent=()) -> SavedReview:
    """Keep what the page sent by itself. What another window changed meanwhile is told, not overwritten."""
    stored = _locked_review(review)
    _refuse_not_writing(by, stored)
    weights = stored.proposal.call.weight_by_criterion()
    typed = answers_of({pk: score for pk, score in scores.items() if pk in weights}, comment)
    before = stored_answers(stored)
    merged, clashes = merging.merge(before, typed, merging.base_of(carried=base, sent=sent))
    if merged != before:
        _store(stored, merged, weights)
    held = {one.name: base.get(one.name, "") for one in clashes}
    return SavedReview(stored, clashes, merging.digests(typed, merged, but=held))


def _store(review, answers, weights):
    """Write the answers as they are now; they were merged with what is stored before."""
    numbers = dict(Criterion.objects.filter(pk__in=weights).values_list("pk", "number"))
    places = {f"Reason on criterion {numbers[pk]}": answers.get(f"reason_{pk}", "") for pk in weights}
    refuse_nhs_numbers({"Comment to the panel": answers["comment"]} | places)
    scores = {}
    for pk in weights:
        score, reason = (answers.get(name) for name in _names(pk))
        if score is not None or reason is not None:
            is_not_applicable = score == NOT_APPLICABLE
            value = int(score) if score and not is_not_applicable else None
            scores[pk] = (value, is_not_applicable, reason or "")
    _write_scores(review, scores, weights)
    review.comment = answers["comment"].strip()
    review.version += 1
    review.saved_at = clock.now()
    review.save(update_fields=["total", "scores_in_order", "comment", "version", "saved_at"])


def _write_scores(review, scores, weights):
    """All scores in one statement; what is kept beside the review goes by everything that is stored then."""
    Score.objects.bulk_create(
        [
            Score(
                review=review,
                criterion_id=criterion,
                value=None if is_not_applicable else value,
                is_not_applicable=is_not_applicable,
                reason=reason.strip(),
            )
            for criterion, (value, is_not_applicable, reason) in scores.items()
        ],
        update_conflicts=True,
        unique_fields=["review", "criterion"],
        update_fields=["value", "is_not_applicable", "reason"],
    )
    values = dict(review.scores.order_by().values_list("criterion_id", "value"))
    review.scores_in_order = [values.get(criterion) for criterion in weights]
    review.total = scoring.weighted_mean(review.scores_in_order, weights.values())


@transaction.atomic
def lock_review(*, review, by) -> Review:
    """Lock a review whose every criterion has a score, or is not applicable, and a reason."""
    stored = _locked_review(review, under_proposal=True)
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
    if by.is_programme_staff and stored.others_seen_at is None:
        stored.others_seen_at = stored.locked_at  # from here on the others stand open to staff who review
    stored.save(update_fields=["locked_at", "is_changed_after_seeing_others", "others_seen_at"])
    stored.change_status(Review.Status.LOCKED, by=by)
    scores_changed(stored.proposal.call)
    audit.record("lock_review", stored, by=by, after=audit.snapshot(stored, ["total", "status"]))
    return stored


def write_review(*, review, by, scores, comment, version, lock=False, base=None, sent=()) -> Review:
    """Save, then lock if asked: what was typed stays saved where the lock is refused."""
    saved = save_review(review=review, by=by, scores=scores, comment=comment, version=version, base=base, sent=sent)
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

    The reviewer can, until the others' scores were shown to them or the panel has begun; after that staff only, their
    own included, with a reason, and once it is locked again it is marked as changed after seeing others.
    """
    stored = _locked_review(review, under_proposal=True)
    if not permissions.can_unlock_review(by, stored):
        raise PermissionDenied
    is_own_and_unbiased = stored.reviewer_id == by.pk and stored.others_seen_at is None
    if not is_own_and_unbiased and not reason.strip():
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
    scores_changed(stored.proposal.call)
    audit.record("unlock_review", stored, by=by, after={"after_seeing_others": stored.others_seen_at is not None})
    return stored
