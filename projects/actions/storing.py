"""How every action stores: checked, refused in a sentence, audited, and shown to the public at once."""

from collections.abc import Mapping
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction

from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.public_pages import changed
from psc_portal.common.refusals import ActionRefused

REFUSALS = {  # constraint in the database -> what a person is told
    "projects_system_code_key": "There is already a system with this code. Look for it in the list.",
    "projects_system_name_key": "There is already a system of this name. Look for it in the list.",
    "projects_organisation_ods_code_key": "Another organisation has this ODS code. Look for it in the list.",
    "organisation_is_not_its_own_successor": "An organisation cannot follow itself. Choose another successor.",
    "organisation_closes_after_it_opens": "The closing date is before the opening date. Change one of the two.",
    "projects_priority_title_key": "There is already a priority of this name. Choose another name.",
    "priority_ends_after_start": "The last day is before the first day. Change one of the two.",
    "must_do_topics_are_never_retired": "A national must-do topic stays a priority. You can edit its words.",
    "consultation_closes_after_it_opens": "It closes before it opens. Change one of the two times.",
    "project_ends_after_start": "The end is before the start. Change one of the two dates.",
    "one_live_affiliation_of_a_person_with_an_organisation": (
        "You have already said that you belong to this organisation. Look for it in your list."
    ),
    "event_ends_after_it_starts": "The end is before the start. Change one of the two.",
    "registration_closes_before_the_event_ends": "Registration closes after the event ends. Choose an earlier moment.",
    "event_in_person_names_its_place": "Say where people meet: name and address.",
    "learning_topic_name_once": "There is already a topic of this name. Look for it in the list.",
    "one_lesson_a_month": "This month has a lesson already. Choose another month, or edit that lesson.",
    "next_review_after_the_last": "The next review must be after the last one. Change one of the two dates.",
    "offer_closes_after_it_opens": "It closes before it opens. Change one of the two.",
    "one_open_lead_row_a_person": "This person leads the project already.",
    "projects_project_slug_key": "Someone else has just saved a project of this name. Try again.",
    "projects_priority_slug_key": "Someone else has just saved a priority of this name. Try again.",
    "projects_organisation_slug_key": "Someone else has just saved an organisation of this name. Try again.",
}


@contextmanager
def constraints_as_refusals():
    """What a named constraint does not let in becomes a sentence; anything else stays an error."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if sentence := REFUSALS.get(error.__cause__.diag.constraint_name):
            raise ActionRefused(sentence) from error
        raise


def require(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


def check(model, values: Mapping) -> None:
    """Refuse what is missing, too long, not in its list or holds an NHS number, naming the place as the forms do."""
    texts = {}
    for field, value in [(model._meta.get_field(name), value) for name, value in values.items()]:
        place = field.verbose_name[:1].upper() + field.verbose_name[1:]
        if getattr(field, "choices", None):
            if value not in {choice for choice, _label in field.flatchoices} | ({""} if field.blank else set()):
                raise ActionRefused(f"{place}: choose one from the list.")
        elif isinstance(field, models.CharField | models.TextField):
            texts[place] = value or ""
            if not texts[place].strip() and not field.blank:
                raise ActionRefused(f"{place}: enter some text.")
            if field.max_length and len(texts[place]) > field.max_length:
                raise ActionRefused(f"{place}: use {field.max_length} characters or fewer.")
    refuse_nhs_numbers(texts)


def create(model, *, by, many=None, **values):
    """A new row with its links to many, and its audit event."""
    many = many or {}
    check(model, values)
    with constraints_as_refusals():
        row = model.objects.create(**values)
        for name, rows in many.items():
            getattr(row, name).set(rows)
    audit.record(f"create_{model._meta.model_name}", row, by=by, after=audit.snapshot(row, [*values, *many]))
    changed()
    return row


def lock(row):
    """The stored row, which nobody else changes until this transaction ends."""
    return type(row)._base_manager.select_for_update(of=("self",)).get(pk=row.pk)


def change(row, verb: str, values: Mapping, *, by):
    """Set fields of a row, links to many included, with one audit event that holds both sides."""
    check(type(row), values)
    stored = lock(row)
    before = audit.snapshot(stored, values)
    columns = [name for name in values if not row._meta.get_field(name).many_to_many]
    with constraints_as_refusals():
        for name, value in values.items():
            if name in columns:
                setattr(row, name, value)
            else:
                getattr(row, name).set(value)
        row.save(update_fields=columns)
    after = audit.snapshot(row, values)
    audit.record(verb, row, by=by, before=before, after=after)
    changed()
    return row
