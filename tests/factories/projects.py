import factory

from projects.models import Affiliation, Organisation, Priority, Project, System
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
