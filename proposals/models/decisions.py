"""What the panel decided, and what the applicant is told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from proposals.models.calls import Criterion
from proposals.models.drafts import Proposal
from psc_portal.common.models import Timestamped


class Decision(models.Model):
    """One decision of the panel; a reserve can get a second. Append-only. The latest one holds."""

    class Outcome(models.TextChoices):
        APPROVED = "approved", "Approved"
        APPROVED_WITH_CONDITIONS = "approved_with_conditions", "Approved with conditions"
        RESERVE = "reserve", "Reserve"
        DECLINED = "declined", "Declined"

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=30, choices=Outcome)
    reasons = models.TextField()
    conditions = models.TextField(blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True, help_text="Pounds awarded")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    basis = models.JSONField(default=dict, help_text="Weights, mean, number of reviews and spread when it was decided")

    class Meta:
        ordering = ["decided_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reasons=""), name="decision_has_reasons"),
            models.CheckConstraint(
                condition=~Q(outcome="approved_with_conditions") | ~Q(conditions=""),
                name="decision_names_its_conditions",
            ),
        ]

    def __str__(self):
        return self.get_outcome_display()


class FeedbackLetter(Timestamped):
    """The written answer to a decision. Once released it never changes: `sent_text` is what went out, word for word."""

    decision = models.OneToOneField(Decision, models.PROTECT, related_name="letter")
    opening = models.TextField(blank=True, help_text="What the panel says on the whole")
    next_time = models.TextField(blank=True, help_text="What would change the result")
    edited_text = models.TextField(blank=True, help_text="The letter as staff rewrote it; empty: as it is assembled")
    edited_from = models.TextField(blank=True, help_text="The letter as it was assembled when staff rewrote it")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    released_alone_reason = models.TextField(blank=True, help_text="Why it was released before the others of the call")
    sent_text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True, sent_text="")
                | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(sent_text="")),
                name="letter_released_has_time_person_and_text",
            )
        ]

    def __str__(self):
        return f"Feedback on {self.decision.proposal.reference}"

    @property
    def is_released(self) -> bool:
        return self.released_at is not None


class CriterionFeedback(models.Model):
    class Band(models.TextChoices):
        """Where the scores on this criterion stood in the field of the call; frozen when the letter is released."""

        UPPER = "upper", "In the upper third"
        MIDDLE = "middle", "In the middle third"
        LOWER = "lower", "In the lower third"

    letter = models.ForeignKey(FeedbackLetter, models.CASCADE, related_name="comments")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    text = models.TextField()
    band = models.CharField(max_length=6, choices=Band, blank=True)

    class Meta:
        ordering = ["criterion__number"]
        constraints = [models.UniqueConstraint(fields=["letter", "criterion"], name="feedback_once_a_criterion")]

    def __str__(self):
        return f"{self.criterion}: {self.text}"
