"""What has come of the pledges, and reminders before it gets too old."""

from collections import defaultdict

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from pledges import emails, permissions
from pledges.models import ProgressReminder, ProgressUpdate, SignUp
from projects.models import Affiliation
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import find_nhs_numbers, refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def post_progress(
    *,
    statement,
    progress,
    what_changed,
    by,
    reason_stopped="",
    evidence="",
    metric=None,
    numbers_explained="",
    token=None,
):
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
    texts = {"What changed": what_changed, "Why it stopped": reason_stopped}
    refuse_nhs_numbers(texts, explained=numbers_explained)
    update = ProgressUpdate.objects.create(
        statement=statement,
        progress=progress,
        what_changed=what_changed,
        reason_stopped=reason_stopped if progress == ProgressUpdate.Progress.STOPPED else "",
        evidence=evidence,
        metric=metric,
        numbers_explained=numbers_explained.strip() if any(map(find_nhs_numbers, texts.values())) else "",
        by=by,
        made_on=clock.today(),
        **({"token": token} if token else {}),
    )
    audit.record(
        "post_progress",
        statement,
        by=by,
        after={"progress": str(progress), "update": update.pk, "has_explained_numbers": bool(update.numbers_explained)},
    )
    return update


def remind() -> int:
    """Write before each step (due, overdue, lapsed): one mail a person for all their organisations, each step once.

    To the signatory while they belong to the organisation, else to whoever signs for it, else to its members.
    Returns how many mails were stored.
    """
    coming = {}
    sign_ups = SignUp.objects.public().with_last_update().select_related("organisation")
    for sign_up in sign_ups:
        freshness = sign_up.freshness
        if step := freshness.step_to_remind_of(clock.today(), settings.PLEDGE_REMINDER_DAYS_BEFORE):
            coming[sign_up] = step
    people = _people_to_remind(coming)
    return sum(_remind_once(person, due) for person, due in people.items())


def _people_to_remind(coming):
    """{person: [(sign-up, step)]}, from one query."""
    members = defaultdict(list)
    affiliations = Affiliation.objects.current().filter(
        organisation__in=[sign_up.organisation_id for sign_up in coming], user__is_active=True
    )
    for affiliation in affiliations.select_related("user").order_by("pk"):
        members[affiliation.organisation_id].append(affiliation)
    people = defaultdict(list)
    for sign_up, step in coming.items():
        there = members[sign_up.organisation_id]
        chosen = [one for one in there if one.user_id == sign_up.signatory_id]
        chosen = chosen or [one for one in there if one.is_signatory] or there
        for affiliation in chosen:
            people[affiliation.user].append((sign_up, step))
    return people


@transaction.atomic
def _remind_once(person, due) -> bool:
    """One mail with what this person has not been written about; the marks and the mail are stored together."""
    new = []
    for sign_up, step in due:
        _, is_new = ProgressReminder.objects.get_or_create(
            sign_up=sign_up, user=person, step=step, last=sign_up.freshness.last
        )
        if is_new:
            new.append(sign_up)
    if new:
        emails.reminder(person, new)
    return bool(new)
