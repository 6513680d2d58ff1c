"""What accounts, log-ins and the histories that every app writes hold of people."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry

from psc_portal.accounts.models import Invitation, User
from psc_portal.common.models import AuditEvent
from psc_portal.common.personal_data import HISTORY, WORK, Held

HELD = [
    Held(
        User,
        "account",
        addresses=("email",),
        shown=("full_name", "email", "date_joined", "last_login", "is_active", "is_lay", "groups__name"),
        kept="Name, e-mail address, password and roles are erased; the row stays as “Erased person”.",
    ),
    Held(EmailAddress, "e-mail addresses", people=("user",), addresses=("email",), is_deleted=True),
    Held(Authenticator, "second factors", people=("user",), shown=("type", "created_at"), is_deleted=True),
    Held(
        UserSession,
        "log-ins",
        people=("user",),
        shown=("ip", "user_agent", "created_at", "last_seen_at"),
        is_deleted=True,
    ),
    Held(LogEntry, "changes noted by the admin", people=("user",), shown=("action_time", "object_repr"), kept=WORK),
    Held(
        Invitation,
        "invitations received",
        people=("accepted_by",),
        addresses=("email",),
        shown=("full_name", "email", "role", "is_lay", "created_at", "accepted_at"),
        erased={"full_name": "Erased person", "email": "erased@invalid"},
        kept="That somebody was invited stays.",
    ),
    Held(Invitation, "invitations sent", people=("invited_by",), shown=("role", "created_at"), kept=WORK),
    Held(
        AuditEvent,
        "what this person did",
        people=("by",),
        shown=("at", "verb", "subject_type", "subject_id"),
        kept=HISTORY,
    ),
]
