"""Organisations, the systems they plan their care in, and the people who belong to them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Exists, F, Q

from projects.models.searching import JoinedWords, Searchable, SearchableManager
from psc_portal.common import clock
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class CareSetting(models.TextChoices):
    ACUTE = "acute", "Acute hospital"
    COMMUNITY = "community", "Community services"
    MENTAL_HEALTH = "mental_health", "Mental health"
    LEARNING_DISABILITY = "learning_disability", "Learning disability"
    MATERNITY = "maternity", "Maternity and neonatal"
    GENERAL_PRACTICE = "general_practice", "General practice"
    PHARMACY = "pharmacy", "Pharmacy"
    AMBULANCE = "ambulance", "Ambulance"
    CARE_HOME = "care_home", "Care home"
    HOME_CARE = "home_care", "Home care"
    PRISON = "prison", "Prison health"
    HOSPICE = "hospice", "Hospice"
    WHOLE_SYSTEM = "whole_system", "Whole system"


def care_settings_field():
    return ArrayField(models.CharField(max_length=20, choices=CareSetting.choices), default=list, blank=True)


def settings_in_words(values) -> str:
    return ", ".join(CareSetting(value).label for value in values)


class SystemQuerySet(models.QuerySet):
    def without(self, organisations):
        """Systems in which none of `organisations` plans its care; one that serves all systems is in each."""
        return self.exclude(pk__in=organisations.filter(system__isnull=False).values("system")).exclude(
            Exists(organisations.filter(serves_all_systems=True))
        )


class System(models.Model):
    """An integrated care system: where an organisation plans its care."""

    code = models.CharField("ODS code", max_length=10, unique=True)
    name = models.CharField(max_length=120, unique=True)

    objects = SystemQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class OrganisationQuerySet(Searchable):
    def current(self):
        return self.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=clock.today()))

    def that_could_adopt(self):
        """Organisations of the region that give care now, and whichever has taken something up already."""
        gives_care = Q(kind__in=Organisation.GIVES_CARE, is_outside_region=False) & ~Q(care_settings=[])
        return self.current().filter(gives_care | Q(adoptions__project__is_public=True)).distinct()

    def in_projects(self, projects):
        """Organisations that lead or join one of `projects`."""
        return self.filter(
            Q(pk__in=projects.order_by().values("lead_organisation"))
            | Q(
                pk__in=projects.model.partners.through.objects.filter(project__in=projects.order_by()).values(
                    "organisation"
                )
            )
        )

    def taking_part_in(self, projects):
        """Organisations that lead, join or have tried one of `projects`."""
        wanted = projects.order_by().values("pk")
        return self.filter(
            Q(projects_led__in=wanted) | Q(projects_joined__in=wanted) | Q(adoptions__project__in=wanted)
        ).order_by()

    def of_member(self, user):
        """Organisations that the user is a member of today: a current, confirmed affiliation."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(pk__in=Affiliation.objects.current().filter(user=user).values("organisation"))

    def of_signatory(self, user):
        """Organisations that the user signs for today, as confirmed."""
        if not user.is_authenticated:
            return self.none()
        signing = Affiliation.objects.current().filter(user=user, signing=Affiliation.Signing.CONFIRMED)
        return self.filter(pk__in=signing.values("organisation"))


class Organisation(Timestamped):
    class Kind(models.TextChoices):
        TRUST = "trust", "NHS trust"
        ICB = "icb", "Integrated care board"
        NETWORK = "network", "Academic health science network"
        UNIVERSITY = "university", "University"
        COMPANY = "company", "Company"
        CHARITY = "charity", "Charity or community interest company"
        AUTHORITY = "authority", "Local authority"
        PUBLIC_VOICE = "public_voice", "Patient and public body"
        OTHER = "other", "Other"

    GIVES_CARE = (Kind.TRUST, Kind.CHARITY, Kind.AUTHORITY, Kind.OTHER)

    ods_code = models.CharField("ODS code", max_length=10, unique=True, null=True, blank=True)
    name = models.CharField(max_length=160)
    short_name = models.CharField(max_length=60, blank=True)
    slug = models.SlugField(max_length=80, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.TRUST)
    care_settings = care_settings_field()
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="organisations")
    serves_all_systems = models.BooleanField(default=False)
    is_outside_region = models.BooleanField("outside the region, partner", default=False)
    postcode = models.CharField(max_length=10, blank=True)
    email_domain = models.CharField(max_length=100, blank=True)
    opened_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    successor = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="predecessors")
    former_names = ArrayField(models.CharField(max_length=160), default=list, blank=True)
    search = models.GeneratedField(
        expression=SearchVector("name", "short_name", "ods_code", weight="A", config="english")
        + SearchVector(JoinedWords("former_names"), weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(OrganisationQuerySet)()

    class Meta:
        ordering = ["name"]
        indexes = [GinIndex(fields=["search"], name="organisation_search")]
        constraints = [
            models.CheckConstraint(condition=~Q(successor=F("pk")), name="organisation_is_not_its_own_successor"),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(opened_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="organisation_closes_after_it_opens",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def settings_words(self) -> str:
        return settings_in_words(self.care_settings)

    @property
    def newest_successor(self):
        """Where the line of successors ends; None where nothing followed."""
        last, seen = self, {self.pk}
        while last.successor_id and last.successor_id not in seen:
            seen.add(last.successor_id)
            last = last.successor
        return last if last is not self else None

    @property
    def provides_care(self) -> bool:
        """Who treats patients is asked for a safety improvement plan with a driver diagram."""
        return self.kind == self.Kind.TRUST


class Succession(models.Model):
    """That one organisation followed another: by merging, taking over or splitting. Never edited."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="successions")
    successor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="succeeded")
    name = models.CharField(max_length=160, help_text="Of the organisation, on its last day")
    took_effect_on = models.DateField()
    reason = models.TextField()
    takes_over = models.BooleanField(default=True, help_text="What was open moved to this successor")

    class Meta:
        ordering = ["took_effect_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "successor"], name="succession_once"),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(takes_over=True), name="succession_one_takes_over"
            ),
            models.CheckConstraint(
                condition=~Q(organisation=F("successor")), name="succession_is_of_two_organisations"
            ),
        ]

    def __str__(self):
        return f"{self.name} → {self.successor}"


def organisations_of(user):
    """Organisations that the user is a member of today."""
    return Organisation.objects.of_member(user)


class AffiliationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. Others: their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_programme_staff else self.filter(user=user)

    def answering(self, organisation):
        """Members of an organisation who said that they answer questions about projects used there."""
        return self.current().filter(organisation=organisation, answers_questions=True, user__is_active=True)

    def claimed(self):
        return self.filter(status=Affiliation.Status.CLAIMED)

    def to_answer_by(self, user):
        """Claims that the user may confirm or decline: staff all, a signatory those for their organisation; not one's
        own. What `permissions.can_answer_claim` says, for many at once."""
        asked = self.claimed() | self.filter(status=Affiliation.Status.CONFIRMED, signing=Affiliation.Signing.CLAIMED)
        if not user.is_authenticated:
            return self.none()
        if user.is_programme_staff:
            return asked.exclude(user=user)
        return asked.filter(organisation__in=Organisation.objects.of_signatory(user)).exclude(user=user)

    def current(self):
        today = clock.today()
        return self.filter(
            Q(to_date__isnull=True) | Q(to_date__gte=today),
            status=Affiliation.Status.CONFIRMED,
            from_date__lte=today,
        )


class Affiliation(Stateful, Timestamped):
    """That a person belongs to an organisation: claimed by the person, confirmed by staff or by a member, ended."""

    class Signing(models.TextChoices):
        """Whether the person signs for the organisation: pledges, and the claims of others to belong there."""

        NO = "no", "Does not sign"
        CLAIMED = "claimed", "Says that they sign, not confirmed"
        CONFIRMED = "confirmed", "Signs for it"

    class Status(models.TextChoices):
        CLAIMED = "claimed", "Claimed, not confirmed"
        CONFIRMED = "confirmed", "Confirmed"
        DECLINED = "declined", "Declined"
        ENDED = "ended", "Ended"

    TRANSITIONS = {
        Status.CLAIMED: {Status.CONFIRMED, Status.DECLINED, Status.ENDED},
        Status.CONFIRMED: {Status.ENDED},
        Status.DECLINED: set(),
        Status.ENDED: set(),
    }

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="affiliations")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="affiliations")
    role = models.CharField("role there", max_length=120)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CLAIMED, editable=False)
    answers_questions = models.BooleanField("answers questions about projects used there", default=False)
    signing = models.CharField(
        "signs for it", max_length=9, choices=Signing.choices, default=Signing.NO, editable=False
    )
    from_date = models.DateField(default=clock.today)
    to_date = models.DateField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = AffiliationQuerySet.as_manager()

    class Meta:
        ordering = ["organisation__name", "user__full_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"],
                condition=Q(status__in=["claimed", "confirmed"]),
                name="one_live_affiliation_of_a_person_with_an_organisation",
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="affiliation_ends_after_start"
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.organisation}"

    @property
    def what_is_claimed(self) -> str:
        return "belong to" if self.signing == self.Signing.NO else "sign for"

    @property
    def is_signatory(self) -> bool:
        return self.signing == self.Signing.CONFIRMED


class AffiliationStatusChange(StatusChange):
    subject = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="status_changes")
