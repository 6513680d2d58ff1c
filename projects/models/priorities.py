"""What matters here: the national must-do topics and the local priorities."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Count, F, Q
from django.urls import reverse

from projects.models.searching import Searchable, SearchableManager
from psc_portal.common import clock
from psc_portal.common.models import Timestamped


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
