"""What others can learn from: the best-practice library, the lesson of the month, and offers such as bursaries."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse

from projects.models.priorities import Priority
from projects.models.projects import Project
from projects.models.searching import Searchable, SearchableManager
from psc_portal.common import clock
from psc_portal.common.models import Timestamped
from psc_portal.content.models import Document


class LearningTopic(models.Model):
    """What the library is sorted by: a list that staff edit."""

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="learning_topic_name_once")]

    def __str__(self):
        return self.name


class LearningResourceQuerySet(Searchable):
    def out(self):
        """What is public and whose day has come."""
        return self.filter(is_public=True, published_on__lte=clock.today())

    def visible_to(self, user):
        """Staff: all. Anyone: what is public and whose day has come."""
        return self if user.is_authenticated and user.is_programme_staff else self.out()

    def lessons(self):
        """The lessons of the month, the latest first."""
        return self.filter(kind=LearningResource.Kind.LESSON).order_by("-lesson_month")

    def overdue(self):
        return self.filter(review_due_on__lt=clock.today())


class LearningResource(Timestamped):
    """Something of the library. After the day of its review the page says that nobody has looked whether it holds."""

    class Kind(models.TextChoices):
        GUIDE = "guide", "Guide"
        TOOL = "tool", "Tool or template"
        CASE = "case", "Case study"
        RECORDING = "recording", "Recording"
        COURSE = "course", "Course material"
        LESSON = "lesson", "Lesson of the month"

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.GUIDE)
    summary = models.CharField(max_length=300, help_text="One or two sentences for lists")
    body = models.TextField("text", help_text="Markdown")
    lesson_month = models.DateField("month of the lesson", null=True, blank=True, help_text="The first day of it")
    source = models.CharField("where it comes from", max_length=300, blank=True)
    link = models.URLField("link to the original", blank=True, max_length=500)
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="learning_resources"
    )
    topics = models.ManyToManyField(LearningTopic, related_name="resources")
    priorities = models.ManyToManyField(Priority, blank=True, related_name="learning_resources")
    projects = models.ManyToManyField(Project, blank=True, related_name="learning_resources")
    published_on = models.DateField("date of publication", default=clock.today)
    reviewed_on = models.DateField("last reviewed", default=clock.today)
    review_due_on = models.DateField("next review")
    is_public = models.BooleanField("public", default=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("body", "source", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(LearningResourceQuerySet)()

    class Meta:
        ordering = ["-published_on", "title"]
        indexes = [GinIndex(fields=["search"], name="learningresource_search")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="lesson", lesson_month__isnull=False)
                | (~Q(kind="lesson") & Q(lesson_month__isnull=True)),
                name="lessons_alone_have_a_month",
            ),
            models.CheckConstraint(
                condition=Q(lesson_month__isnull=True) | Q(lesson_month__day=1), name="lesson_month_is_its_first_day"
            ),
            models.UniqueConstraint(fields=["lesson_month"], name="one_lesson_a_month"),
            models.CheckConstraint(condition=Q(review_due_on__gt=F("reviewed_on")), name="next_review_after_the_last"),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:learning_detail", args=[self.slug])

    @property
    def is_overdue(self) -> bool:
        return self.review_due_on < clock.today()

    @property
    def edit_mark(self) -> str:
        """Says whether the row is still the one that somebody opened."""
        return self.updated_at.isoformat()


class OfferQuerySet(Searchable):
    def visible_to(self, user):
        """Staff: all. Anyone: what has been published, closed offers too."""
        return self if user.is_authenticated and user.is_programme_staff else self.filter(is_public=True)

    def open(self):
        """What can be asked for now; the first to close first, those without a closing date last."""
        now = clock.now()
        return self.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now), opens_at__lte=now).order_by(
            F("closes_at").asc(nulls_last=True), "title"
        )


class Offer(Timestamped):
    """Help to build capability, such as a bursary or a coaching place, often with a closing moment."""

    class Kind(models.TextChoices):
        BURSARY = "bursary", "Bursary"
        COURSE = "course", "Course place"
        COACHING = "coaching", "Coaching"
        OTHER = "other", "Other"

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.BURSARY)
    summary = models.CharField(max_length=300, help_text="One or two sentences for lists")
    body = models.TextField("text", help_text="Markdown")
    audience = models.CharField("who it is for", max_length=200)
    how_to_apply = models.TextField(help_text="Markdown")
    opens_at = models.DateTimeField("opens", default=clock.now)
    closes_at = models.DateTimeField("closes", null=True, blank=True, help_text="Empty: open until further notice")
    priorities = models.ManyToManyField(Priority, blank=True, related_name="offers")
    is_public = models.BooleanField("public", default=True)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", "audience", weight="B", config="english")
        + SearchVector("body", "how_to_apply", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(OfferQuerySet)()

    class Meta:
        ordering = ["-opens_at", "title"]
        indexes = [GinIndex(fields=["search"], name="offer_search")]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("opens_at")), name="offer_closes_after_it_opens"
            )
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:offer_detail", args=[self.slug])

    @property
    def is_open(self) -> bool:
        return self.opens_at <= clock.now() and not self.is_closed

    @property
    def is_closed(self) -> bool:
        return self.closes_at is not None and self.closes_at <= clock.now()

    @property
    def edit_mark(self) -> str:
        """Says whether the row is still the one that somebody opened."""
        return self.updated_at.isoformat()
