"""A visitor writes to those who work on a project, without either side's address on a page."""

import hashlib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from projects import emails
from projects.actions.storing import require
from projects.models import Affiliation, ProjectLead
from psc_portal.common import clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def contact_project(*, project, name, email, message, organisation=None, by=None) -> None:
    """Send a message to the leads of a public project, or to who answers for an organisation that uses it.

    Where nobody is there, programme staff get it. The same message sent twice on a day leaves once. No row is kept but
    the mail itself, and the sender gets no copy: the form must not send mail to an address that a stranger typed.

    Raises:
        PermissionDenied: the project is not public.
        ActionRefused: the address is none, or a text is missing or holds an NHS number.
    """
    require(project.is_public)
    if not name.strip() or not message.strip():
        raise ActionRefused("Enter your name and your message.")
    try:
        validate_email(email)
    except ValidationError as error:
        raise ActionRefused("Enter an email address in the correct format, like name@example.com.") from error
    refuse_nhs_numbers({"Your message": message, "Your name": name})
    if organisation and not project.adoptions.filter(organisation=organisation).exists():
        raise ActionRefused("This organisation is not noted for this project. Choose another one.")
    people = _people(project, organisation)
    said = hashlib.sha256(f"{project.pk} {organisation and organisation.pk} {email} {message}".encode()).hexdigest()
    for address in sorted(people) or [settings.COLLABORATIVE["email"]]:
        to = hashlib.sha256(address.encode()).hexdigest()[:12]
        emails.question(
            to=address,
            project=project,
            organisation=organisation,
            name=" ".join(name.split()),
            email=email,
            message=message,
            is_for_staff=not people,
            key=f"projects.question {clock.today()} {said[:24]} {to}",
        )


def _people(project, organisation) -> set[str]:
    if organisation:
        rows = Affiliation.objects.answering(organisation)
    else:
        rows = ProjectLead.objects.current().filter(project=project, user__is_active=True)
    return set(rows.values_list("user__email", flat=True))
