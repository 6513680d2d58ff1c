import datetime as dt

import factory

from projects.models import (
    Affiliation,
    Consultation,
    ConsultationQuestion,
    Event,
    LearningResource,
    LearningTopic,
    Offer,
    Organisation,
    Priority,
    Project,
    Registration,
    System,
)
from psc_portal.common import clock
from tests.factories.accounts import UserFactory


class SystemFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = System

    code = factory.Sequence(lambda number: f"Q{number}")
    name = factory.Sequence(lambda number: f"System {number}")


class OrganisationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organisation

    ods_code = factory.Sequence(lambda number: f"R{number:03}")
    name = factory.Sequence(lambda number: f"Hospital {number} NHS Trust")
    slug = factory.Sequence(lambda number: f"hospital-{number}")


class AffiliationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Affiliation

    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(OrganisationFactory)
    role = "Patient safety lead"
    status = Affiliation.Status.CONFIRMED


class PriorityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Priority

    slug = factory.Sequence(lambda number: f"priority-{number}")
    title = factory.Sequence(lambda number: f"Priority {number}")
    summary = "Why it matters."

    class Params:
        must_do = factory.Trait(kind=Priority.Kind.MUST_DO)


class ProjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Project
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"project-{number}")
    title = factory.Sequence(lambda number: f"Project {number}")
    lay_summary = "What it is and why it matters."
    aim = "Ten percent fewer by next year."
    lead_organisation = factory.SubFactory(OrganisationFactory)
    is_public = True

    @factory.post_generation
    def priorities(self, create, extracted, **kwargs):
        self.priorities.set(extracted or [PriorityFactory()])


class EventFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Event
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"event-{number}")
    title = factory.Sequence(lambda number: f"Event {number}")
    status = Event.Status.PUBLISHED
    summary = "What it is about."
    description = "What will be **done** there."
    attendance = Event.Attendance.IN_PERSON
    venue = "Town Hall, High Street, LE1 1AA"
    starts_at = factory.LazyFunction(lambda: clock.now() + dt.timedelta(days=30))
    ends_at = factory.LazyAttribute(lambda event: event.starts_at + dt.timedelta(hours=2))

    class Params:
        past = factory.Trait(starts_at=factory.LazyFunction(lambda: clock.now() - dt.timedelta(days=30)))
        online = factory.Trait(
            attendance=Event.Attendance.ONLINE, venue="", joining_link="https://meet.example/secret-room"
        )


class RegistrationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Registration

    event = factory.SubFactory(EventFactory)
    status = Registration.Status.REGISTERED
    name = factory.Sequence(lambda number: f"Person {number}")
    email = factory.Sequence(lambda number: f"person{number}@example.org")


class LearningTopicFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = LearningTopic

    slug = factory.Sequence(lambda number: f"topic-{number}")
    name = factory.Sequence(lambda number: f"Topic {number}")


class LearningResourceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = LearningResource
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"resource-{number}")
    title = factory.Sequence(lambda number: f"Resource {number}")
    summary = "What one can learn from it."
    body = "What to **do**."
    reviewed_on = factory.LazyFunction(clock.today)
    review_due_on = factory.LazyAttribute(lambda resource: resource.reviewed_on + dt.timedelta(days=365))

    @factory.post_generation
    def topics(self, create, extracted, **kwargs):
        self.topics.set(extracted or [LearningTopicFactory()])


class OfferFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Offer

    slug = factory.Sequence(lambda number: f"offer-{number}")
    title = factory.Sequence(lambda number: f"Bursary {number}")
    summary = "Half of the fees."
    body = "What it pays."
    audience = "Staff of member organisations"
    how_to_apply = "Write to us."
    opens_at = factory.LazyFunction(lambda: clock.now() - dt.timedelta(days=1))
    closes_at = factory.LazyFunction(lambda: clock.now() + dt.timedelta(days=30))


class ConsultationFactory(factory.django.DjangoModelFactory):
    """Open, with two questions."""

    class Meta:
        model = Consultation
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"consultation-{number}")
    title = factory.Sequence(lambda number: f"Consultation {number}")
    summary = "What we ask, and of whom."
    about = "Why we ask."
    opens_at = factory.LazyFunction(lambda: clock.now() - dt.timedelta(days=2))
    closes_at = factory.LazyFunction(lambda: clock.now() + dt.timedelta(days=2))
    status = Consultation.Status.PUBLISHED

    class Params:
        draft = factory.Trait(status=Consultation.Status.DRAFT)
        upcoming = factory.Trait(opens_at=factory.LazyFunction(lambda: clock.now() + dt.timedelta(days=1)))
        closed = factory.Trait(closes_at=factory.LazyFunction(lambda: clock.now() - dt.timedelta(days=1)))

    @factory.post_generation
    def asked(self, create, extracted, **kwargs):
        for number, text in enumerate(extracted or ["What matters?", "What is missing?"], 1):
            ConsultationQuestion.objects.create(consultation=self, number=number, text=text)
