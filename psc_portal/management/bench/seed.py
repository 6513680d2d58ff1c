"""A portal with many proposals and reviews, written in bulk: only what is measured, with text of a real length."""

import datetime as dt
import random
from decimal import Decimal

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse

from projects.models import Affiliation, Organisation, Priority, System
from proposals import actions, permissions, questions, scoring
from proposals.models import (
    Assignment,
    Call,
    ConflictOfInterest,
    CriterionSet,
    CriterionWeight,
    Proposal,
    Review,
    Score,
)
from psc_portal.accounts import second_factor
from psc_portal.accounts.models import Role, User
from psc_portal.common import clock
from psc_portal.content.models import Page, PageVersion

WEIGHTS = (20, 25, 15, 20, 15, 5)
REVIEWS_OF_A_REVIEWER = 100  # at every size, so that a reviewer's list has as many rows
REVIEWS_OF_EACH = 3
PAGES_OF_2000 = 5000  # pages beside so many proposals
RARE = "catheter"  # on every thousandth page
AT_ONCE = 2000
SHORT = {"line": "Two wards of a hospital", "whole": "12", "number": "6.6", "money": "12,500", "date": "31/3/2028"}
TEXT = """
    the a of to and in for on with by that this we they staff patients carers ward team hospital community surgery falls
    pressure sepsis discharge medicine check week month harm safety improvement metric chart baseline data nurse doctor
    pharmacist family training pathway evidence site spread cost saved reduced measured found agreed tested changed need
"""
WORDS = TEXT.split()


def seed(proposals: int) -> dict:
    """Fill an empty, migrated database. Returns addresses of pages to measure, and the cookies to ask for them with."""
    chance = random.Random(2014)
    people = _people(chance, reviewers=max(4, proposals * REVIEWS_OF_EACH // REVIEWS_OF_A_REVIEWER))
    places = _places(chance, people)
    calls = _calls(chance, people["staff"], places)
    criteria = list(calls["assessed"].criterion_set.criteria.all())
    written = _proposals(chance, proposals, calls, people, places)
    _reviews(chance, written, people["reviewers"], criteria)
    actions.analyse_ranking(call=calls["assessed"])
    _pages(chance, proposals * PAGES_OF_2000 // 2000)
    draft = Proposal.objects.create(
        call=calls["open"],
        applicant=people["innovator"],
        title="A draft",
        answers=_answers(chance, places["organisations"][0], places["priorities"]),
        version=1,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    review = _review_to_write()
    asked = questions.BY_SLUG["about"].names()
    return {
        "addresses": _addresses(calls, draft, review),
        "typed": {name: answer for name, answer in draft.answers.items() if name in asked},
        "cookies": _cookies(staff=people["staff"], reviewer=review.reviewer, innovator=people["innovator"]),
    }


def _text(chance, words: int) -> str:
    sentences, left = [], words
    while left > 0:
        length = min(chance.randint(6, 18), left)
        sentences.append(" ".join(chance.choices(WORDS, k=length)).capitalize() + ".")
        left -= length
    return " ".join(sentences)


def _pages(chance, count) -> None:
    """Published pages of some length; the words of the text are on nearly all of them."""
    pages = Page.objects.bulk_create([Page(slug=f"bench-page-{number}") for number in range(count)])
    PageVersion.objects.bulk_create(
        (
            PageVersion(
                page=page, number=1, title=_text(chance, 6),
                body=_text(chance, 250) + (f" {RARE}" if number % 1000 == 0 else ""),
            )
            for number, page in enumerate(pages)
        ),
        batch_size=AT_ONCE,
    )  # fmt: skip


def _people(chance, *, reviewers: int) -> dict:
    def user(name, **more):
        return User(
            email=f"{name.replace(' ', '.').lower()}@bench.example", full_name=name, password=UNUSABLE_PASSWORD_PREFIX,
            **more,
        )  # fmt: skip

    staff, innovator = user("Sam Staff", is_staff=True), user("Ina Innovator")
    reviewing = [user(f"Reviewer {number}", is_staff=True, is_lay=number % 4 == 0) for number in range(reviewers)]
    applicants = [user(f"Applicant {number}") for number in range(1, 201)]
    User.objects.bulk_create([staff, innovator, *reviewing, *applicants])
    for role, members in ((Role.PROGRAMME_STAFF, [staff]), (Role.REVIEWER, reviewing)):
        Group.objects.get_or_create(name=role)[0].user_set.add(*members)
    return {"staff": staff, "innovator": innovator, "reviewers": reviewing, "applicants": applicants}


def _places(chance, people) -> dict:
    systems = System.objects.bulk_create([System(code=f"QB{number}", name=f"System {number}") for number in range(5)])
    organisations = Organisation.objects.bulk_create(
        [
            Organisation(
                ods_code=f"B{number:03}", name=f"Organisation {number} NHS Trust", slug=f"organisation-{number}",
                system=chance.choice(systems), email_domain=f"trust{number}.example",
            )
            for number in range(100)
        ]
    )  # fmt: skip
    priorities = Priority.objects.bulk_create(
        [
            Priority(slug=f"bench-{number}", title=f"Bench priority {number}", summary=_text(chance, 30))
            for number in range(8)
        ]
    )
    Affiliation.objects.bulk_create(
        [
            Affiliation(
                user=reviewer, organisation=chance.choice(organisations), role="Nurse",
                status=Affiliation.Status.CONFIRMED, from_date=dt.date(2020, 1, 1),
            )
            for reviewer in people["reviewers"]
        ]
    )  # fmt: skip
    return {"organisations": organisations, "priorities": priorities}


def _calls(chance, staff, places) -> dict:
    """One in assessment with nearly all proposals, one open, one upcoming, a dozen past."""
    now, day = clock.now(), dt.timedelta(days=1)
    criteria = CriterionSet.objects.first()
    plan = [("assessed", Call.Status.ASSESSMENT, -60, -30), ("open", Call.Status.PUBLISHED, -10, 20)]
    plan += [("upcoming", Call.Status.PUBLISHED, 10, 40)]
    plan += [(f"past-{number}", Call.Status.DECIDED, -400 - number, -370 - number) for number in range(12)]
    calls = {}
    for name, status, opens, closes in plan:
        call = Call.objects.create(
            slug=f"bench-{name}", title=f"Bench call {name}", summary=_text(chance, 30), about=_text(chance, 250),
            eligibility="\n".join(_text(chance, 10) for _ in range(4)), criterion_set=criteria,
            opens_at=now + opens * day, closes_at=now + closes * day, decision_on=(now + (closes + 90) * day).date(),
            reviews_due_on=(now + (closes + 45) * day).date(), money_total=500000, money_per_project=50000,
            created_by=staff, status=status,
        )  # fmt: skip
        call.priorities.set(places["priorities"][:3])
        CriterionWeight.objects.bulk_create(
            CriterionWeight(call=call, criterion=criterion, weight=weight)
            for criterion, weight in zip(criteria.criteria.all(), WEIGHTS, strict=True)
        )
        calls[name] = call
    return calls


def _answers(chance, organisation, priorities) -> dict:
    """Every question of the common form answered with text of the length that it allows."""
    answers = {}
    for section in questions.SECTIONS:
        for name in section.names():
            answers[name] = ""
        for question in section.asked({}):
            kind = str(question.kind)
            text = _text(chance, int((question.word_limit or 100) * 0.7)) if kind == "text" else SHORT.get(kind, "")
            answers[question.name] = text
    chosen = {"organisation": str(organisation.pk), "priorities": [str(one.pk) for one in priorities[:2]]}
    return {name: text for name, text in answers.items() if text} | chosen


def _proposals(chance, count, calls, people, places) -> list[Proposal]:
    now, organisations = clock.now(), places["organisations"]
    texts = [_answers(chance, chance.choice(organisations), places["priorities"]) for _ in range(40)]
    rows = []
    for number in range(count):
        received = now - dt.timedelta(days=35, minutes=number * 7)
        applicant = chance.choice(people["applicants"])
        past = number % 20 == 19
        organisation = chance.choice(organisations)
        rows.append(
            Proposal(
                reference=f"EM-2026-{number + 1:05}",
                call=calls[f"past-{number % 12}"] if past else calls["assessed"],
                status=Proposal.Status.DECLINED if past else Proposal.Status.IN_ASSESSMENT,
                applicant=applicant, submitted_by=applicant, submitted_at=received, saved_at=received, version=9,
                answers=texts[number % len(texts)] | {"organisation": str(organisation.pk)},
                title=_text(chance, 8)[:190], lay_summary=_text(chance, 110),
                organisation=organisation, evidence_level=chance.randint(1, 5),
                amount_asked=Decimal(chance.randint(5, 50) * 1000),
            )
        )  # fmt: skip
    written = Proposal.objects.bulk_create(rows, batch_size=AT_ONCE)
    Proposal.priorities.through.objects.bulk_create(
        Proposal.priorities.through(proposal=one, priority=chance.choice(places["priorities"])) for one in written
    )
    Proposal.partners.through.objects.bulk_create(
        Proposal.partners.through(proposal=one, organisation=chance.choice(organisations)) for one in written[::3]
    )
    return written


def _reviews(chance, proposals, reviewers, criteria) -> None:
    """Three reviews each; one in ten not locked yet, one in eight scores not applicable; some severe reviewers."""
    now = clock.now()
    lean = {reviewer.pk: chance.choice((-1, 0, 0, 0, 1)) for reviewer in reviewers}
    weights = {criterion.pk: weight for criterion, weight in zip(criteria, WEIGHTS, strict=True)}
    pairs = [
        (proposal, reviewers[(number * 7 + turn * 23) % len(reviewers)])
        for number, proposal in enumerate(proposals)
        for turn in range(REVIEWS_OF_EACH)
    ]
    assignments = Assignment.objects.bulk_create(
        [
            Assignment(
                proposal=proposal, reviewer=reviewer, is_lay=reviewer.is_lay, status=Assignment.Status.CLEARED,
                due_on=now.date() + dt.timedelta(days=14),
            )
            for proposal, reviewer in pairs
        ],
        batch_size=AT_ONCE,
    )  # fmt: skip
    reviews, scores = [], []
    for assignment in assignments:
        merit = 1 + assignment.proposal_id % 4
        given = {}
        for pk in weights:
            score = merit + lean[assignment.reviewer_id] + chance.choice((-1, 0, 0, 1))
            given[pk] = None if chance.random() < 0.03 else max(0, min(5, score))
        locked = chance.random() > 0.1 and reviews
        reviews.append(
            Review(
                assignment=assignment, proposal_id=assignment.proposal_id, reviewer_id=assignment.reviewer_id,
                status=Review.Status.LOCKED if locked else Review.Status.DRAFT, locked_at=now if locked else None,
                total=scoring.weighted_mean(list(given.values()), list(weights.values())),
                scores_in_order=list(given.values()), comment=_text(chance, 40), version=3, saved_at=now,
                others_seen_at=now if locked and chance.random() > 0.5 else None,
            )
        )  # fmt: skip
        scores.append(given)
    reviews = Review.objects.bulk_create(reviews, batch_size=AT_ONCE)
    reasons = [_text(chance, 25) for _ in range(500)]
    Score.objects.bulk_create(
        (
            Score(review=review, criterion_id=pk, value=value, is_not_applicable=value is None,
                  reason=chance.choice(reasons))
            for review, given in zip(reviews, scores, strict=True)
            for pk, value in given.items()
        ),
        batch_size=AT_ONCE,
    )  # fmt: skip
    ConflictOfInterest.objects.bulk_create(
        ConflictOfInterest(proposal=proposal, user=chance.choice(reviewers), kind="worked_together", source="declared",
                           recorded_at=now)
        for proposal in proposals[::20]
    )  # fmt: skip


def _review_to_write() -> Review:
    """One that its reviewer has not locked and may write."""
    for review in Review.objects.filter(status=Review.Status.DRAFT).select_related("reviewer").order_by("pk"):
        if permissions.can_write_review(review.reviewer, review):
            return review
    raise LookupError("Seed more proposals: every reviewer has an interest or has locked their reviews.")


def _addresses(calls, draft, review) -> dict[str, str]:
    return {
        "call": calls["open"].get_absolute_url(),
        "section": reverse("proposals:draft_section", args=[draft.call.slug, draft.public_id, "about"]),
        "autosave": reverse("proposals:draft_autosave", args=[draft.call.slug, draft.public_id, "about"]),
        "review": reverse("admin:proposals_review_score", args=[review.pk]),
        "ranking": reverse("admin:proposals_call_ranking", args=[calls["assessed"].pk]),
    }


def _cookies(**people) -> dict[str, str]:
    """Sessions of these people, the second factor shown."""
    cookies = {"visitor": ""}
    for name, user in people.items():
        client = Client()
        client.force_login(user)
        session = client.session
        session[second_factor.ENROLLED_KEY] = str(user.pk)
        session.save()
        cookies[name] = "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())
    return cookies
