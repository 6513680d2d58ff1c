"""What organisations, projects, consultations, events and subscriptions hold of people."""

from functools import partial

from django.db.models import Q

from projects.actions import cancel_registration
from projects.models import (
    Affiliation,
    ConsultationAnswer,
    ConsultationResponse,
    ProjectLead,
    ProposedChange,
    Registration,
    Subscription,
)
from psc_portal.common import clock
from psc_portal.common.personal_data import WORK, Held

ANSWERED = "Answers in a public consultation stay, without the name: decisions rest on them."


def _named(user, to="") -> Q:
    """Answering takes no account and no address: the name is all that leads to a person."""
    return Q(**{f"{to}kind": "person", f"{to}name__iexact": user.full_name or user.email})


HELD = [
    Held(
        Affiliation,
        "affiliations",
        people=("user",),
        shown=("organisation__name", "role", "status", "signing", "answers_questions", "from_date", "to_date"),
        erased={"role": "Erased", "answers_questions": False},
        kept="They are ended; that somebody belonged there stays.",
    ),
    Held(Affiliation, "affiliations confirmed", people=("confirmed_by",), shown=("organisation__name",), kept=WORK),
    Held(
        ProjectLead,
        "projects led",
        people=("user",),
        shown=("project__title", "role", "from_date", "to_date"),
        kept=WORK,
    ),
    Held(
        ProposedChange,
        "changes proposed for public pages",
        people=("author",),
        shown=("project__title", "kind", "status", "after", "reason", "created_at", "updated_at"),
        kept=WORK,
    ),
    Held(
        Registration,
        "event registrations",
        addresses=("email",),
        shown=(
            "event__title",
            "event__starts_at",
            "status",
            "name",
            "email",
            "organisation",
            "comes",
            "access_needs",
            "registered_at",
        ),
        erased={"name": "", "email": "", "organisation": "", "access_needs": "", "erased_at": clock.now},
        kept="That somebody registered stays, so that places are counted right.",
    ),
    Held(
        ConsultationResponse,
        "consultation responses under this name",
        found=_named,
        shown=("consultation__title", "kind", "name", "status", "withheld_because", "created_at"),
        erased={"name": ""},
        kept=ANSWERED,
    ),
    Held(
        ConsultationAnswer,
        "consultation answers under this name",
        found=partial(_named, to="response__"),
        shown=("response__consultation__title", "question__text", "text"),
        kept=ANSWERED,
    ),
    Held(
        Subscription,
        "subscriptions",
        addresses=("email",),
        shown=("email", "frequency", "asked_at", "confirmed_at", "priorities__title", "organisations__name"),
        is_deleted=True,
    ),
]


def end_affiliations(*, user, email, by):
    """What stands ends by its own way, so that its history says so."""
    for affiliation in Affiliation.objects.filter(user=user, status__in=["claimed", "confirmed"]) if user else []:
        affiliation.change_status(Affiliation.Status.ENDED, by=by)
        affiliation.to_date = max(clock.today(), affiliation.from_date)
        affiliation.save(update_fields=["to_date"])


def give_places_back(*, user, email, by):
    """Somebody on the waiting list gets the place of whoever is erased."""
    coming = Registration.objects.live().filter(email__iexact=email, event__ends_at__gt=clock.now())
    for registration in coming.select_related("event") if email else []:
        cancel_registration(registration=registration, by=by)
