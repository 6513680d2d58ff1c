"""Sets of the five pledges' wording. An organisation's answer belongs to the set that it signed."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction

from pledges import emails, permissions
from pledges.models import PLEDGES_IN_A_SET, Pledge, SignUp, WordingSet
from psc_portal.common import audit, outbox
from psc_portal.common.refusals import ActionRefused


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
    outbox.enqueue("pledges.invite_to_wording", wording_set.pk, key=f"pledges.invite_to_wording {wording_set.pk}")
    return wording_set


def invite_to_wording(*, wording_set) -> int:
    """Ask the organisations whose pledges are published to sign the new set. May run twice: each mail has a key.

    A set that applies later is announced with its first day. Returns how many organisations were asked.
    """
    asked = SignUp.objects.public().exclude(wording_set=wording_set).select_related("organisation", "signatory")
    for sign_up in asked:
        emails.invited_to_wording(sign_up, wording_set)
    return len(asked)
