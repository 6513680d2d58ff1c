"""Public consultations on the priorities: what was asked, who answered, what was said and what was decided."""

from django.db import models
from django.db.models import Count, F, Q
from django.urls import reverse

from projects.models.priorities import Priority
from psc_portal.common import clock
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class ConsultationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. Anyone: what has been published."""
        is_staff = user.is_authenticated and user.is_programme_staff
        return self if is_staff else self.exclude(status=Consultation.Status.DRAFT)

    def open_at(self, moment):
        return self.filter(status=Consultation.Status.PUBLISHED, opens_at__lte=moment, closes_at__gt=moment)

    def with_counts(self):
        """`people` and `organisations`: how many answered in time and are shown."""
        shown = Q(responses__status=ConsultationResponse.Status.SHOWN, responses__is_late=False)
        kinds = ConsultationResponse.Kind
        return self.annotate(
            people=Count("responses", filter=shown & Q(responses__kind=kinds.PERSON)),
            organisations=Count("responses", filter=shown & Q(responses__kind=kinds.ORGANISATION)),
        )


class Consultation(Stateful, Timestamped):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"  # upcoming, open or closed: the clock says which
        DECIDED = "decided", "Decided"

    TRANSITIONS = {
        Status.DRAFT: {Status.PUBLISHED},
        Status.PUBLISHED: {Status.DECIDED},
        Status.DECIDED: set(),
    }

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=400, help_text="One or two plain sentences: what we ask, and of whom")
    about = models.TextField("what it is about", help_text="Why we ask, what is already fixed, and what can change")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT, editable=False)
    what_was_said = models.TextField(blank=True)
    what_was_decided = models.TextField(blank=True)
    decided_on = models.DateField(null=True, blank=True)
    priorities = models.ManyToManyField(
        Priority, blank=True, related_name="consultations", help_text="The priorities that came from it"
    )

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        ordering = ["-closes_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="consultation_closes_after_it_opens"),
            models.CheckConstraint(
                condition=~Q(status="decided")
                | (~Q(what_was_said="") & ~Q(what_was_decided="") & Q(decided_on__isnull=False)),
                name="decided_consultation_says_what",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:consultation_detail", args=[self.slug])

    def is_upcoming_at(self, moment) -> bool:
        return self.status == self.Status.PUBLISHED and moment < self.opens_at

    def is_open_at(self, moment) -> bool:
        return self.status == self.Status.PUBLISHED and self.opens_at <= moment < self.closes_at

    @property
    def is_open(self) -> bool:
        return self.is_open_at(clock.now())

    @property
    def is_upcoming(self) -> bool:
        return self.is_upcoming_at(clock.now())

    @property
    def is_decided(self) -> bool:
        return self.status == self.Status.DECIDED

    @property
    def is_closed(self) -> bool:
        """Over, and not decided yet."""
        return self.status == self.Status.PUBLISHED and clock.now() >= self.closes_at

    @property
    def stage(self) -> str:
        """The state in words, the clock's part included."""
        if self.status != self.Status.PUBLISHED:
            return self.get_status_display()
        return "Upcoming" if self.is_upcoming else "Open" if self.is_open else "Closed"


class ConsultationStatusChange(StatusChange):
    subject = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="status_changes")


class ConsultationQuestion(models.Model):
    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "number"], name="consultation_question_number_once")
        ]

    def __str__(self):
        return f"{self.number}. {self.text}"


class ConsultationResponseQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if user.is_authenticated and user.is_programme_staff else self.none()

    def shown(self):
        """What everybody may read: what staff have looked at and let through."""
        return self.filter(status=ConsultationResponse.Status.SHOWN)

    def waiting(self):
        return self.filter(status=ConsultationResponse.Status.WAITING)


class ConsultationResponse(Stateful, Timestamped):
    """What one person or organisation answered. Shown once staff have looked at it; the name is their choice."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting to be looked at"
        SHOWN = "shown", "Shown"
        WITHHELD = "withheld", "Not shown"

    class Kind(models.TextChoices):
        PERSON = "person", "For myself"
        ORGANISATION = "organisation", "For an organisation or group"

    TRANSITIONS = {
        Status.WAITING: {Status.SHOWN, Status.WITHHELD},
        Status.SHOWN: {Status.WITHHELD},
        Status.WITHHELD: {Status.SHOWN},
    }

    consultation = models.ForeignKey(Consultation, on_delete=models.PROTECT, related_name="responses")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=160, blank=True)
    is_late = models.BooleanField("came after closing", default=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING, editable=False)
    withheld_because = models.TextField("why it is not shown", blank=True)

    objects = ConsultationResponseQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["consultation", "status"], name="consultation_responses")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="withheld") | ~Q(withheld_because=""), name="withheld_response_says_why"
            )
        ]

    def __str__(self):
        return f"Response {self.pk}"

    @property
    def respondent(self) -> str:
        """Who answered, as it is shown."""
        unnamed = "A person" if self.kind == self.Kind.PERSON else "An organisation or group"
        return self.name or unnamed


class ConsultationResponseStatusChange(StatusChange):
    subject = models.ForeignKey(ConsultationResponse, on_delete=models.PROTECT, related_name="status_changes")


class ConsultationAnswer(models.Model):
    response = models.ForeignKey(ConsultationResponse, on_delete=models.CASCADE, related_name="answers")
    question = models.ForeignKey(ConsultationQuestion, on_delete=models.PROTECT, related_name="answers")
    text = models.TextField()

    class Meta:
        ordering = ["question__number"]
        constraints = [models.UniqueConstraint(fields=["response", "question"], name="one_answer_to_a_question")]

    def __str__(self):
        return f"{self.response}, question {self.question.number}"
