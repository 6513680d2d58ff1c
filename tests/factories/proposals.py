"""Calls, proposals and reviews: the smallest valid rows, with traits for states.

States are written directly, without their history: tests of histories go through the actions.
"""

import datetime as dt
from decimal import Decimal

import factory
from django.utils import timezone

from proposals.models import (
    Assignment,
    Call,
    CallQuestion,
    Criterion,
    CriterionSet,
    CriterionWeight,
    LevelDescriptor,
    Proposal,
    Review,
    Score,
)
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory

CODES = ("priorities", "proven", "spread", "benefits", "involvement", "growth")
WEIGHTS = (20, 25, 15, 20, 15, 5)


def hours(number):
    return dt.timedelta(hours=number)


def criteria() -> CriterionSet:
    """The six criteria of the first migration, made anew where a test has emptied the database."""
    found = CriterionSet.objects.first()
    if found:
        return found
    found = CriterionSet.objects.create(name="The six criteria", version=1)
    for number, code in enumerate(CODES, 1):
        criterion = Criterion.objects.create(
            criterion_set=found, number=number, code=code, title=code.capitalize(), wording="What it asks."
        )
        for level in range(6):
            LevelDescriptor.objects.create(criterion=criterion, level=level, text=f"Level {level}")
    return found


class CallFactory(factory.django.DjangoModelFactory):
    """An open call with the six criteria, weights adding to 100 and one priority."""

    class Meta:
        model = Call
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(
            status=Call.Status.DRAFT,
            opens_at=factory.LazyFunction(lambda: timezone.now() + hours(24)),
            eligibility="It has worked in at least one place.",
        )
        upcoming = factory.Trait(opens_at=factory.LazyFunction(lambda: timezone.now() + hours(24)))
        closed = factory.Trait(closes_at=factory.LazyFunction(lambda: timezone.now() - hours(1)))
        in_assessment = factory.Trait(
            status=Call.Status.ASSESSMENT, closes_at=factory.LazyFunction(lambda: timezone.now() - hours(24))
        )
        at_panel = factory.Trait(
            status=Call.Status.PANEL, closes_at=factory.LazyFunction(lambda: timezone.now() - hours(24))
        )
        decided = factory.Trait(
            status=Call.Status.DECIDED, closes_at=factory.LazyFunction(lambda: timezone.now() - hours(24))
        )

    slug = factory.Sequence(lambda number: f"call-{number}")
    title = factory.Sequence(lambda number: f"Safer care {number}")
    summary = "For teams that have made care safer and can show it."
    about = "We fund what has worked in at least one place."
    criterion_set = factory.LazyFunction(criteria)
    opens_at = factory.LazyFunction(lambda: timezone.now() - hours(24 * 30))
    closes_at = factory.LazyFunction(lambda: timezone.now() + hours(24 * 5))
    reviews_due_on = factory.LazyAttribute(lambda call: (call.closes_at + hours(24 * 30)).date())
    decision_on = factory.LazyAttribute(lambda call: (call.closes_at + hours(24 * 60)).date())
    money_total = Decimal("100000")
    reviews_wanted = 3
    lay_reviews_wanted = 1
    created_by = factory.LazyFunction(lambda: UserFactory(staff=True))
    status = Call.Status.PUBLISHED

    @factory.post_generation
    def priorities(self, create, extracted, **kwargs):
        self.priorities.set(extracted or [PriorityFactory()])

    @factory.post_generation
    def weights(self, create, extracted, **kwargs):
        for criterion, weight in zip(self.criterion_set.criteria.all(), extracted or WEIGHTS, strict=False):
            CriterionWeight.objects.create(call=self, criterion=criterion, weight=weight)


class CallQuestionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CallQuestion

    call = factory.SubFactory(CallFactory)
    position = factory.LazyAttribute(lambda question: question.call.questions.count() + 1)
    kind = CallQuestion.Kind.SHORT_TEXT
    text = factory.Sequence(lambda number: f"What is question {number}?")


def complete_answers(call, organisation=None, **changes) -> dict:
    """Answers that can be submitted as they are."""
    organisation = organisation or OrganisationFactory()
    return {
        "title": "Fewer falls on the ward",
        "lay_summary": "A check on the first day finds who may fall, and staff act on it.",
        "organisation": str(organisation.pk),
        "care_settings": ["acute"],
        "problem": "About 400 falls a year in our hospital.",
        "innovation": "A two-minute check at admission.",
        "priorities": [str(priority.pk) for priority in call.priorities.all()],
        "who_asked": "Ward managers of two hospitals.",
        "evidence_level": "3",
        "is_digital": "no",
        "evaluation-1-setting": "acute",
        "evaluation-1-where": "One ward of an acute hospital",
        "evaluation-1-from": "1/4/2024",
        "evaluation-1-to": "31/3/2025",
        "evaluation-1-people": "1,200",
        "evaluation-1-result": "Falls went down from 6.6 to 5.1 per 1,000 bed days.",
        "evaluation-1-harms": "We looked for restraint and found none.",
        "evaluation-1-limits": "One ward, no comparison.",
        "sites_now": "1",
        "sites_in_12_months": "4",
        "sites_in_24_months": "10",
        "adopters": "Four wards.",
        "fixed_parts": "The check stays, its form may change.",
        "pathway_change": "The admitting nurse.",
        "after_funding": "It becomes part of admission.",
        "aim": "A quarter fewer falls by March 2028.",
        "people_reached": "9000",
        "value": "It saves bed days.",
        "benefit-1-metric_name": "Falls on the ward",
        "benefit-1-kind": "outcome",
        "benefit-1-unit": "per 1,000 occupied bed days",
        "benefit-1-direction": "decrease",
        "benefit-1-baseline": "6.6",
        "benefit-1-aim": "5",
        "benefit-1-aim_on": "31/3/2028",
        "budget-1-description": "Nurse time",
        "budget-1-asked": "12,500",
        "budget-1-matched": "2500",
        "involvement": "Patients told us to talk before we check.",
        "growth": "None is expected.",
        "milestones": "Four wards by summer.",
        "risks": "Staff time.",
        "data_and_safety": "No patient data leaves the ward.",
    } | changes


class ProposalFactory(factory.django.DjangoModelFactory):
    """A complete draft that can be submitted as it is. With a state, it has a number too."""

    class Meta:
        model = Proposal
        skip_postgeneration_save = True

    class Params:
        submitted = factory.Trait(
            status=Proposal.Status.SUBMITTED,
            reference=factory.Sequence(lambda number: f"EM-2020-{number:04d}"),
            submitted_at=factory.LazyFunction(lambda: timezone.now() - hours(48)),
            submitted_by=factory.SelfAttribute("applicant"),
            lay_summary="A check on the first day finds who may fall.",
            organisation=factory.SubFactory(OrganisationFactory),
            evidence_level=3,
        )
        in_assessment = factory.Trait(submitted=True, status=Proposal.Status.IN_ASSESSMENT)
        at_panel = factory.Trait(submitted=True, status=Proposal.Status.AT_PANEL)
        approved = factory.Trait(submitted=True, status=Proposal.Status.APPROVED)
        declined = factory.Trait(submitted=True, status=Proposal.Status.DECLINED)

    call = factory.SubFactory(CallFactory)
    applicant = factory.SubFactory(UserFactory)
    title = "Fewer falls on the ward"
    answers = factory.LazyAttribute(lambda proposal: complete_answers(proposal.call))
    version = 1

    @factory.post_generation
    def priorities(self, create, extracted, **kwargs):
        if self.status != Proposal.Status.DRAFT:
            self.priorities.set(extracted or self.call.priorities.all())

    @factory.post_generation
    def partners(self, create, extracted, **kwargs):
        self.partners.set(extracted or [])


class AssignmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Assignment

    class Params:
        cleared = factory.Trait(status=Assignment.Status.CLEARED)

    proposal = factory.SubFactory(ProposalFactory, in_assessment=True, call__in_assessment=True)
    reviewer = factory.LazyFunction(lambda: UserFactory(reviewer=True))


class ReviewFactory(factory.django.DjangoModelFactory):
    """A review by a cleared reviewer; `scores=[...]` gives each criterion a score with a reason."""

    class Meta:
        model = Review
        skip_postgeneration_save = True

    class Params:
        locked = factory.Trait(status=Review.Status.LOCKED, locked_at=factory.LazyFunction(timezone.now))

    assignment = factory.SubFactory(AssignmentFactory, cleared=True)
    proposal = factory.SelfAttribute("assignment.proposal")
    reviewer = factory.SelfAttribute("assignment.reviewer")

    @factory.post_generation
    def scores(self, create, extracted, **kwargs):
        for criterion, value in zip(self.proposal.call.criterion_set.criteria.all(), extracted or [], strict=False):
            Score.objects.create(
                review=self,
                criterion=criterion,
                value=value,
                is_not_applicable=value is None,
                reason=f"Reason of {self.reviewer.pk} on {criterion.code}",
            )
        self.scores_in_order = [*(extracted or []), *[None] * 6][:6]
        self.save(update_fields=["scores_in_order"])


def review_of(proposal, scores=(), reviewer=None, **kwargs) -> Review:
    """A review of one proposal by a new reviewer, or the one given."""
    reviewer = reviewer or UserFactory(reviewer=True)
    assignment = AssignmentFactory(proposal=proposal, reviewer=reviewer, cleared=True)
    return ReviewFactory(assignment=assignment, scores=list(scores), **kwargs)
