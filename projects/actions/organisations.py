"""Organisations and the people who belong to them. `by` None is the portal itself."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from projects import permissions
from projects.actions.storing import change, create, lock, require
from projects.leaving import people_to_take_over, place_of_duties
from projects.models import Affiliation, Organisation, System
from psc_portal.common import audit, clock, outbox
from psc_portal.common.hand_over import hand_over
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug


@transaction.atomic
def create_system(*, code, name, by) -> System:
    require(permissions.can_manage(by))
    return create(System, code=code.upper(), name=name, by=by)


@transaction.atomic
def create_organisation(*, name, ods_code=None, former_names=(), by, **details) -> Organisation:
    """Add an organisation; `details` are the remaining fields of its row."""
    require(permissions.can_manage(by))
    return create(
        Organisation,
        slug=unique_slug(Organisation, name),
        name=name,
        ods_code=(ods_code or "").strip().upper() or None,
        former_names=list(former_names),
        by=by,
        **details,
    )


@transaction.atomic
def edit_organisation(*, organisation, ods_code=None, by, **details) -> Organisation:
    """Change anything but its name, which `rename_organisation` does."""
    require(permissions.can_manage(by))
    if {"name", "slug", "former_names"} & set(details):
        raise ActionRefused("The name is changed by “rename”, which keeps the former one.")
    details["ods_code"] = (ods_code or "").strip().upper() or None
    return change(organisation, "edit_organisation", details, by=by)


@transaction.atomic
def rename_organisation(*, organisation, name, by) -> Organisation:
    """Give a new name and keep the former one; the address stays."""
    require(permissions.can_manage(by))
    stored = lock(organisation)
    if name.strip() == stored.name:
        raise ActionRefused("This is its name already. Enter the new one.")
    former_names = [*stored.former_names, stored.name]
    return change(organisation, "rename_organisation", {"name": name.strip(), "former_names": former_names}, by=by)


@transaction.atomic
def claim_affiliation(*, organisation, role, by, signs=False) -> Affiliation:
    """Say that one belongs to an organisation, and whether one signs for it; staff or who signs there confirm it.

    Raises:
        PermissionDenied: nobody is logged in.
        ActionRefused: claimed already, the organisation has closed, or the role is missing.
    """
    require(by is not None and permissions.can_claim(by))
    if not Organisation.objects.current().filter(pk=organisation.pk).exists():
        raise ActionRefused(f"{organisation} has closed. Choose the organisation that follows it.")
    signing = Affiliation.Signing.CLAIMED if signs else Affiliation.Signing.NO
    return create(
        Affiliation, user=by, organisation=organisation, role=role, signing=signing, from_date=clock.today(), by=by
    )


@transaction.atomic
def ask_to_sign(*, organisation, by) -> None:
    """Say that one signs for an organisation that one belongs to, or has claimed to. Said already: nothing changes."""
    live = Affiliation.objects.filter(
        user=by, organisation=organisation, status__in=[Affiliation.Status.CLAIMED, Affiliation.Status.CONFIRMED]
    )
    for affiliation in live.filter(signing=Affiliation.Signing.NO):
        _set_signing(affiliation, Affiliation.Signing.CLAIMED, by=by)


@transaction.atomic
def confirm_signatory(*, affiliation, by) -> Affiliation:
    """The person signs for the organisation from now on.

    Raises:
        PermissionDenied: `by` is neither staff nor a signatory there, or the claim is their own.
        ActionRefused: it is not confirmed that the person belongs there.
    """
    affiliation = lock(affiliation)
    require(permissions.can_answer_claim(by, affiliation))
    if affiliation.status != Affiliation.Status.CONFIRMED:
        raise ActionRefused("Confirm first that this person belongs to the organisation.")
    return _set_signing(affiliation, Affiliation.Signing.CONFIRMED, by=by)


@transaction.atomic
def decline_signatory(*, affiliation, by) -> Affiliation:
    """The person belongs to the organisation and does not sign for it."""
    affiliation = lock(affiliation)
    require(permissions.can_answer_claim(by, affiliation))
    return _set_signing(affiliation, Affiliation.Signing.NO, by=by)


def _set_signing(affiliation, signing, *, by) -> Affiliation:
    before = affiliation.signing
    affiliation.signing = signing
    affiliation.save(update_fields=["signing"])
    audit.record("affiliation_signing", affiliation, by=by, before={"signing": before}, after={"signing": str(signing)})
    return affiliation


@transaction.atomic
def answer_questions(*, affiliation, answers_questions, by) -> Affiliation:
    """Say whether one answers questions about the projects that one's organisation uses; nobody sees who does.

    Raises:
        PermissionDenied: it is somebody else's affiliation.
        ActionRefused: it has not been confirmed, or has ended.
    """
    require(affiliation.user_id == by.pk)
    if lock(affiliation).status != Affiliation.Status.CONFIRMED:
        raise ActionRefused("You can answer for an organisation once we have confirmed that you belong to it.")
    return change(affiliation, "answer_questions", {"answers_questions": answers_questions}, by=by)


@transaction.atomic
def confirm_affiliation(*, affiliation, by) -> Affiliation:
    require(permissions.can_answer_claim(by, affiliation))
    return _answer_claim(affiliation, Affiliation.Status.CONFIRMED, by=by)


@transaction.atomic
def decline_affiliation(*, affiliation, by) -> Affiliation:
    require(permissions.can_answer_claim(by, affiliation))
    return _answer_claim(affiliation, Affiliation.Status.DECLINED, by=by)


def _answer_claim(affiliation, status, *, by) -> Affiliation:
    before = affiliation.status
    affiliation.change_status(status, by=by)
    is_confirmed = status == Affiliation.Status.CONFIRMED
    affiliation.confirmed_by = by if is_confirmed else None
    affiliation.save(update_fields=["confirmed_by"])
    if affiliation.signing == Affiliation.Signing.CLAIMED:
        _set_signing(affiliation, Affiliation.Signing.CONFIRMED if is_confirmed else Affiliation.Signing.NO, by=by)
    audit.record(f"affiliation_{status}", affiliation, by=by, before={"status": before}, after={"status": status})
    if affiliation.user.is_active:
        outbox.send_mail(
            to=[affiliation.user.email],
            template="projects/affiliation_answered",
            context={
                "name": affiliation.user.display_name,
                "organisation": str(affiliation.organisation),
                "is_confirmed": is_confirmed,
                "url": settings.PORTAL_URL + reverse("projects:affiliation_list"),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"affiliation-{affiliation.pk}-{status}",
        )
    return affiliation


@transaction.atomic
def end_affiliation(*, affiliation, by, successors=None) -> Affiliation:
    """The person no longer belongs there, or takes the claim back. What they did there keeps its history.

    What they look after goes to `successors` ({key of the duty: person or None}); what nobody takes over, to staff.
    """
    require(permissions.can_end_affiliation(by, affiliation))
    affiliation.status = before = lock(affiliation).status
    if before == Affiliation.Status.CONFIRMED:
        among = {person.pk for person in people_to_take_over(affiliation)}
        for person in filter(None, (successors or {}).values()):
            if person.pk not in among:
                raise ActionRefused(f"{person.display_name} does not belong to {affiliation.organisation}.")
        place = place_of_duties(affiliation)
        hand_over(user=affiliation.user, successors=successors or {}, by=by, organisation_pk=place)
    affiliation.change_status(Affiliation.Status.ENDED, by=by)
    affiliation.to_date = max(clock.today(), affiliation.from_date)
    affiliation.save(update_fields=["to_date"])
    audit.record("end_affiliation", affiliation, by=by, before={"status": before}, after={"status": "ended"})
    return affiliation
