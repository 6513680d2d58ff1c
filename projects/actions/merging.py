"""Organisations merge: what is open moves to the successor, history stays with the name of its time."""

import datetime as dt

from django.db import transaction

from projects import permissions
from projects.actions.storing import create, lock, require
from projects.models import Organisation, Succession
from psc_portal.common import audit, clock, registry
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


def steps_of_merger(organisation, successor, on: dt.date) -> list[registry.MergeStep]:
    """What a merger would touch, in every app, in the order in which it is done."""
    return registry.merging.collect(organisation, successor, on)


@transaction.atomic
def merge_organisations(*, organisation, successor, on, reason, by, also=()) -> Organisation:
    """Close an organisation into its successor from the day `on`, with everything that is open, in one transaction.

    `also`: where it was split, further organisations that follow it; what was open moves to `successor` alone.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: it has a successor already, the successor has closed or comes after it, or the day has not come.
    """
    require(permissions.can_manage(by))
    refuse_nhs_numbers({"Reason": reason})
    followers = [successor, *(one for one in also if one.pk != successor.pk)]
    rows = {one.pk: one for one in (organisation, *followers)}
    stored = {pk: lock(rows[pk]) for pk in sorted(rows)}  # in one order, so that two mergers never wait for each other
    organisation = stored[organisation.pk]
    followers = [stored[one.pk] for one in followers]
    _refuse_wrong_merger(organisation, followers, on, reason)
    for step in steps_of_merger(organisation, followers[0], on):
        if step.act:
            step.act(by=by)
    before = audit.snapshot(organisation, ["closed_on", "successor"])
    organisation.closed_on, organisation.successor = on, followers[0]
    organisation.save(update_fields=["closed_on", "successor"])
    for number, one in enumerate(followers):
        create(
            Succession,
            organisation=organisation,
            successor=one,
            name=organisation.name,
            took_effect_on=on,
            reason=reason,
            takes_over=number == 0,
            by=by,
        )
    after = audit.snapshot(organisation, ["closed_on", "successor"])
    audit.record("merge_organisations", organisation, by=by, before=before, after=after)
    return organisation


def _refuse_wrong_merger(organisation, followers, on, reason):
    if not reason.strip():
        raise ActionRefused("Say why, for whoever reads the history: for example the order that merged them.")
    if organisation.successor_id:
        raise ActionRefused(f"{organisation} has a successor already: {organisation.successor}.")
    if on > clock.today():
        raise ActionRefused("Record a merger once it has taken effect: give a day that has come.")
    if organisation.opened_on and on < organisation.opened_on:
        raise ActionRefused("The merger is before the organisation opened. Change the day.")
    for one in followers:
        if one.pk == organisation.pk:
            raise ActionRefused("An organisation cannot follow itself. Choose another successor.")
        if (newest := one.newest_successor) and newest.pk == organisation.pk:
            raise ActionRefused(f"{one} was itself followed by {organisation}. Choose another successor.")
        if one.closed_on and one.closed_on <= clock.today():
            raise ActionRefused(f"{one} has closed. Choose the organisation that follows it.")
