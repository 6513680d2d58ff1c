"""Everything that changes pledges."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from pledges import emails, permissions
from pledges.models import (
    PLEDGES_IN_A_SET,
    ImprovementArea,
    ModerationNote,
    Pledge,
    ProgressUpdate,
    SignUp,
    Statement,
    WordingSet,
)
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

Status = SignUp.Status


# Signing up ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def start_sign_up(*, organisation, by):
    """Begin the sign-up of an organisation to the wording in force, or come back to the one that was begun.

    Raises:
        PermissionDenied: `by` neither belongs to the organisation nor has claimed to.
        ActionRefused: somebody else has begun it and `by` is not a confirmed member, it is published already, or no
            wording is in force.
    """
    if not permissions.can_sign_for(by, organisation):
        raise PermissionDenied
    wording_set = WordingSet.objects.in_force().first()
    if wording_set is None:
        raise ActionRefused("No pledges can be signed at the moment. Contact us to ask when they can be again.")
    try:
        with transaction.atomic():
            sign_up = SignUp.objects.create(
                organisation=organisation,
                organisation_name=organisation.name,
                wording_set=wording_set,
                signatory=by,
                signatory_name=by.display_name,
            )
            Statement.objects.bulk_create(
                Statement(sign_up=sign_up, pledge=pledge) for pledge in wording_set.pledges.all()
            )
    except IntegrityError:  # one live sign-up per organisation and set: somebody was first, perhaps this moment
        sign_up = SignUp.objects.live().get(organisation=organisation, wording_set=wording_set)
        if not SignUp.objects.visible_to(by).filter(pk=sign_up.pk).exists():
            raise ActionRefused(
                f"Somebody else has begun to sign up {organisation.name}. You can join them once we have confirmed "
                "that you belong there. Contact us if that takes long."
            )
        return sign_up
    audit.record("start", sign_up, by=by, after={"organisation": organisation.pk, "wording_set": wording_set.version})
    return sign_up


def _locked(sign_up, by):
    sign_up = SignUp.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=sign_up.pk)
    if not permissions.can_edit(by, sign_up):
        if sign_up.status not in SignUp.EDITABLE and SignUp.objects.visible_to(by).filter(pk=sign_up.pk).exists():
            raise ActionRefused(
                f"These pledges are “{sign_up.get_status_display().lower()}” and cannot be changed now. "
                "Your text is kept here: copy what you need."
            )
        raise PermissionDenied
    return sign_up


@transaction.atomic
def save_statement(*, sign_up, number, text, by, metric=None):
    """Keep what is written under pledge `number`, of any length: a draft may be unfinished."""
    statement = _locked(sign_up, by).statements.get(pledge__number=number)
    statement.text, statement.metric = text, metric
    statement.save()
    return statement


@transaction.atomic
def save_areas(*, sign_up, priorities, national, own_words, by):
    """Keep the improvement areas: priorities of the region, national programmes by name, local areas in own words.

    The two must-do topics count as national areas, other priorities as local ones.
    """
    sign_up = _locked(sign_up, by)
    named = [
        *((ImprovementArea.Scope.NATIONAL, priority.title, priority) for priority in priorities if priority.is_must_do),
        *((ImprovementArea.Scope.NATIONAL, name, None) for name in national),
        *(
            (ImprovementArea.Scope.LOCAL, priority.title, priority)
            for priority in priorities
            if not priority.is_must_do
        ),
        *((ImprovementArea.Scope.LOCAL, name, None) for name in own_words),
    ]
    areas = {}
    for scope, name, priority in named:
        slug = slugify(name)[:120]
        if slug:
            areas.setdefault(
                slug, ImprovementArea(sign_up=sign_up, scope=scope, name=name, slug=slug, priority=priority)
            )
    sign_up.areas.all().delete()
    ImprovementArea.objects.bulk_create(areas.values())
    return sign_up


@transaction.atomic
def save_plan(*, sign_up, board_approved_on, plan_from, plan_to, own_page, by):
    """Keep the dates of the plan.

    Raises:
        ActionRefused: the plan ends before it starts.
    """
    if plan_from and plan_to and plan_to <= plan_from:
        raise ActionRefused("The plan must end after it starts. Check both dates.")
    sign_up = _locked(sign_up, by)
    sign_up.board_approved_on, sign_up.plan_from, sign_up.plan_to = board_approved_on, plan_from, plan_to
    sign_up.own_page = own_page
    sign_up.save()
    return sign_up


@transaction.atomic
def save_signatory(*, sign_up, signatory_name, signatory_role, by):
    """Keep who signs for the organisation, as it will be published."""
    sign_up = _locked(sign_up, by)
    sign_up.signatory_name, sign_up.signatory_role = signatory_name, signatory_role
    sign_up.save()
    return sign_up


@transaction.atomic
def submit_sign_up(*, sign_up, by):
    """Send the pledges to be checked; whoever submits signs. The receipt is sent once that is stored.

    Raises:
        PermissionDenied: `by` may not edit it.
        ActionRefused: something is missing, too short or too long, holds an NHS number, or it was submitted already.
    """
    sign_up = _locked(sign_up, by)
    refuse_nhs_numbers(sign_up.texts())
    problems = sign_up.problems()
    if problems:
        raise ActionRefused(f"{problems[0].place}: {problems[0].text}")
    sign_up.signatory = by
    sign_up.save(update_fields=["signatory"])
    sign_up.change_status(Status.SUBMITTED, by=by)
    audit.record("submit", sign_up, by=by)
    emails.submitted(sign_up)
    return sign_up


# Moderation ----------------------------------------------------------------------------------------------------------
def _moderated(sign_up, by):
    if not permissions.can_moderate(by, sign_up):
        raise PermissionDenied
    return SignUp.objects.select_for_update(of=("self",)).select_related("organisation", "signatory").get(pk=sign_up.pk)


@transaction.atomic
def publish_sign_up(*, sign_up, by):
    """Show the pledges to everybody. Those that the organisation made to an earlier wording set end.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: the signatory's affiliation is not confirmed, it was not submitted, or it holds an NHS number.
    """
    sign_up = _moderated(sign_up, by)
    if not sign_up.is_confirmed:
        raise ActionRefused(
            f"It is not confirmed that {sign_up.signatory.display_name} belongs to {sign_up.organisation.name}. "
            "Confirm the affiliation first, then publish."
        )
    refuse_nhs_numbers(sign_up.texts())
    for earlier in SignUp.objects.public().filter(organisation=sign_up.organisation_id):
        _close(earlier, Status.ENDED, f"Followed by the pledges to “{sign_up.wording_set}”.", by)
    sign_up.published_at = clock.now()
    sign_up.organisation_name = sign_up.organisation.name
    sign_up.save(update_fields=["published_at", "organisation_name"])
    sign_up.change_status(Status.PUBLISHED, by=by)
    audit.record("publish", sign_up, by=by)
    emails.published(sign_up)
    return sign_up


@transaction.atomic
def return_sign_up(*, sign_up, reasons, by):
    """Give the pledges back to the organisation with reasons; they can be changed and submitted again."""
    sign_up = _moderated(sign_up, by)
    _close(sign_up, Status.RETURNED, reasons, by)
    emails.returned(sign_up, reasons)
    return sign_up


@transaction.atomic
def end_sign_up(*, sign_up, reasons, by):
    """The plan period is over, or the organisation has merged: the page stays and says so."""
    sign_up = _moderated(sign_up, by)
    _close(sign_up, Status.ENDED, reasons, by)
    return sign_up


@transaction.atomic
def withdraw_sign_up(*, sign_up, reasons, by):
    """Take the pledges back. Drafts disappear from the lists; what was published says that it was withdrawn.

    Raises:
        PermissionDenied: `by` may not withdraw it.
        ActionRefused: it is over already.
    """
    sign_up = SignUp.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=sign_up.pk)
    if sign_up.status not in SignUp.OVER and not permissions.can_withdraw(by, sign_up):
        raise PermissionDenied
    _close(sign_up, Status.WITHDRAWN, reasons, by)
    return sign_up


def _close(sign_up, status, reasons, by):
    refuse_nhs_numbers({"Reasons": reasons})
    sign_up.change_status(status, by=by)
    ModerationNote.objects.create(sign_up=sign_up, to_status=status, reasons=reasons, by=by)
    audit.record(str(status), sign_up, by=by)


# Progress ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def post_progress(*, statement, progress, what_changed, by, reason_stopped="", evidence="", metric=None, token=None):
    """Say what has come of one pledge by today. Never edited afterwards, only followed; sent twice, kept once.

    Raises:
        PermissionDenied: `by` is not a member of the organisation, or the pledges are not published.
        ActionRefused: a stopped pledge without a reason, or a text with an NHS number.
    """
    sign_up = SignUp.objects.select_for_update(of=("self",)).get(statements=statement)
    if not permissions.can_post_progress(by, sign_up):
        raise PermissionDenied
    if token and (already := ProgressUpdate.objects.filter(token=token, by=by).first()):
        return already
    if progress == ProgressUpdate.Progress.STOPPED and not reason_stopped.strip():
        raise ActionRefused("Say why you stopped: others learn from it.")
    refuse_nhs_numbers({"What changed": what_changed, "Why it stopped": reason_stopped})
    update = ProgressUpdate.objects.create(
        statement=statement,
        progress=progress,
        what_changed=what_changed,
        reason_stopped=reason_stopped if progress == ProgressUpdate.Progress.STOPPED else "",
        evidence=evidence,
        metric=metric,
        by=by,
        made_on=clock.today(),
        **({"token": token} if token else {}),
    )
    audit.record("post_progress", statement, by=by, after={"progress": str(progress), "update": update.pk})
    return update


def remind() -> int:
    """Write to the signatories of pledges whose update is due, overdue or lapsed: once for each step.

    Returns how many reminders were stored now or before.
    """
    reminders = 0
    sign_ups = SignUp.objects.public().with_last_update().select_related("organisation", "signatory")
    for sign_up in sign_ups:
        freshness = sign_up.freshness
        if freshness.needs_update:
            emails.reminder(sign_up, freshness)
            reminders += 1
    return reminders


# Wording -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Heading:
    title: str
    asks: str


@transaction.atomic
def add_wording_set(*, version, name, source, from_date, headings, by):
    """A new wording of the five pledges, in force from a day on; the one before ends that day.

    Organisations that signed an earlier set stay with it.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: not five headings, the version is taken, or it starts before the set that it follows.
    """
    if not permissions.can_edit_wording(by):
        raise PermissionDenied
    if len(headings) != PLEDGES_IN_A_SET:
        raise ActionRefused(f"Write {PLEDGES_IN_A_SET} pledges.")
    if WordingSet.objects.filter(version=version).exists():
        raise ActionRefused(f"There is a version “{version}” already. Choose another name for the version.")
    before = WordingSet.objects.select_for_update().filter(to_date__isnull=True).first()
    if before:
        if from_date <= before.from_date:
            raise ActionRefused(
                f"The set before applies from {before.from_date:%-d %B %Y}. Give a later day for the new one."
            )
        before.to_date = from_date
        before.save()
    wording_set = WordingSet.objects.create(version=version, name=name, source=source, from_date=from_date)
    Pledge.objects.bulk_create(
        Pledge(wording_set=wording_set, number=number, title=heading.title, asks=heading.asks)
        for number, heading in enumerate(headings, start=1)
    )
    audit.record("add", wording_set, by=by, after={"version": version})
    return wording_set
