"""Mails about pledges; each leaves through the outbox."""

from django.conf import settings
from django.urls import reverse

from projects.models import Affiliation
from psc_portal.common import outbox


def _send(to, template, sign_up, key=None, **context):
    known = {
        "collaborative": settings.COLLABORATIVE,
        "organisation": sign_up.organisation.name,
        "name": sign_up.signatory.display_name,
        "edit_url": settings.PORTAL_URL + sign_up.get_edit_url(),
        "public_url": settings.PORTAL_URL + sign_up.get_absolute_url(),
    }
    outbox.send_mail(to=to, template=f"pledges/{template}", context=known | context, key=key)


def submitted(sign_up):
    """A receipt for the signatory, and a word to the staff."""
    _send([sign_up.signatory.email], "submitted", sign_up, is_confirmed=sign_up.is_confirmed)
    admin_url = settings.PORTAL_URL + reverse("admin:pledges_signup_change", args=[sign_up.pk])
    _send([settings.COLLABORATIVE["email"]], "to_moderate", sign_up, admin_url=admin_url)


def published(sign_up):
    _send([sign_up.signatory.email], "published", sign_up)


def returned(sign_up, reasons):
    _send([sign_up.signatory.email], "returned", sign_up, reasons=reasons)


def invited_to_wording(sign_up, wording_set):
    """To the signatory while they belong to the organisation; each set once."""
    people = Affiliation.objects.current().filter(organisation=sign_up.organisation_id, user__is_active=True)
    if not (people.filter(user=sign_up.signatory_id).exists()):
        return
    _send(
        [sign_up.signatory.email],
        "new_wording",
        sign_up,
        key=f"pledges.new_wording {wording_set.pk} {sign_up.pk}",
        wording_set=wording_set,
        start_url=settings.PORTAL_URL + reverse("pledges:sign_up_start"),
    )


def reminder(person, sign_ups):
    """One mail for all of them."""
    rows = [(one, one.freshness, settings.PORTAL_URL + one.get_absolute_url()) for one in sign_ups]
    outbox.send_mail(
        to=[person.email],
        template="pledges/reminder",
        context={"collaborative": settings.COLLABORATIVE, "name": person.display_name, "rows": rows},
    )
