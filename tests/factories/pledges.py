import datetime as dt

import factory

from pledges.models import ImprovementArea, Pledge, ProgressUpdate, SignUp, Statement, WordingSet
from pledges.plans import read_outline
from psc_portal.common import clock
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory, OrganisationFactory

Scope = ImprovementArea.Scope


def words(count: int) -> str:
    return " ".join(["word"] * count)


def wording_of_2014() -> WordingSet:
    """The set of the first migration; made anew where a test with real transactions has emptied the tables."""
    wording_set, is_new = WordingSet.objects.get_or_create(
        version="2014", defaults={"name": "Sign up to Safety, wording of 2014", "from_date": dt.date(2014, 6, 24)}
    )
    if is_new:
        titles = ["Put safety first", "Continually learn", "Honesty", "Collaborate", "Support"]
        for number, title in enumerate(titles, start=1):
            Pledge.objects.create(wording_set=wording_set, number=number, title=title, asks="Promise something.")
    return wording_set


class SignUpFactory(factory.django.DjangoModelFactory):
    """A complete draft of a confirmed member. `complete=False`: empty statements, no areas and dates."""

    class Meta:
        model = SignUp
        skip_postgeneration_save = True

    organisation = factory.SubFactory(OrganisationFactory)
    organisation_name = factory.SelfAttribute("organisation.name")
    wording_set = factory.LazyFunction(wording_of_2014)
    signatory = factory.SubFactory(UserFactory)
    signatory_name = "Ada Bright"
    signatory_role = "Chief executive"
    board_approved_on = dt.date(2026, 1, 29)
    plan_from = dt.date(2026, 4, 1)
    plan_to = dt.date(2029, 3, 31)
    aim = "Half as many falls by 2029, on every ward."
    drivers = factory.LazyFunction(
        lambda: read_outline("Staff see who may fall\n- Everybody is asked on admission\n-- A card at each bed")
    )

    class Params:
        submitted = factory.Trait(status=SignUp.Status.SUBMITTED)
        published = factory.Trait(status=SignUp.Status.PUBLISHED, published_at=factory.LazyFunction(clock.now))

    @factory.post_generation
    def member(self, create, extracted, **kwargs):
        """The signatory belongs to the organisation, unless member=False."""
        if extracted is not False:
            AffiliationFactory(user=self.signatory, organisation=self.organisation, signing="confirmed")

    @factory.post_generation
    def complete(self, create, extracted, **kwargs):
        is_complete = extracted is not False
        for pledge in self.wording_set.pledges.all():
            text = f"We promise something about {pledge.title}. {words(60)}" if is_complete else ""
            Statement.objects.create(sign_up=self, pledge=pledge, text=text)
        named = [(Scope.NATIONAL, "Medicines safety"), (Scope.NATIONAL, "System safety")]
        named += [(Scope.LOCAL, "Falls"), (Scope.LOCAL, "Delirium")]
        for scope, name in named if is_complete else []:
            slug = name.lower().replace(" ", "-")
            ImprovementArea.objects.create(sign_up=self, scope=scope, name=name, slug=slug)
        if not is_complete:
            self.board_approved_on = self.plan_from = self.plan_to = None
            self.aim, self.drivers = "", []
            self.save()


class ProgressUpdateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProgressUpdate

    statement = factory.LazyFunction(lambda: SignUpFactory(published=True).statements.get(pledge__number=1))
    progress = ProgressUpdate.Progress.UNDER_WAY
    what_changed = "Every ward has a safety huddle."
    by = factory.LazyAttribute(lambda update: update.statement.sign_up.signatory)
