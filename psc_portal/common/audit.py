"""The audit trail: who did what to which row. Append-only in PostgreSQL itself."""

from django.db import models

from psc_portal.common import public_pages
from psc_portal.common.models import AuditEvent


def snapshot(obj, fields) -> dict:
    """The named fields of a row as plain values. Free text is told by its length only: the trail is never erased."""
    values = {}
    for name in fields:
        field = obj._meta.get_field(name)
        if field.many_to_many:
            values[name] = sorted(getattr(obj, name).values_list("pk", flat=True))
        elif isinstance(field, models.TextField):
            values[name] = f"({len(getattr(obj, name).split())} words)"
        else:
            value = field.value_from_object(obj)
            values[name] = value if value is None or isinstance(value, bool | int | float) else str(value)
    return values


def record(verb, subject, *, by, before=None, after=None) -> AuditEvent:
    """Store one event in this transaction. `by` None means the portal itself.

    Whatever is worth an event may show on a public page, so those are made anew.
    """
    public_pages.changed()
    return AuditEvent.objects.create(
        verb=verb,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        by=by,
        before=before or {},
        after=after or {},
    )


def record_export(model, *, by, **what) -> AuditEvent:
    """Store that rows of `model` left the portal. Nothing has changed, so public pages stay as they are."""
    return AuditEvent.objects.create(
        verb="export", subject_type=model._meta.label_lower, subject_id="", by=by, after=what
    )


def record_many(verb, subjects, *, by, after) -> None:
    """One event for each of many rows, in one query. `after`: what to keep of each, in the same order."""
    if subjects:
        public_pages.changed()
    AuditEvent.objects.bulk_create(
        AuditEvent(verb=verb, subject_type=one._meta.label_lower, subject_id=str(one.pk), by=by, after=kept)
        for one, kept in zip(subjects, after, strict=True)
    )
