"""Mails about projects; each leaves through the outbox. No page says to whom."""

from django.conf import settings
from django.urls import reverse

from projects.models import ProposedChange
from psc_portal.common import outbox


def change_proposed(proposed_change) -> None:
    """To the staff: a project lead has proposed a change of a public page."""
    outbox.send_mail(
        to=[settings.COLLABORATIVE["email"]],
        template="projects/change_proposed",
        context={
            "what": proposed_change.get_kind_display().lower(),
            "project": proposed_change.project.title,
            "author": proposed_change.author.display_name,
            "url": settings.PORTAL_URL + reverse("admin:projects_proposedchange_change", args=[proposed_change.pk]),
            "collaborative": settings.COLLABORATIVE,
        },
    )


def question(
    *, to: str, project, organisation, name: str, email: str, message: str, is_for_staff: bool, key: str
) -> None:
    """A question of a visitor to one person who can answer it; a reply goes to the visitor."""
    outbox.send_mail(
        to=[to],
        template="projects/question",
        context={
            "project": project.title,
            "organisation": organisation.name if organisation else "",
            "name": name,
            "email": email,
            "message": message,
            "is_for_staff": is_for_staff,
            "page_url": settings.PORTAL_URL + project.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
        key=key,
        reply_to=email,
    )


def change_answered(proposed_change) -> None:
    """To the lead: what became of it."""
    if not proposed_change.author.is_active:
        return
    outbox.send_mail(
        to=[proposed_change.author.email],
        template="projects/change_answered",
        context={
            "name": proposed_change.author.display_name,
            "what": proposed_change.get_kind_display().lower(),
            "project": proposed_change.project.title,
            "is_approved": proposed_change.status == ProposedChange.Status.APPROVED,
            "reason": proposed_change.reason,
            "page_url": settings.PORTAL_URL + proposed_change.project.get_absolute_url(),
            "edit_url": settings.PORTAL_URL + proposed_change.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
    )
