"""Calls for proposals, and the criteria they are judged by."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from proposals import scoring
from psc_portal.common import clock
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class CriterionSet(Timestamped):
    """A wording of the criteria. A call keeps the set it was published with, so later wordings do not change it."""

    name = models.CharField(max_length=120)
    version = models.PositiveSmallIntegerField(unique=True)
    source = models.CharField(max_length=255, blank=True, help_text="Where the wording comes from")

    class Meta:
        ordering = ["-version"]

    def __str__(self):
        return f"{self.name} (version {self.version})"


class Criterion(models.Model):
    criterion_set = models.ForeignKey(CriterionSet, models.PROTECT, related_name="criteria")
    number = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=40, help_text="Short name that the form and the exports use")
    title = models.CharField(max_length=200)
    wording = models.TextField(help_text="The criterion as published")
    help_text = models.TextField(blank=True, help_text="What to tell us")
    top_score = models.TextField(blank=True, help_text="What a top score looks like")
    lay_question = models.TextField(blank=True, help_text="The same criterion as a question for lay reviewers")

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["criterion_set", "number"], name="criterion_number_once_a_set"),
            models.UniqueConstraint(fields=["criterion_set", "code"], name="criterion_code_once_a_set"),
        ]

    def __str__(self):
        return f"{self.number}. {self.title}"


class LevelDescriptor(models.Model):
    """What a score of this level means for this criterion."""

    criterion = models.ForeignKey(Criterion, models.CASCADE, related_name="levels")
    level = models.PositiveSmallIntegerField(validators=[MaxValueValidator(scoring.HIGHEST)])
    text = models.TextField()

    class Meta:
        ordering = ["level"]
        constraints = [
            models.UniqueConstraint(fields=["criterion", "level"], name="level_descriptor_once"),
            models.CheckConstraint(condition=Q(level__lte=scoring.HIGHEST), name="level_descriptor_0_to_5"),
        ]

    def __str__(self):
        return f"{self.level}: {self.text}"


class CallQuerySet(models.QuerySet):
    """The clock's part of a call's state; `Call.is_open_at` and its neighbours say the same in Python."""

    def published(self):
        """What the public may see: everything but drafts."""
        return self.exclude(status=Call.Status.DRAFT)

    def upcoming_at(self, moment):
        return self.filter(status=Call.Status.PUBLISHED, opens_at__gt=moment)

    def open_at(self, moment):
        return self.filter(status=Call.Status.PUBLISHED, opens_at__lte=moment, closes_at__gt=moment - F("grace"))

    def past_at(self, moment):
        closed = Q(status=Call.Status.PUBLISHED, closes_at__lte=moment - F("grace"))
        return self.filter(closed | Q(status__in=Call.AFTER_CLOSING))

    def visible_to(self, user):
        """In the admin: staff see all calls, reviewers what has been published."""
        if user.is_programme_staff:
            return self
        return self.published()


class Call(Stateful, Timestamped):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"  # upcoming, open or closed: the clock says which
        ASSESSMENT = "assessment", "In assessment"
        PANEL = "panel", "At panel"
        DECIDED = "decided", "Decided"
        ARCHIVED = "archived", "Archived"

    TRANSITIONS = {
        Status.DRAFT: {Status.PUBLISHED},
        Status.PUBLISHED: {Status.ASSESSMENT},
        Status.ASSESSMENT: {Status.PANEL},
        Status.PANEL: {Status.ASSESSMENT, Status.DECIDED},
        Status.DECIDED: {Status.ARCHIVED},
        Status.ARCHIVED: set(),
    }
    AFTER_CLOSING = (Status.ASSESSMENT, Status.PANEL, Status.DECIDED, Status.ARCHIVED)

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=400, help_text="One or two plain sentences: who can apply, for what")
    about = models.TextField("what we are looking for", help_text="Markdown: what we want, who can apply, what we fund")
    eligibility = models.TextField(
        "rules of eligibility", blank=True, help_text="One rule a line; screening asks about each of them"
    )
    priorities = models.ManyToManyField("projects.Priority", related_name="calls")
    criterion_set = models.ForeignKey(CriterionSet, models.PROTECT, related_name="calls")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    grace = models.DurationField(default=timedelta(0), help_text="How long after closing we still accept; published")
    decision_on = models.DateField("promised decision date", help_text="Everyone has a decision and feedback by then")
    money_total = models.DecimalField(max_digits=12, decimal_places=2, help_text="Pounds to share out, in all")
    money_per_project = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="Most that one proposal can ask for, pounds"
    )
    reviews_due_on = models.DateField(null=True, blank=True, help_text="When reviewers are asked to have finished")
    reviews_wanted = models.PositiveSmallIntegerField(default=3, help_text="Independent reviews for each proposal")
    lay_reviews_wanted = models.PositiveSmallIntegerField(default=1, help_text="How many of them by lay reviewers")
    is_blind = models.BooleanField(default=False, help_text="Hide names of applicants from reviewers")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("about", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-closes_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="call_closes_after_it_opens"),
            models.CheckConstraint(condition=Q(grace__gte=timedelta(0)), name="call_grace_not_negative"),
            models.CheckConstraint(condition=Q(money_total__gte=0), name="call_money_not_negative"),
        ]
        indexes = [
            models.Index(fields=["status", "closes_at"], name="call_status_closes_at"),
            GinIndex(fields=["search"], name="call_search"),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("proposals:call_detail", args=[self.slug])

    @property
    def eligibility_rules(self) -> list[str]:
        return [line.strip() for line in self.eligibility.splitlines() if line.strip()]

    @property
    def reviews_in_words(self) -> str:
        """1 review of each proposal; 3 reviews of each proposal, 1 of them lay."""
        many = "1 review" if self.reviews_wanted == 1 else f"{self.reviews_wanted} reviews"
        if self.lay_reviews_wanted == 0:
            return f"{many} of each proposal"
        if self.reviews_wanted == 1:
            return f"{many} of each proposal, by a lay reviewer"
        lay = "all" if self.lay_reviews_wanted >= self.reviews_wanted else self.lay_reviews_wanted
        return f"{many} of each proposal, {lay} of them lay"

    def has_enough(self, reviews: int, lay: int) -> bool:
        return reviews >= self.reviews_wanted and lay >= self.lay_reviews_wanted

    @property
    def accepts_until(self):
        """The instant from which nothing more is accepted: closing time and published grace."""
        return self.closes_at + self.grace

    def is_upcoming_at(self, moment):
        return self.status == self.Status.PUBLISHED and moment < self.opens_at

    def is_open_at(self, moment):
        return self.status == self.Status.PUBLISHED and self.opens_at <= moment < self.accepts_until

    def is_past_at(self, moment):
        closed = self.status == self.Status.PUBLISHED and self.accepts_until <= moment
        return closed or self.status in self.AFTER_CLOSING

    @property
    def is_open(self):
        return self.is_open_at(clock.now())

    @property
    def is_upcoming(self):
        return self.is_upcoming_at(clock.now())

    @property
    def is_past(self):
        return self.is_past_at(clock.now())

    @property
    def is_decided(self) -> bool:
        return self.status in (self.Status.DECIDED, self.Status.ARCHIVED)

    @property
    def stage(self) -> str:
        """The state in words, the clock's part included."""
        if self.status != self.Status.PUBLISHED:
            return self.get_status_display()
        if self.is_upcoming:
            return "Upcoming"
        return "Open" if self.is_open else "Closed"

    def weight_by_criterion(self) -> dict[int, int]:
        return {weight.criterion_id: weight.weight for weight in self.weights.all()}


class CallStatusChange(StatusChange):
    subject = models.ForeignKey(Call, models.PROTECT, related_name="status_changes")


class CriterionWeight(models.Model):
    """How much a criterion counts in a call, in whole per cent. Checked and frozen at publication."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="weights")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    weight = models.PositiveSmallIntegerField(validators=[MaxValueValidator(scoring.WEIGHTS_ADD_TO)])

    class Meta:
        ordering = ["criterion__number"]
        constraints = [
            models.UniqueConstraint(fields=["call", "criterion"], name="criterion_weight_once_a_call"),
            models.CheckConstraint(condition=Q(weight__lte=scoring.WEIGHTS_ADD_TO), name="criterion_weight_0_to_100"),
        ]

    def __str__(self):
        return f"{self.criterion}: {self.weight}"


class CallQuestion(models.Model):
    """A question that one call asks beside the common ones."""

    class Kind(models.TextChoices):
        SHORT_TEXT = "short_text", "Short text"
        LONG_TEXT = "long_text", "Long text"
        NUMBER = "number", "Number"
        MONEY = "money", "Money"
        DATE = "date", "Date"
        CHOICE = "choice", "One of several"
        CHOICES = "choices", "Several of several"
        YES_NO = "yes_no", "Yes or no"
        FILE = "file", "File"

    call = models.ForeignKey(Call, models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.LONG_TEXT)
    text = models.CharField(max_length=255)
    hint = models.TextField(blank=True)
    choices = models.JSONField(default=list, blank=True)
    word_limit = models.PositiveSmallIntegerField(null=True, blank=True)
    is_required = models.BooleanField(default=True)
    shown_if = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    shown_if_answer = models.CharField(max_length=255, blank=True)
    names_people = models.BooleanField(default=False, help_text="Hidden from reviewers of a blind call")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["call", "position"], name="call_question_position_once")]

    def __str__(self):
        return self.text


class Extension(models.Model):
    """More time, for everyone (`Call.closes_at` moved too; public) or for one applicant. Append-only."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="extensions")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at_before = models.DateTimeField()
    closes_at = models.DateTimeField()
    reason = models.TextField()
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()

    class Meta:
        ordering = ["granted_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("closed_at_before")), name="extension_gives_more_time")
        ]

    def __str__(self):
        return f"{self.call} to {self.closes_at}"
