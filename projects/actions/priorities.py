"""Priorities. `by` None is the portal itself."""

from django.db import transaction

from projects import permissions
from projects.actions.storing import REFUSALS, change, create, require
from projects.models import Priority
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug


@transaction.atomic
def create_priority(*, title, summary, kind=Priority.Kind.LOCAL, by, **details) -> Priority:
    require(permissions.can_manage(by))
    slug = unique_slug(Priority, title)
    return create(Priority, slug=slug, title=title, summary=summary, kind=kind, by=by, **details)


@transaction.atomic
def edit_priority(*, priority, by, **details) -> Priority:
    """Change its words, order and dates. Whether it is a must-do topic is not for the portal to change.

    Raises:
        ActionRefused: a must-do topic would be hidden by a first day in the future.
    """
    require(permissions.can_manage(by))
    if {"kind", "slug", "to_date"} & set(details):
        raise ActionRefused("Its kind and its address stay as they are; to end it, retire it.")
    if priority.is_must_do and details.get("from_date", priority.from_date) > clock.today():
        raise ActionRefused("A national must-do topic is always shown: choose a first day that is not in the future.")
    return change(priority, "edit_priority", details, by=by)


@transaction.atomic
def retire_priority(*, priority, to_date, by) -> Priority:
    """Say until when a local priority is one; its page stays.

    Raises:
        ActionRefused: it is a national must-do topic, or the day is before its first.
    """
    require(permissions.can_manage(by))
    if priority.is_must_do:
        raise ActionRefused(REFUSALS["must_do_topics_are_never_retired"])
    return change(priority, "retire_priority", {"to_date": to_date}, by=by)
