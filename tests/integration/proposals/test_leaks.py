"""What must not be seen, looked for at every address of the portal by everyone who must not see it.

Each kind of secret carries a word of its own. A new address is walked by itself; one with a new kind of parameter
fails the walk until a value for it is given below.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal

import pypdf
import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern
from django.utils import timezone

from proposals.models import (
    Attachment,
    CallReminder,
    Collaborator,
    ConflictOfInterest,
    CriterionFeedback,
    Decision,
    DraftVersion,
    FeedbackLetter,
    Message,
    PanelScore,
    Proposal,
)
from psc_portal.common import audit, outbox, registry
from psc_portal.common.models import AuditEvent, OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory
from tests.factories.proposals import (
    AssignmentFactory,
    CallFactory,
    ProposalFactory,
    complete_answers,
    review_of,
)

pytestmark = pytest.mark.django_db

TEXT, PEOPLE, SCORES, VERDICT, MESSAGE, FILE = "zqtext", "zqpeople", "zqreason", "zqverdict", "zqmessage", "zqfile"
ALL = (TEXT, PEOPLE, SCORES, VERDICT, MESSAGE, FILE)
ODD_SCORES, TOTAL, MEAN = [1, 5, 4, 5, 2, 4], "3.55", "3.18"  # of the weights 20, 25, 15, 20, 15, 5; with two threes
NAMES_PEOPLE = (
    "organisation_name",
    "partner_roles",
    "adopters",
    "adopter-1-organisation",
    "evaluated_where",
    "evaluation-1-where",
    "evaluation-1-link",
    "other_funders",
)

FORBIDDEN = {
    "anonymous": ALL,
    "another applicant": ALL,
    "a reviewer of another call": ALL,
    "an assigned reviewer before declaring": (TEXT, SCORES, VERDICT, MESSAGE, FILE),
    "a reviewer with a conflict": ALL,
    "a reviewer who declined": ALL,
    "a cleared reviewer who has not locked": (SCORES, VERDICT, MESSAGE),
    "a reviewer who has locked and not asked": (SCORES, VERDICT, MESSAGE),
    "a reviewer who has seen the others": (VERDICT, MESSAGE),
    "staff with a conflict": ALL,
    "staff who are to review it": (SCORES,),
    "the applicant": (SCORES, VERDICT),
    "a collaborator who reads": (SCORES, VERDICT),
    "a collaborator who has left": ALL,
}
BLIND = {
    "a cleared reviewer who has not locked": (PEOPLE, SCORES, VERDICT, MESSAGE, FILE),
    "a reviewer who has seen the others": (PEOPLE, VERDICT, MESSAGE, FILE),
    "an assigned reviewer before declaring": ALL,
}


class World:
    """One proposal with a secret in each of its places, and everybody who may want to read it."""

    def __init__(self, *, is_blind):
        self.call = CallFactory(in_assessment=True, is_blind=is_blind, slug="secret-call", title="The call")
        # the register is public: only in a blind call is it a secret which of its organisations it is
        self.organisation = OrganisationFactory(**{"name": f"{PEOPLE} hospital"} if is_blind else {})
        self.partner = OrganisationFactory(**{"name": f"{PEOPLE} partner"} if is_blind else {})
        self.applicant = UserFactory(full_name=f"Ann {PEOPLE}", email=f"ann@{PEOPLE}.example")
        self.proposal = self._proposal()
        self.people = self._people()
        self._decide()

    def _proposal(self) -> Proposal:
        answers = complete_answers(self.call, self.organisation)
        texts = {name for name, value in answers.items() if isinstance(value, str) and " " in value}
        answers |= {name: f"{value} {TEXT}" for name, value in answers.items() if name in texts}
        answers |= dict.fromkeys(NAMES_PEOPLE, f"{PEOPLE} and others")
        proposal = ProposalFactory(
            call=self.call,
            applicant=self.applicant,
            in_assessment=True,
            title=f"Fewer falls {TEXT}",
            lay_summary=f"What we do {TEXT}",
            organisation=self.organisation,
            answers=answers,
            interests=f"{PEOPLE} owns shares",
            partners=[self.partner],
        )
        DraftVersion.objects.create(
            proposal=proposal, number=1, answers=answers, saved_by=self.applicant, saved_at=timezone.now()
        )
        Message.objects.create(proposal=proposal, by=self.applicant, is_from_team=True, text=f"May we ask {MESSAGE}")
        self.file = Attachment.objects.create(
            proposal=proposal,
            file=ContentFile(_pdf(), name="letter.pdf"),
            name=f"{FILE} letter.pdf",
            kind="pdf",
            size=1000,
            uploaded_by=self.applicant,
            uploaded_at=timezone.now(),
        )
        return proposal

    def _people(self) -> dict:
        proposal, locked = self.proposal, {"locked": True, "scores": [3] * 6, "total": Decimal(3)}
        self.others_review = review_of(proposal, **locked | {"scores": ODD_SCORES, "total": Decimal(TOTAL)})
        self.others_review.scores.update(reason=f"Because {SCORES}")
        type(self.others_review).objects.filter(pk=self.others_review.pk).update(comment=f"To the panel {SCORES}")
        kept = audit.snapshot(self.others_review, ["total", "status"])
        audit.record("lock_review", self.others_review, by=self.others_review.reviewer, after=kept)
        conflicted = AssignmentFactory(proposal=proposal, status="conflicted").reviewer
        staff_conflicted = UserFactory(staff=True)
        for user in (conflicted, staff_conflicted):
            ConflictOfInterest.objects.create(
                proposal=proposal, user=user, kind="close", source="declared", recorded_at=timezone.now()
            )
        seen = review_of(proposal, **locked)
        type(seen).objects.filter(pk=seen.pk).update(others_seen_at=timezone.now())
        both = UserFactory(staff=True, roles=["reviewer"])
        AssignmentFactory(proposal=proposal, reviewer=both, cleared=True)
        return {
            "anonymous": None,
            "another applicant": ProposalFactory(call=self.call, in_assessment=True).applicant,
            "a reviewer of another call": review_of(
                ProposalFactory(in_assessment=True, call__in_assessment=True)
            ).reviewer,
            "an assigned reviewer before declaring": AssignmentFactory(proposal=proposal).reviewer,
            "a reviewer with a conflict": conflicted,
            "a reviewer who declined": AssignmentFactory(proposal=proposal, status="declined").reviewer,
            "a cleared reviewer who has not locked": review_of(proposal).reviewer,
            "a reviewer who has locked and not asked": review_of(proposal, **locked).reviewer,
            "a reviewer who has seen the others": seen.reviewer,
            "staff with a conflict": staff_conflicted,
            "staff who are to review it": both,
            "the applicant": self.applicant,
            "a collaborator who reads": self._collaborator(),
            "a collaborator who has left": self._collaborator(left_at=timezone.now()),
        }

    def _collaborator(self, **fields):
        user = UserFactory()
        Collaborator.objects.create(
            proposal=self.proposal,
            email=user.email,
            user=user,
            role="view",
            invited_by=self.applicant,
            accepted_at=timezone.now(),
            **fields,
        )
        return user

    def _decide(self) -> None:
        """As far as it goes without the applicant being told."""
        staff = UserFactory(staff=True)
        decision = Decision.objects.create(
            proposal=self.proposal, outcome="declined", reasons=f"No, {VERDICT}", decided_by=staff,
            decided_at=timezone.now(),
        )  # fmt: skip
        letter = FeedbackLetter.objects.create(decision=decision, written_by=staff, opening=f"We say {VERDICT}")
        for criterion in self.call.criterion_set.criteria.all():
            CriterionFeedback.objects.create(letter=letter, criterion=criterion, text=f"On this {VERDICT}")
        PanelScore.objects.create(
            proposal=self.proposal, score=2, reason=f"Panel {VERDICT}", by=staff, at=timezone.now()
        )
        audit.record("decide", self.proposal, by=staff, after={"outcome": VERDICT})
        outbox.store_mail(to=[self.applicant.email], subject=f"{TEXT}: {VERDICT}", body=f"We say {VERDICT}")
        Proposal.objects.filter(pk=self.proposal.pk).update(status="declined")


def _pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Author": f"{PEOPLE} author", "/Title": f"{FILE} title"})
    with io.BytesIO() as file:
        writer.write(file)
        return file.getvalue()


def _reminder(world) -> CallReminder:
    asked = {"asked_at": timezone.now()}
    return CallReminder.objects.get_or_create(call=world.call, email="reminded@example.org", defaults=asked)[0]


# The walk -------------------------------------------------------------------------------------------------------------
PARAMETERS = {  # what the names in the portal's addresses stand for
    "slug": lambda world: [world.call.slug],
    "address": lambda world: [world.proposal.reference, world.proposal.public_id],
    "public_id": lambda world: [world.proposal.public_id],
    "file_id": lambda world: [world.file.public_id],
    "section": lambda world: ["about", "evidence"],
    "number": lambda world: [1],
    "pk": lambda world: list(world.proposal.collaborators.values_list("pk", flat=True)),
    "token": lambda world: ["not-an-invitation"],
    "rest": lambda world: ["form/"],
    "dataset": lambda world: [dataset.name for dataset in registry.datasets],
    "reminder_token": lambda world: [_reminder(world).token],
}


def addresses(world, resolver=None, namespace="", outer=()) -> Iterator[str]:
    """Every address of calls, proposals, audit trail and outbox, in site and admin, and each without parameters."""
    for entry in (resolver or get_resolver()).url_patterns:
        parameters = (*outer, *getattr(entry.pattern, "converters", {}))
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(world, entry, inner, parameters)
        elif isinstance(entry, URLPattern) and entry.name and "logout" not in entry.name:
            yield from _filled(world, entry, f"{namespace}{entry.name}", parameters)


def _filled(world, entry, name, parameters) -> Iterator[str]:
    if name.startswith(("admin:proposals_", "admin:common_")) and parameters:
        yield from (reverse(name, args=[pk]) for pk in _rows_of(entry.name))
    elif name.startswith(("proposals:", "data_set")) and parameters:
        yield from _combined(world, name, parameters)
    elif not parameters and isinstance(entry.pattern, RoutePattern):
        yield reverse(name)


def _rows_of(name) -> list:
    model = apps.get_model(*name.split("_")[:2])
    return list(model.objects.values_list("pk", flat=True)[:12])


def _combined(world, name, parameters) -> Iterator[str]:
    rows = [{}]
    for parameter in parameters:
        assert parameter in PARAMETERS, f"{name}: say above what <{parameter}> can stand for"
        rows = [row | {parameter: value} for row in rows for value in PARAMETERS[parameter](world)]
    return (reverse(name, kwargs=row) for row in rows)


def words_of(response) -> str:
    """All that a response tells, with what is packed inside XLSX and PDF."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    told = content.decode("utf-8", errors="replace") + str(response.headers)
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            told += "".join(archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist())
    if content.startswith(b"%PDF-"):
        reader = pypdf.PdfReader(io.BytesIO(content))
        told += "".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
    return told.lower()


MEANT_TO_TELL = (
    "/my/affiliations/",
    "/pledges/sign-up/organisation/",
    "/subscriptions/",
    "/feeds/",
    "/admin/accounts/",  # these five list every organisation or account
    "/data/organisations",
    "/data/open-data.zip",  # these two list every organisation, as the search does; the other files are walked too
    "/demo/mailbox/",  # a demonstration's mail, which goes nowhere else; there is no such page without DEMO=1
)


def tells(told: str, word: str) -> bool:
    """Whether the word stands there; a number only as a whole one, as a time of day may hold its digits."""
    return bool(re.search(rf"(?<!\d){re.escape(word)}0*(?!\d)", told)) if word in (TOTAL, MEAN) else word in told


def client_of(user, client_as):
    return Client() if user is None else client_as(user)


CASES = [
    (who, (*secrets, TOTAL, MEAN) if SCORES in secrets else secrets, is_blind)
    for forbidden, is_blind in ((FORBIDDEN, False), (BLIND, True))
    for who, secrets in forbidden.items()
]


@pytest.mark.parametrize(("who", "secrets", "is_blind"), CASES)
def test_no_address_tells_a_secret(who, secrets, is_blind, client_as):
    world = World(is_blind=is_blind)
    client = client_of(world.people[who], client_as)
    told, walked = [], 0

    for address in addresses(world):
        response = client.get(address)
        if response.status_code < 400:
            walked += 1
            words = words_of(response)
            told += [f"{address} tells {word}" for word in secrets if tells(words, word)]
    told = [one for one in told if not one.startswith(MEANT_TO_TELL)]

    assert told == []
    assert walked > 30  # the walk did reach the public pages and the lists


def test_the_walk_comes_by_the_trail_and_the_outbox_and_somebody_does_see_the_numbers(client_as):
    world = World(is_blind=False)
    events, mails = AuditEvent.objects.filter(verb="lock_review"), OutboxMessage.objects.filter(kind="mail")
    wanted = [
        reverse("admin:common_auditevent_change", args=[events.get().pk]),
        reverse("admin:common_outboxmessage_change", args=[mails.get().pk]),
    ]
    client = client_as(UserFactory(staff=True))

    assert set(wanted) <= set(addresses(world))
    ranking = words_of(client.get(reverse("admin:proposals_call_ranking", args=[world.call.pk])))
    review = words_of(client.get(reverse("admin:proposals_review_change", args=[world.others_review.pk])))
    assert (MEAN in ranking, TOTAL in review) == (True, True)


def test_the_walk_comes_by_the_ranking_and_its_downloads_which_tell_others_of_the_proposal(client_as):
    """Or the walk above would keep the secrets of pages that it never opens."""
    world = World(is_blind=False)
    wanted = [reverse(f"admin:proposals_call_{name}", args=[world.call.pk]) for name in RANKINGS]
    client = client_as(UserFactory(staff=True))

    assert set(wanted) <= set(addresses(world))
    assert [TEXT in words_of(client.get(address)) for address in wanted] == [True] * len(wanted)


RANKINGS = ("ranking", "ranking_csv", "ranking_xlsx")


@pytest.mark.parametrize(("who", "secrets"), [(who, words) for who, words in FORBIDDEN.items() if TEXT in words])
def test_no_search_tells_that_a_hidden_proposal_has_a_word(who, secrets, client_as):
    world = World(is_blind=False)
    client = client_of(world.people[who], client_as)
    lists = [reverse(f"admin:proposals_{model}_changelist") for model in ("proposal", "assignment", "review", "call")]

    found = [
        address
        for address in [*lists, reverse("search")]
        for word in (TEXT, PEOPLE)
        if world.proposal.reference.lower() in words_of(client.get(address, {"q": word}))
    ]

    assert found == []


STRANGERS = [who for who, words in FORBIDDEN.items() if words == ALL]


@pytest.mark.parametrize("who", STRANGERS)
def test_no_post_of_a_stranger_changes_a_proposal(who, client_as):
    world = World(is_blind=False)
    client = client_of(world.people[who], client_as)
    before = everything_about(world.proposal)

    for address in addresses(world):
        if "/proposals/" in address or "/calls/" in address:
            client.post(address, {"text": "mine", "title": "mine", "reason": "mine", "version": "1", "message": "mine"})

    assert everything_about(world.proposal) == before


def everything_about(proposal) -> dict:
    """The rows of this proposal and of all that hangs on it."""
    rows = {"proposal": list(Proposal.objects.filter(pk=proposal.pk).values())}
    for relation in Proposal._meta.related_objects:
        related = relation.related_model.objects.filter(**{relation.field.name: proposal.pk})
        rows[relation.related_model.__name__] = list(related.order_by("pk").values())
    return rows
