"""Setting up a call, publishing it, and moving it on."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions, scoring
from proposals.models import Call, CriterionSet, CriterionWeight, Extension, Proposal
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug

FIELDS = [
    "title", "summary", "about", "opens_at", "closes_at", "grace", "decision_on", "money_total", "money_per_project",
    "reviews_wanted", "lay_reviews_wanted", "is_blind",
]  # fmt: skip
AUDITED = [*FIELDS, "slug", "status"]


def _locked(call: Call) -> Call:
    return Call.objects.select_for_update().get(pk=call.pk)


def _refuse_others(by, call=None):
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied


@transaction.atomic
def create_call(*, by, priorities, weights, **values) -> Call:
    """Make a draft of a call with the newest criteria.

    Args:
        weights: whole per cent by criterion number; that they add to 100 is checked at publication.
    """
    _refuse_others(by)
    criteria = CriterionSet.objects.first()
    if criteria is None:
        raise ActionRefused("There are no criteria yet. Add a set of criteria first.")
    _check_dates(values)
    call = Call.objects.create(
        slug=unique_slug(Call, values["title"]), criterion_set=criteria, created_by=by, **_kept(values)
    )
    call.priorities.set(priorities)
    _write_weights(call, weights)
    audit.record("create_call", call, by=by, after=audit.snapshot(call, AUDITED))
    return call


@transaction.atomic
def edit_call(*, call, by, priorities, weights, **values) -> Call:
    """Change a call that is still a draft. What is published does not change under those who read it."""
    _refuse_others(by, call)
    stored = _locked(call)
    if stored.status != Call.Status.DRAFT:
        raise ActionRefused("This call is published and can no longer be edited. To give more time, extend it.")
    _check_dates(values)
    before = audit.snapshot(stored, AUDITED)
    for name, value in _kept(values).items():
        setattr(stored, name, value)
    stored.save()
    stored.priorities.set(priorities)
    _write_weights(stored, weights)
    audit.record("edit_call", stored, by=by, before=before, after=audit.snapshot(stored, AUDITED))
    return stored


def _kept(values):
    return {name: value for name, value in values.items() if name in FIELDS}


def _check_dates(values):
    if values["closes_at"] <= values["opens_at"]:
        raise ActionRefused("The closing time must be later than the opening time.")


def _write_weights(call, weights):
    for criterion in call.criterion_set.criteria.all():
        CriterionWeight.objects.update_or_create(
            call=call, criterion=criterion, defaults={"weight": weights.get(criterion.number, 0)}
        )


def publication_problems(call: Call) -> list[str]:
    """What stands in the way of publishing a call, as sentences that say what to do."""
    problems = []
    if problem := scoring.weights_problem(weight.weight for weight in call.weights.all()):
        problems.append(problem)
    if not call.priorities.exists():
        problems.append("Choose at least one priority.")
    if not call.about.strip():
        problems.append("Say what you are looking for.")
    if call.opens_at <= clock.now():
        problems.append("Choose an opening time that is still to come: weights are published before a call opens.")
    if call.decision_on <= call.accepts_until.astimezone(clock.UK).date():
        problems.append("Choose a decision date that is later than the closing date.")
    if call.money_total <= 0:
        problems.append("Say how much money there is in all.")
    if call.money_per_project and call.money_per_project > call.money_total:
        problems.append("One proposal cannot ask for more than there is in all.")
    levels = len(scoring.LEVELS)
    for criterion in call.criterion_set.criteria.prefetch_related("levels"):
        if len(criterion.levels.all()) != levels:
            problems.append(f"Describe all {levels} levels of “{criterion.title}”.")
    return problems


@transaction.atomic
def publish_call(*, call, by) -> Call:
    """Publish a call with its weights, which are frozen from now on.

    Raises:
        ActionRefused: names everything that must be put right first.
    """
    _refuse_others(by, call)
    stored = _locked(call)
    if stored.status == Call.Status.DRAFT and (problems := publication_problems(stored)):
        raise ActionRefused(" ".join(problems))
    refuse_nhs_numbers({"Title": stored.title, "Summary": stored.summary, "What we are looking for": stored.about})
    stored.change_status(Call.Status.PUBLISHED, by=by)
    audit.record("publish_call", stored, by=by, after=audit.snapshot(stored, AUDITED))
    return stored


@transaction.atomic
def extend_call(*, call, by, closes_at, reason, applicant=None) -> Extension:
    """Give more time, to all or to one applicant. An extension is kept for good and, for all, public."""
    _refuse_others(by, call)
    stored = _locked(call)
    if stored.status != Call.Status.PUBLISHED:
        raise ActionRefused("Only a published call that is not yet in assessment can be extended.")
    if closes_at <= max(stored.closes_at, clock.now()):
        raise ActionRefused("Choose a closing time that is later than the present one and still to come.")
    refuse_nhs_numbers({"Reason": reason})
    extension = Extension.objects.create(
        call=stored,
        applicant=applicant,
        closed_at_before=stored.closes_at,
        closes_at=closes_at,
        reason=reason,
        granted_by=by,
        granted_at=clock.now(),
    )
    if applicant is None:
        before = audit.snapshot(stored, ["closes_at"])
        stored.closes_at = closes_at
        stored.save(update_fields=["closes_at"])
        audit.record("extend_call", stored, by=by, before=before, after=audit.snapshot(stored, ["closes_at"]))
    else:
        audit.record("extend_call_for_one", extension, by=by, after=audit.snapshot(extension, ["closes_at"]))
    return extension


@transaction.atomic
def start_assessment(*, call, by) -> Call:
    """Begin the assessment of a closed call; nothing can be submitted from now on, whatever the clock says."""
    _refuse_others(by, call)
    stored = _locked(call)
    extended = stored.extensions.filter(closes_at__gt=clock.now()).exists()
    if stored.status == Call.Status.PUBLISHED and (not stored.is_past or extended):
        raise ActionRefused("This call has not closed for everyone yet. Wait until it has.")
    stored.change_status(Call.Status.ASSESSMENT, by=by)
    audit.record("start_assessment", stored, by=by)
    return stored


@transaction.atomic
def move_to_panel(*, call, by, accept_fewer_reviews=False) -> Call:
    """End the reviewing: every proposal in assessment goes to the panel, and reviews can no longer be unlocked."""
    from proposals.readings import review_counts

    _refuse_others(by, call)
    stored = _locked(call)
    if stored.status == Call.Status.ASSESSMENT:
        if stored.proposals.filter(status=Proposal.Status.SUBMITTED).exists():
            raise ActionRefused("Some proposals are not screened yet. Screen them first.")
        short = [row.reference for row, count in review_counts(stored) if count < stored.reviews_wanted]
        if short and not accept_fewer_reviews:
            raise ActionRefused(
                f"Fewer than {stored.reviews_wanted} reviews are locked for {', '.join(short)}. "
                "Wait for them, or tick the box to go on with fewer."
            )
    stored.change_status(Call.Status.PANEL, by=by)
    for proposal in stored.proposals.filter(status=Proposal.Status.IN_ASSESSMENT):
        proposal.change_status(Proposal.Status.AT_PANEL, by=by)
    audit.record("move_to_panel", stored, by=by, after={"accept_fewer_reviews": accept_fewer_reviews})
    return stored


@transaction.atomic
def finish_call(*, call, by) -> Call:
    """Close a call whose proposals all have a decision and whose applicants all have been told."""
    from proposals.models import Decision

    _refuse_others(by, call)
    stored = _locked(call)
    if stored.proposals.filter(status=Proposal.Status.AT_PANEL).exists():
        raise ActionRefused("Some proposals have no decision yet. Decide on each of them first.")
    untold = Decision.objects.filter(proposal__call=stored, letter__released_at__isnull=True)
    if untold.exists():
        raise ActionRefused("Some applicants have no feedback yet. Write and release it first.")
    stored.change_status(Call.Status.DECIDED, by=by)
    audit.record("finish_call", stored, by=by)
    return stored


@transaction.atomic
def archive_call(*, call, by) -> Call:
    _refuse_others(by, call)
    stored = _locked(call)
    stored.change_status(Call.Status.ARCHIVED, by=by)
    audit.record("archive_call", stored, by=by)
    return stored
