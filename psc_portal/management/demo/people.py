"""The demonstration's people. Their log-ins are public: they work with DEMO=1 only."""

from typing import NamedTuple

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password
from django.db import transaction

from projects import actions as projects
from psc_portal.accounts import actions as accounts
from psc_portal.accounts.models import Role, User
from psc_portal.common import clock

PASSWORD = "golden-thread-2026"  # noqa: S105  printed in the README


class Person(NamedTuple):
    key: str
    full_name: str
    who: str
    role: Role | None = None
    is_lay: bool = False
    organisation: str = ""  # key of World.organisations
    post: str = ""
    totp_secret: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


PEOPLE = [
    Person("staff", "Sam Okafor", "Programme staff: runs calls, decides, edits pages", Role.PROGRAMME_STAFF,
           totp_secret="JBSWY3DPEHPK3PXPSTAFFAAAAAAAAAAA"),
    Person("reviewer", "Rosa Lindqvist", "Reviewer, clinical", Role.REVIEWER, organisation="RP7", post="Consultant nurse",
           totp_secret="JBSWY3DPEHPK3PXPREVAAAAAAAAAAAAA"),
    Person("reviewer2", "Imran Shah", "Reviewer, improvement science", Role.REVIEWER, organisation="RNS",
           post="Improvement lead", totp_secret="JBSWY3DPEHPK3PXPREVBAAAAAAAAAAAA"),
    Person("reviewer3", "Grace Adeyemi", "Reviewer, member of the public", Role.REVIEWER, is_lay=True,
           totp_secret="JBSWY3DPEHPK3PXPREVCAAAAAAAAAAAA"),
    Person("lead", "Leila Haddad", "Lead: writes and publishes the annual report, keeps the measurement plan", Role.LEAD,
           totp_secret="JBSWY3DPEHPK3PXPLEADAAAAAAAAAAAA"),
    Person("innovator", "Ines Moreau", "Innovator: writes proposals", organisation="RX1", post="Falls prevention lead"),
    Person("innovator2", "Theo Brandt", "Innovator from a small company", organisation="harbour", post="Founder"),
    Person("signatory", "Priya Nair", "Signs the pledges of University Hospitals of Leicester", organisation="RWE",
           post="Medical director"),
    Person("member", "Owen Clarke", "Member of Lincolnshire Community Health Services", organisation="RY5",
           post="Quality manager"),
    Person("owner", "Amara Diallo", "Owns metrics and enters data for Chesterfield Royal Hospital", organisation="RFS",
           post="Patient safety analyst", totp_secret="JBSWY3DPEHPK3PXPOWNERAAAAAAAAAAA"),
]  # fmt: skip


@transaction.atomic
def make(world):
    hashed = make_password(PASSWORD)  # made slow on purpose: once is enough
    with clock.at(world.moment(days_ago=1200)):
        for person in PEOPLE:
            user = User.objects.create(
                email=person.email,
                password=hashed,
                full_name=person.full_name,
                is_lay=person.is_lay,
                is_demonstration=True,
            )
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            if person.role:
                accounts.grant_role(user=user, role=person.role, by=None)
            if person.totp_secret:
                TOTP.activate(user, person.totp_secret)
            world.users[person.key] = User.objects.get(pk=user.pk)
    with clock.at(world.moment(days_ago=1100)):
        for person in PEOPLE:
            if person.organisation:
                _join(world, person)


def _join(world, person):
    affiliation = projects.claim_affiliation(
        organisation=world.organisations[person.organisation], role=person.post, by=world.users[person.key]
    )
    projects.confirm_affiliation(affiliation=affiliation, by=world.users["staff"])
    if person.key == "member":
        affiliation.refresh_from_db()
        projects.answer_questions(affiliation=affiliation, answers_questions=True, by=world.users[person.key])


def totp_of(user) -> TOTP:
    return TOTP(Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP))
