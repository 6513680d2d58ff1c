"""Staff check what was submitted: publish it, return it with reasons, end it."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from pledges import emails, permissions
from pledges.actions.certificates import order_certificate
from pledges.models import ModerationNote, SignUp
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

Status = SignUp.Status


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
            f"It is not confirmed that {sign_up.signatory.display_name} signs for {sign_up.organisation.name}. "
            "Confirm the affiliation first, then publish."
        )
    refuse_nhs_numbers(sign_up.texts(), explained=sign_up.numbers_explained)
    for earlier in SignUp.objects.public().filter(organisation=sign_up.organisation_id):
        close(earlier, Status.ENDED, f"Followed by the pledges to “{sign_up.wording_set}”.", by)
    sign_up.published_at = clock.now()
    sign_up.organisation_name = sign_up.organisation.name
    sign_up.save(update_fields=["published_at", "organisation_name"])
    sign_up.change_status(Status.PUBLISHED, by=by)
    audit.record("publish", sign_up, by=by)
    emails.published(sign_up)
    order_certificate(sign_up)
    return sign_up


@transaction.atomic
def return_sign_up(*, sign_up, reasons, by):
    """Give the pledges back to the organisation with reasons; they can be changed and submitted again."""
    sign_up = _moderated(sign_up, by)
    close(sign_up, Status.RETURNED, reasons, by)
    emails.returned(sign_up, reasons)
    return sign_up


@transaction.atomic
def end_sign_up(*, sign_up, reasons, by):
    """The plan period is over, or the organisation has merged: the page stays and says so."""
    sign_up = _moderated(sign_up, by)
    close(sign_up, Status.ENDED, reasons, by)
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
    close(sign_up, Status.WITHDRAWN, reasons, by)
    return sign_up


def close(sign_up, status, reasons, by):
    """Move on with reasons, which the members read. Whether `by` may was asked before."""
    refuse_nhs_numbers({"Reasons": reasons})
    sign_up.change_status(status, by=by)
    ModerationNote.objects.create(sign_up=sign_up, to_status=status, reasons=reasons, by=by)
    audit.record(str(status), sign_up, by=by)
