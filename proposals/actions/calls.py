"""Setting up a call, publishing it, and moving it on."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions, scoring
from proposals.actions.locking import hold, locked_call
from proposals.models import Call, Criterion, CriterionSet, CriterionWeight, Extension, LevelDescriptor, Proposal
from proposals.readings.set_up import publication_problems
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug
from psc_portal.common.templatetags.portal import uk_date

DATES = ["opens_at", "closes_at", "decision_on", "reviews_due_on"]
COPIED = [
    "summary", "about", "eligibility", "grace", "money_total", "money_per_project", "reviews_wanted",
    "lay_reviews_wanted", "is_blind",
]  # fmt: skip
FIELDS = ["title", *COPIED, *DATES]
AUDITED = [*FIELDS, "slug", "status"]


class CallChanged(ActionRefused):
    """Someone else saved the draft of a call while this page was open. Nothing was overwritten."""

    def __init__(self, stored):
        super().__init__(
            "Someone changed this call while you had it open. Your text is still here, and what is saved is shown "
            "below it. Put together what you want to keep, then save again."
        )
        self.stored = stored


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
def edit_call(*, call, by, priorities, weights, seen=None, **values) -> Call:
    """Change a call that is still a draft. What is published does not change under those who read it.

    Args:
        seen: `updated_at` of the call that was shown; if someone has changed it since, nothing is overwritten.
    """
    _refuse_others(by, call)
    stored = locked_call(call.pk)
    if stored.status != Call.Status.DRAFT:
        raise ActionRefused("This call is published and can no longer be edited. To give more time, extend it.")
    if seen is not None and seen != stored.updated_at:
        raise CallChanged(stored)
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


@transaction.atomic
def describe_levels(*, criterion, by, levels) -> Criterion:
    """Say what each score of a criterion means, as long as no published call rests on the wording.

    Args:
        levels: text by level, 0 to 5.
    """
    _refuse_others(by)
    calls = list(hold(Call.objects).filter(criterion_set=criterion.criterion_set_id).order_by("pk"))
    if any(call.status != Call.Status.DRAFT for call in calls):
        raise ActionRefused(
            "A published call uses these criteria, and applicants and reviewers go by what they read there. A new "
            "wording takes a new set of criteria, which comes with the portal."
        )
    if levels.keys() != set(scoring.LEVELS) or not all(text.strip() for text in levels.values()):
        raise ActionRefused(f"Describe each level from {scoring.LOWEST} to {scoring.HIGHEST}.")
    refuse_nhs_numbers({f"Level {level}": text for level, text in levels.items()})
    for level, text in levels.items():
        LevelDescriptor.objects.update_or_create(criterion=criterion, level=level, defaults={"text": text.strip()})
    audit.record("describe_levels", criterion, by=by)
    return criterion


@transaction.atomic
def copy_call(*, call, by, title, opens_at, closes_at, decision_on, reviews_due_on=None) -> tuple[Call, list[str]]:
    """Make a draft of a new call from an earlier one: everything but its dates and what came in.

    Its own questions come with their conditions, its calibration examples without their scores. The criteria are those
    of today, with the earlier weights by number.

    Returns:
        The draft, and what could not be taken over as it was, as sentences.
    """
    _refuse_others(by, call)
    current = [priority for priority in call.priorities.all() if priority.is_current]
    left_out = [f"“{one.title}” is no longer a priority." for one in call.priorities.all() if not one.is_current]
    weights = {weight.criterion.number: weight.weight for weight in call.weights.select_related("criterion")}
    copy = create_call(
        by=by,
        priorities=current,
        weights=weights,
        title=title,
        opens_at=opens_at,
        closes_at=closes_at,
        decision_on=decision_on,
        reviews_due_on=reviews_due_on,
        **{name: getattr(call, name) for name in COPIED},
    )
    if copy.criterion_set_id != call.criterion_set_id:
        left_out.append(f"The criteria are now “{copy.criterion_set}”: look at their weights.")
    _copy_questions(call, copy)
    for example in call.examples.all():
        example.pk, example.call, example._state.adding = None, copy, True
        example.save()
    audit.record("copy_call", copy, by=by, after={"from": call.slug})
    return copy, left_out


def _copy_questions(call, copy):
    """In their order, so that a question that another depends on is there before it."""
    copied = {}
    for question in call.questions.order_by("position"):
        earlier, question.pk, question.call, question._state.adding = question.pk, None, copy, True
        condition, question.shown_if = question.shown_if_id, None
        if condition is not None:
            question.shown_if = copied.get(condition)
            if question.shown_if is None:  # set up wrongly: shown always, and named by the checks as it is there
                question.shown_if_answer = ""
        question.save()
        copied[earlier] = question


@transaction.atomic
def publish_call(*, call, by) -> Call:
    """Publish a call with its weights, which are frozen from now on.

    Raises:
        ActionRefused: names everything that must be put right first.
    """
    _refuse_others(by, call)
    stored = locked_call(call.pk)
    if stored.status == Call.Status.DRAFT and (problems := publication_problems(stored)):
        raise ActionRefused(" ".join(problems))
    texts = {"Title": stored.title, "Summary": stored.summary, "What we are looking for": stored.about}
    refuse_nhs_numbers(texts | {"Rules of eligibility": stored.eligibility})
    stored.change_status(Call.Status.PUBLISHED, by=by)
    audit.record("publish_call", stored, by=by, after=audit.snapshot(stored, AUDITED))
    return stored


@transaction.atomic
def extend_call(*, call, by, closes_at, reason, applicant=None) -> Extension:
    """Give more time, to all or to one applicant. An extension is kept for good and, for all, public."""
    _refuse_others(by, call)
    stored = locked_call(call.pk)
    if stored.status != Call.Status.PUBLISHED:
        raise ActionRefused("Only a published call that is not yet in assessment can be extended.")
    if (
        applicant is not None
        and not stored.proposals.filter(applicant=applicant, status=Proposal.Status.DRAFT).exists()
    ):
        raise ActionRefused("This person has no draft in this call. Ask them whether they use another account.")
    present = _closes_for(stored, applicant)
    if closes_at <= max(present, clock.now()):
        raise ActionRefused("Choose a closing time that is later than the present one and still to come.")
    if applicant is None:
        _refuse_after_what_follows(stored, closes_at)
    reason = reason.strip()
    if not reason:
        raise ActionRefused("Say why there is more time.")
    refuse_nhs_numbers({"Reason": reason})
    extension = Extension.objects.create(
        call=stored,
        applicant=applicant,
        closed_at_before=present,
        closes_at=closes_at,
        reason=reason,
        granted_by=by,
        granted_at=clock.now(),
    )
    _tell_of_more_time(extension)
    if applicant is None:
        before = audit.snapshot(stored, ["closes_at"])
        stored.closes_at = closes_at
        stored.save(update_fields=["closes_at"])
        audit.record("extend_call", stored, by=by, before=before, after=audit.snapshot(stored, ["closes_at"]))
    else:
        audit.record("extend_call_for_one", extension, by=by, after=audit.snapshot(extension, ["closes_at"]))
    return extension


def _refuse_after_what_follows(call, closes_at):
    """What was published with the call comes after its closing, and is not moved by more time."""
    closes_on = (closes_at + call.grace).astimezone(clock.UK).date()
    if call.reviews_due_on and closes_on >= call.reviews_due_on:
        raise ActionRefused(
            f"Reviews of this call are due on {uk_date(call.reviews_due_on)}. Choose a closing time on an earlier day."
        )
    if closes_on >= call.decision_on:
        raise ActionRefused(
            f"A decision of this call is promised by {uk_date(call.decision_on)}. Choose a closing time on an earlier "
            "day."
        )


def _closes_for(call, applicant):
    """When it closes as things stand: for one applicant, with the grace and what they were given before."""
    if applicant is None:
        return call.closes_at
    given = call.extensions.filter(applicant=applicant).order_by("closes_at").last()
    return max(call.accepts_until, given.closes_at) if given else call.accepts_until


def _tell_of_more_time(extension) -> None:
    """The one applicant, or everybody who has begun a draft."""
    drafts = extension.call.proposals.filter(status=Proposal.Status.DRAFT).select_related("applicant").order_by("pk")
    if extension.applicant:
        drafts = drafts.filter(applicant=extension.applicant)
    for person in {draft.applicant for draft in drafts}:
        outbox.send_mail(
            to=[person.email],
            template="proposals/more_time",
            context={
                "name": person.display_name,
                "call": extension.call.title,
                "extension": extension,
                "url": settings.PORTAL_URL + extension.call.get_absolute_url() + "apply/",
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.more_time.{extension.pk}.{person.pk}",
        )


@transaction.atomic
def start_assessment(*, call, by) -> Call:
    """Begin the assessment of a closed call; nothing can be submitted from now on, whatever the clock says."""
    _refuse_others(by, call)
    stored = locked_call(call.pk)
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
    stored = locked_call(call.pk)
    if stored.status == Call.Status.ASSESSMENT:
        if stored.proposals.filter(status=Proposal.Status.SUBMITTED).exists():
            raise ActionRefused("Some proposals are not screened yet. Screen them first.")
        proposals = list(stored.proposals.filter(status=Proposal.Status.IN_ASSESSMENT).order_by("pk"))
        counts = review_counts(proposals)
        short = [
            f"{one.reference} ({counts[one.pk][0]}, {counts[one.pk][1]} of them lay)"
            for one in proposals
            if not stored.has_enough(*counts[one.pk])
        ]
        if short and not accept_fewer_reviews:
            raise ActionRefused(
                f"This call wants {stored.reviews_in_words}. Fewer are locked for {'; '.join(short)}. "
                "Wait for the others, or tick the box to go on with fewer."
            )
    stored.change_status(Call.Status.PANEL, by=by)
    for proposal in stored.proposals.filter(status=Proposal.Status.IN_ASSESSMENT).order_by("pk"):
        proposal.change_status(Proposal.Status.AT_PANEL, by=by)
    audit.record("move_to_panel", stored, by=by, after={"accept_fewer_reviews": accept_fewer_reviews})
    return stored


@transaction.atomic
def finish_call(*, call, by) -> Call:
    """Close a call whose proposals all have a decision and whose applicants all have been told."""
    from proposals.models import Decision, Panel

    _refuse_others(by, call)
    stored = locked_call(call.pk)
    if stored.proposals.filter(status=Proposal.Status.AT_PANEL).exists():
        raise ActionRefused("Some proposals have no decision yet. Decide on each of them first.")
    untold = Decision.objects.filter(proposal__call=stored, letter__released_at__isnull=True)
    if untold.exists():
        raise ActionRefused("Some applicants have no feedback yet. Write and release it first.")
    if Panel.objects.filter(call=stored, closed_at__isnull=True).exists():
        raise ActionRefused("The panel is still open. Close it first: its minutes are made then.")
    stored.change_status(Call.Status.DECIDED, by=by)
    audit.record("finish_call", stored, by=by)
    return stored


@transaction.atomic
def archive_call(*, call, by) -> Call:
    _refuse_others(by, call)
    stored = locked_call(call.pk)
    stored.change_status(Call.Status.ARCHIVED, by=by)
    audit.record("archive_call", stored, by=by)
    return stored
