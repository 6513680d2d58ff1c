from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, CharField, Count, F, Func, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from psc_portal.common import clock
from psc_portal.common.highlight import headline
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


class JoinedWords(Func):
    """A list of texts as one text; PostgreSQL's own array_to_string may not stand in a generated column."""

    function = "projects_joined_words"
    output_field = TextField()


class Searchable(models.QuerySet):
    """Rows with a stored, indexed `search` vector."""

    def matching(self, text: str):
        """Rows in which the words of `text` occur, with `rank`. Quotes, OR and a minus sign work as on the web."""
        query = self._search_query(text)
        return self.filter(search=query).annotate(rank=SearchRank(F("search"), query))

    def with_headlines(self, text: str, **expressions):
        """Each keyword becomes the part of its expression where `text` was found, to be shown through `marked`."""
        query = self._search_query(text)
        return self.annotate(**{name: headline(expression, query) for name, expression in expressions.items()})

    @staticmethod
    def _search_query(text: str) -> SearchQuery:
        return SearchQuery(text.replace("\0", " ")[:200], search_type="websearch", config="english")


class SearchableManager(models.Manager):
    """Leaves the vector in the database: only PostgreSQL reads it."""

    def get_queryset(self):
        return super().get_queryset().defer("search")


class System(models.Model):
    """An integrated care system: where an organisation plans its care."""

    code = models.CharField("ODS code", max_length=10, unique=True)
    name = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class OrganisationQuerySet(Searchable):
    def current(self):
        return self.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=clock.today()))

    def in_projects(self, projects):
        """Organisations that lead or join one of `projects`."""
        return self.filter(
            Q(pk__in=projects.order_by().values("lead_organisation"))
            | Q(pk__in=Project.partners.through.objects.filter(project__in=projects.order_by()).values("organisation"))
        )

    def of_member(self, user):
        """Organisations that the user is a member of today: a current, confirmed affiliation."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(pk__in=Affiliation.objects.current().filter(user=user).values("organisation"))


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


def organisations_of(user):
    """Organisations that the user is a member of today."""
    return Organisation.objects.of_member(user)


class AffiliationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. Others: their own."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_programme_staff else self.filter(user=user)

    def claimed(self):
        return self.filter(status=Affiliation.Status.CLAIMED)

    def current(self):
        today = clock.today()
        return self.filter(
            Q(to_date__isnull=True) | Q(to_date__gte=today),
            status=Affiliation.Status.CONFIRMED,
            from_date__lte=today,
        )


class Affiliation(Stateful, Timestamped):
    """That a person belongs to an organisation: claimed by the person, confirmed by staff or by a member, ended."""

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


class AffiliationStatusChange(StatusChange):
    subject = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="status_changes")


class PriorityQuerySet(Searchable):
    def current(self):
        """What is a priority today; the two must-do topics first."""
        today = clock.today()
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gte=today), from_date__lte=today)

    def visible_to(self, user):
        """Staff: all. Anyone: those that have begun, past ones too."""
        is_staff = user.is_authenticated and user.is_programme_staff
        return self if is_staff else self.filter(from_date__lte=clock.today())

    def with_project_counts(self, projects):
        counted = Count("projects", filter=Q(projects__in=projects.order_by().values("pk")))
        return self.annotate(project_count=counted).order_by(*self.model._meta.ordering)  # GROUP BY forgets Meta's


class Priority(Timestamped):
    class Kind(models.TextChoices):
        MUST_DO = "must_do", "National must-do topic"
        LOCAL = "local", "Local priority"

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LOCAL)
    summary = models.TextField(help_text="One or two sentences in plain English")
    why_chosen = models.TextField(blank=True)
    asked_by = models.TextField("who asked for it", blank=True)
    source = models.CharField(max_length=300, blank=True)
    from_date = models.DateField("a priority since", default=clock.today)
    to_date = models.DateField("until", null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=100)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("why_chosen", "asked_by", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(PriorityQuerySet)()

    class Meta:
        verbose_name_plural = "priorities"
        ordering = ["-kind", "position", "title"]  # must_do sorts after local
        indexes = [GinIndex(fields=["search"], name="priority_search")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="local") | Q(to_date__isnull=True), name="must_do_topics_are_never_retired"
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="priority_ends_after_start"
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:priority_detail", args=[self.slug])

    @property
    def is_must_do(self) -> bool:
        return self.kind == self.Kind.MUST_DO

    @property
    def is_current(self) -> bool:
        return self.from_date <= clock.today() and (self.to_date is None or self.to_date >= clock.today())


EVIDENCE_LEVELS = {
    0: "Idea, not yet tested",
    1: "Expert opinion or case report",
    2: "Before and after, at one site",
    3: "Time series with a clear signal",
    4: "Controlled or multi-site evaluation",
    5: "Randomised trial, systematic review or NICE guidance",
}


class ProjectQuerySet(Searchable):
    def public(self):
        return self.filter(is_public=True)

    def visible_to(self, user):
        """Anyone: the public ones. Staff: all. A project lead: also their own."""
        if not user.is_authenticated:
            return self.public()
        if user.is_programme_staff:
            return self
        return self.filter(
            Q(is_public=True) | Q(pk__in=ProjectLead.objects.current().filter(user=user).values("project"))
        )

    def led_by(self, user):
        if not user.is_authenticated:
            return self.none()
        return self.filter(pk__in=ProjectLead.objects.current().filter(user=user).values("project"))

    def filtered(self, *, q="", **choices):
        """Projects that fit every filter of FILTERS that is given, and the words `q`."""
        projects = self.matching(q) if q else self
        for name, value in choices.items():
            if value not in ("", None):
                projects = projects.filter(FILTERS[name](value))
        return projects

    def choice_counts(self, filters: dict) -> dict[str, dict[str, int]]:
        """How many projects each choice of each filter would leave while the other filters stay: one query."""
        branches = [
            self.filtered(**{key: value for key, value in filters.items() if key != name})
            .order_by()
            .values(filter_name=Value(name), choice=Cast(expression, CharField()))
            .annotate(projects=Count("pk"))
            .values_list("filter_name", "choice", "projects")
            for name, expression in COUNTED
        ]
        counts: dict[str, dict[str, int]] = {name: {} for name in FILTERS}
        for name, choice, projects in branches[0].union(*branches[1:], all=True).order_by():
            if choice is not None:
                counts[name][choice] = counts[name].get(choice, 0) + projects
        return counts | {"evidence": _at_least(counts["evidence"])}

    def with_snippets(self, text: str):
        """`title_found` and `text_found` show where `text` was found."""
        return self.with_headlines(
            text, title_found=F("title"), text_found=Concat(*PROJECT_TEXTS, output_field=TextField())
        )

    def for_cards(self):
        """With what a card in a list shows, in one query."""
        titles = Priority.objects.filter(projects=OuterRef("pk")).values("title")
        return (
            self.select_related("lead_organisation")
            .defer("lead_organisation__search")
            .annotate(priority_titles=ArraySubquery(titles))
        )

    def by_stage(self):
        """In the order of the work: from set-up to embedded, then closed and stopped."""
        order = [When(status=status, then=position) for position, status in enumerate(Project.Status)]
        return self.order_by(Case(*order), "title")


def _at_least(levels: dict[str, int]) -> dict[str, int]:
    """Counts of exact evidence levels as counts of "this level or higher"."""
    return {str(low): sum(n for level, n in levels.items() if int(level) >= low) for low in EVIDENCE_LEVELS}


def _through(relation, **condition):
    return relation.through.objects.filter(**condition).values("project")


FILTERS = {  # the filters of the project list: what a choice means
    "priority": lambda slug: Q(pk__in=_through(Project.priorities, priority__slug=slug)),
    "stage": lambda stage: Q(status=stage),
    "setting": lambda setting: Q(care_settings__contains=[setting]),
    "organisation": lambda slug: (
        Q(lead_organisation__slug=slug) | Q(pk__in=_through(Project.partners, organisation__slug=slug))
    ),
    "evidence": lambda level: Q(evidence_level__gte=level),
}
COUNTED = [  # by what the choices of each filter are counted; an organisation leads or joins, never both
    ("priority", F("priorities__slug")),
    ("stage", F("status")),
    ("setting", Func(F("care_settings"), function="unnest", output_field=CharField())),
    ("organisation", F("lead_organisation__slug")),
    ("organisation", F("partners__slug")),
    ("evidence", F("evidence_level")),
]
PROJECT_TEXTS = [
    piece
    for name in ["lay_summary", "aim", "result", "what_did_not_work", "stopped_reason"]
    for piece in (F(name), Value(" "))
]


class Project(Stateful, Timestamped):
    class Status(models.TextChoices):
        """The stage that the work is in."""

        SET_UP = "set_up", "Set-up"
        TESTING = "testing", "Testing"
        IMPLEMENTING = "implementing", "Implementing"
        SPREADING = "spreading", "Spreading"
        EMBEDDED = "embedded", "Embedded"
        CLOSED = "closed", "Closed"
        STOPPED = "stopped", "Stopped"

    class Origin(models.TextChoices):
        CALL = "call", "Call for proposals"
        CORE = "core", "Core programme"

    TRANSITIONS = {
        Status.SET_UP: {Status.TESTING, Status.IMPLEMENTING, Status.STOPPED},
        Status.TESTING: {Status.IMPLEMENTING, Status.CLOSED, Status.STOPPED},
        Status.IMPLEMENTING: {Status.TESTING, Status.SPREADING, Status.EMBEDDED, Status.CLOSED, Status.STOPPED},
        Status.SPREADING: {Status.IMPLEMENTING, Status.EMBEDDED, Status.CLOSED, Status.STOPPED},
        Status.EMBEDDED: {Status.CLOSED, Status.STOPPED},
        Status.CLOSED: set(),
        Status.STOPPED: {Status.TESTING},
    }

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=160)
    lay_summary = models.TextField(help_text="What it is and why it matters, in words that anyone understands")
    aim = models.TextField(help_text="How much, by when, for whom")
    priorities = models.ManyToManyField(Priority, related_name="projects")
    lead_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="projects_led")
    partners = models.ManyToManyField(Organisation, blank=True, related_name="projects_joined")
    care_settings = care_settings_field()
    origin = models.CharField(max_length=4, choices=Origin.choices, default=Origin.CORE)
    status = models.CharField("stage", max_length=12, choices=Status.choices, default=Status.SET_UP, editable=False)
    evidence_level = models.PositiveSmallIntegerField(choices=list(EVIDENCE_LEVELS.items()), default=0)
    result = models.TextField("what changed", blank=True)
    what_did_not_work = models.TextField(blank=True)
    stopped_reason = models.TextField("why it stopped", blank=True)
    is_public = models.BooleanField("public", default=False)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("aim", weight="B", config="english")
        + SearchVector("lay_summary", weight="B", config="english")
        + SearchVector("result", "what_did_not_work", "stopped_reason", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(ProjectQuerySet)()

    class Meta:
        ordering = ["title"]
        indexes = [
            GinIndex(fields=["search"], name="project_search"),
            GinIndex(fields=["care_settings"], name="project_care_settings"),
            models.Index(fields=["status"], name="project_stage"),
            models.Index(fields=["evidence_level"], name="project_evidence"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(evidence_level__lte=5), name="evidence_level_0_to_5"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="project_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(status="stopped") | ~Q(stopped_reason=""), name="stopped_project_says_why"
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:project_detail", args=[self.slug])

    @property
    def edit_mark(self) -> str:
        """Says whether the row is still the one that somebody opened."""
        return self.updated_at.isoformat()

    @property
    def evidence_words(self) -> str:
        return f"Level {self.evidence_level} of 5: {self.get_evidence_level_display()}"

    @property
    def settings_words(self) -> str:
        return settings_in_words(self.care_settings)


class ProjectStatusChange(StatusChange):
    subject = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="status_changes")


class ProjectLeadQuerySet(models.QuerySet):
    def current(self):
        """Whoever leads now: on `to_date` itself the person no longer does."""
        today = clock.today()
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gt=today), from_date__lte=today)


class ProjectLead(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="project_leads")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="leads")
    from_date = models.DateField(default=clock.today)
    to_date = models.DateField(null=True, blank=True)

    objects = ProjectLeadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "project"], condition=Q(to_date__isnull=True), name="one_open_lead_row_a_person"
            )
        ]

    def __str__(self):
        return f"{self.user} leads {self.project}"


class Adoption(Timestamped):
    """How far an organisation has taken up a project. A new date is a new row: the spread can be drawn over time."""

    class Stage(models.TextChoices):
        INTERESTED = "interested", "Interested"
        TESTING = "testing", "Testing"
        IN_USE = "in_use", "In use"
        STOPPED = "stopped", "Stopped"

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="adoptions")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="adoptions")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    since = models.DateField(default=clock.today)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "project", "since"], name="one_adoption_stage_a_day")
        ]

    def __str__(self):
        return f"{self.organisation}: {self.get_stage_display()} since {self.since}"


class PdsaCycle(Timestamped):
    """One plan, do, study, act cycle."""

    class Act(models.TextChoices):
        ADOPT = "adopt", "Adopt"
        ADAPT = "adapt", "Adapt"
        ABANDON = "abandon", "Abandon"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="pdsa_cycles")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    plan = models.TextField("plan: what we will try")
    prediction = models.TextField("what we think will happen", blank=True)
    happened = models.TextField("do: what happened", blank=True)
    learned = models.TextField("study: what we learned", blank=True)
    act = models.CharField("act: what next", max_length=7, choices=Act.choices, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="pdsa_numbered_within_its_project")]

    def __str__(self):
        return f"PDSA {self.number}: {self.title}"


class Driver(models.Model):
    """One box of a project's driver diagram: primary drivers under the aim, secondary under them, then change ideas."""

    class Level(models.TextChoices):
        PRIMARY = "primary", "Primary driver"
        SECONDARY = "secondary", "Secondary driver"
        CHANGE_IDEA = "change_idea", "Change idea"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="drivers")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    level = models.CharField(max_length=11, choices=Level.choices)
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level="primary", parent__isnull=True) | (~Q(level="primary") & Q(parent__isnull=False)),
                name="primary_drivers_alone_hang_on_the_aim",
            )
        ]

    def __str__(self):
        return self.text
