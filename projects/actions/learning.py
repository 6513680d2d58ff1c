"""The library, its topics, and offers. `by` None is the portal itself."""

from django.db import transaction

from projects import permissions
from projects.actions.events import SAVED_BEFORE
from projects.actions.storing import change, create, lock, require
from projects.models import LearningResource, LearningTopic, Offer
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug


@transaction.atomic
def create_topic(*, name, position=100, by) -> LearningTopic:
    require(permissions.can_manage(by))
    return create(LearningTopic, slug=unique_slug(LearningTopic, name), name=name.strip(), position=position, by=by)


@transaction.atomic
def edit_topic(*, learning_topic, name, position, by) -> LearningTopic:
    require(permissions.can_manage(by))
    return change(learning_topic, "edit_topic", {"name": name.strip(), "position": position}, by=by)


@transaction.atomic
def create_resource(*, title, topics, priorities=(), projects=(), by, **details) -> LearningResource:
    """Add something to the library.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: no topic, a lesson without its month, a second one for a month, or a text holds what it must not.
    """
    require(permissions.can_manage(by))
    _check_topics(topics)
    _check_month(details.get("kind"), details.get("lesson_month"))
    return create(
        LearningResource,
        slug=unique_slug(LearningResource, title),
        title=title,
        many={"topics": topics, "priorities": priorities, "projects": projects},
        by=by,
        **details,
    )


@transaction.atomic
def edit_resource(*, learning_resource, by, seen="", **details) -> LearningResource:
    require(permissions.can_manage(by))
    stored = lock(learning_resource)
    if seen and seen != stored.edit_mark:
        raise ActionRefused(SAVED_BEFORE)
    _check_topics(details.get("topics", True))
    _check_month(details.get("kind", stored.kind), details.get("lesson_month", stored.lesson_month))
    return change(learning_resource, "edit_resource", details, by=by)


def _check_topics(topics) -> None:
    if not topics:
        raise ActionRefused("Choose at least one topic, so that people find it.")


def _check_month(kind, month) -> None:
    is_lesson = kind == LearningResource.Kind.LESSON
    if is_lesson and month is None:
        raise ActionRefused("Say of which month this is the lesson.")
    if month is not None and not is_lesson:
        raise ActionRefused("Only a lesson of the month has a month. Leave it empty, or choose that kind.")


@transaction.atomic
def review_resource(*, learning_resource, review_due_on, by) -> LearningResource:
    """Say that it was looked at today and still holds."""
    require(permissions.can_manage(by))
    values = {"reviewed_on": clock.today(), "review_due_on": review_due_on}
    return change(learning_resource, "review_resource", values, by=by)


@transaction.atomic
def create_offer(*, title, priorities=(), by, **details) -> Offer:
    require(permissions.can_manage(by))
    return create(Offer, slug=unique_slug(Offer, title), title=title, many={"priorities": priorities}, by=by, **details)


@transaction.atomic
def edit_offer(*, offer, by, seen="", **details) -> Offer:
    require(permissions.can_manage(by))
    if seen and seen != lock(offer).edit_mark:
        raise ActionRefused(SAVED_BEFORE)
    return change(offer, "edit_offer", details, by=by)
