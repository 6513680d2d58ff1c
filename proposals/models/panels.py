"""How a call is judged as a whole: calibration, the stored analysis of its scores, and the panel."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from proposals import scoring
from proposals.models.calls import Call, Criterion
from proposals.models.drafts import Proposal
from proposals.models.reviews import Assignment
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Timestamped


class CalibrationExampleQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. A reviewer: those of calls in which something is theirs to review."""
        if user.is_programme_staff:
            return self
        if not user.is_reviewer:
            return self.none()
        return self.filter(call__in=Assignment.objects.current().filter(reviewer=user).values("proposal__call"))


class CalibrationExample(Timestamped):
    """A made-up or earlier proposal that reviewers score first, to see how far apart they are."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="examples")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    text = models.TextField(help_text="Markdown")
    afterword = models.TextField(blank=True, help_text="What the programme says of it, shown after scoring")

    objects = CalibrationExampleQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["call", "position"], name="example_position_once")]

    def __str__(self):
        return self.title


class CalibrationScore(models.Model):
    example = models.ForeignKey(CalibrationExample, models.CASCADE, related_name="scores")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    value = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(scoring.HIGHEST)])
    is_not_applicable = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    scored_at = models.DateTimeField()

    class Meta:
        ordering = ["criterion__number"]
        constraints = [
            models.UniqueConstraint(fields=["example", "reviewer", "criterion"], name="calibration_score_once"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__lte=scoring.HIGHEST, is_not_applicable=False),
                name="calibration_score_0_to_5_or_not_applicable",
            ),
        ]

    def __str__(self):
        return f"{self.example}: {self.value}"


class RankingAnalysis(models.Model):
    """Rank ranges and agreement of a call as a task calculated them, with what they rest on. The latest one holds."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="analyses")
    calculated_at = models.DateTimeField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the scores and weights that it rests on")
    basis = models.JSONField(help_text="Weights, and how many proposals, reviews and reviewers")
    results = models.JSONField()

    class Meta:
        ordering = ["-calculated_at", "-pk"]
        verbose_name_plural = "ranking analyses"
        indexes = [models.Index(fields=["call", "-calculated_at"], name="ranking_analysis_latest")]

    def __str__(self):
        return f"{self.call}, {self.calculated_at:%d %B %Y %H:%M}"


class Panel(Timestamped):
    """The meeting that decides on the proposals of a call."""

    call = models.OneToOneField(Call, models.PROTECT, related_name="panel")
    held_on = models.DateField()
    chair = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    quorum = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="Members without an interest needed to decide"
    )
    weights = models.JSONField(default=dict, blank=True, help_text="By criterion code; empty: as published")
    weights_reason = models.TextField(blank=True, help_text="Why another weighting than the published one was used")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    minutes_file = models.FileField(
        storage=private_storage, upload_to=random_name("panels"), max_length=255, blank=True, editable=False
    )
    minutes_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    minutes_made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-held_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="panel_closed_has_time_and_person",
            )
        ]

    def __str__(self):
        return f"Panel of {self.call}"


class PanelReopening(models.Model):
    """Why a closed panel was opened again, with the minutes as they stood until then. Append-only."""

    panel = models.ForeignKey(Panel, models.PROTECT, related_name="reopenings")
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    minutes_file = models.FileField(storage=private_storage, max_length=255, blank=True, editable=False)
    minutes_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    minutes_made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="panel_reopening_has_a_reason")]

    def __str__(self):
        return f"{self.panel}, opened again {self.at:%d %B %Y}"


class PanelMember(models.Model):
    panel = models.ForeignKey(Panel, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_lay = models.BooleanField("lay member", default=False)
    is_present = models.BooleanField("present", default=True)

    class Meta:
        ordering = ["user__full_name", "pk"]
        constraints = [models.UniqueConstraint(fields=["panel", "user"], name="panel_member_once")]

    def __str__(self):
        return str(self.user)


class PanelScore(models.Model):
    """The score that the panel gives after discussion, beside the reviewers' scores. Append-only; the latest holds."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="panel_scores")
    score = models.DecimalField(max_digits=3, decimal_places=2)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__gte=scoring.LOWEST, score__lte=scoring.HIGHEST), name="panel_score_0_to_5"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="panel_score_has_a_reason"),
        ]

    def __str__(self):
        return f"{self.proposal.reference}: {self.score}"
