"""Projects, their stages and who leads them."""

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, CharField, Count, F, Func, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from projects.models.organisations import Organisation, care_settings_field, settings_in_words
from projects.models.priorities import Priority
from projects.models.searching import Searchable, SearchableManager
from psc_portal.common import clock
from psc_portal.common.models import Stateful, StatusChange, Timestamped
from psc_portal.content.models import Document

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
    result_in_short = models.CharField("what changed, in one sentence", max_length=250, blank=True)
    result = models.TextField("what changed", blank=True)
    what_did_not_work = models.TextField(blank=True)
    stopped_reason = models.TextField("why it stopped", blank=True)
    reuse_advice = models.TextField("what another place could take from it", blank=True)
    documents = models.ManyToManyField(Document, blank=True, related_name="projects")
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
    role = models.CharField(max_length=120, default="Project lead", help_text="shown on the page, without the name")
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
