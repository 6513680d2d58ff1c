"""What pledges hold of people."""

from functools import partial

from django.db import transaction

from pledges.models import Buddy, ModerationNote, ProgressReminder, ProgressUpdate, SignUp
from psc_portal.common.personal_data import HISTORY, WORK, Held

HELD = [
    Held(
        SignUp,
        "pledges signed",
        people=("signatory",),
        shown=(
            "organisation_name",
            "status",
            "signatory_name",
            "signatory_role",
            "board_approved_on",
            "aim",
            "statements__text",
            "published_at",
        ),
        kept="The pledges are the organisation's: they stay. A name signed with is erased where it is the person's "
        "own, with the certificate that shows it.",
    ),
    Held(ModerationNote, "notes on pledges", people=("by",), shown=("to_status", "reasons", "at"), kept=HISTORY),
    Held(
        ProgressUpdate,
        "progress posted",
        people=("by",),
        shown=(
            "statement__sign_up__organisation_name",
            "made_on",
            "progress",
            "what_changed",
            "reason_stopped",
            "numbers_explained",
            "evidence",
        ),
        kept="The text is what the organisation says in public of its pledges: it is never edited and stays, without "
        "the name of whoever posted it.",
    ),
    Held(
        ProgressReminder,
        "reminders to post progress",
        people=("user",),
        shown=("sign_up__organisation_name", "step", "at"),
        is_deleted=True,
    ),
    Held(
        Buddy,
        "offers to be written to",
        people=("contact",),
        shown=("organisation__name", "offers", "opened_at", "closed_at"),
        kept=WORK,
    ),
]


def take_name_off(*, user, email, by):
    """A name that was signed with goes where it is the person's own; the public record keeps the role."""
    if user is None:
        return
    mine = SignUp.objects.filter(signatory=user, signatory_name=user.full_name)
    for sign_up in mine.exclude(certificate=""):
        transaction.on_commit(partial(sign_up.certificate.storage.delete, sign_up.certificate.name), robust=True)
    mine.update(signatory_name="Name removed", certificate="", certificate_sha256="")
