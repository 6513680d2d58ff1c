"""Screening, who may review what, and the reviews with their scores."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Avg, Exists, Max, Min, OuterRef, Q, Subquery

from proposals import scoring
from proposals.models.calls import Criterion
from proposals.models.drafts import Proposal, seen_by_reviewer, seen_by_staff, without_conflict
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class Screening(models.Model):
    """Whether a proposal is eligible, and why; one row for each time it was decided. Append-only."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="screenings")
    is_eligible = models.BooleanField()
    reason = models.TextField(blank=True)
    rules_not_met = models.JSONField(default=list, blank=True, help_text="The rules of the call, word for word")
    what_to_do = models.TextField(blank=True, help_text="What the applicant can do now")
    screened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    screened_at = models.DateTimeField()

    class Meta:
        ordering = ["screened_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_eligible=True) | ~Q(reason="") | ~Q(rules_not_met=[]),
                name="screening_refusal_has_a_rule_or_a_reason",
            )
        ]

    def __str__(self):
        return "Eligible" if self.is_eligible else "Not eligible"

    @property
    def explanation(self) -> str:
        """Why it is not eligible, and what the applicant can do, in paragraphs."""
        rules = "\n".join(self.rules_not_met)
        return "\n\n".join(part for part in (rules, self.reason, self.what_to_do) if part)


class ConflictQuerySet(models.QuerySet):
    def in_force(self):
        return self.filter(overridden_at__isnull=True)

    def visible_to(self, user):
        """Staff see them all, but for proposals they have an interest in themselves: then only their own."""
        if user.is_programme_staff:
            return self.filter(Q(user=user) | seen_by_staff(user, "proposal__"))
        return self.filter(user=user)


class InterestStatement(models.Model):
    """What was said of an interest, and why it was held not to stand in the way, if it was."""

    class Source(models.TextChoices):
        DECLARED = "declared", "Declared"
        INFERRED = "inferred", "Inferred by the portal"
        RECORDED = "recorded", "Recorded by staff"

    source = models.CharField(max_length=10, choices=Source)
    explanation = models.TextField(blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField()
    overridden_at = models.DateTimeField(null=True, blank=True)
    overridden_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    override_reason = models.TextField(blank=True)

    class Meta:
        abstract = True


class ConflictOfInterest(InterestStatement, Timestamped):
    """An interest that someone has in a proposal: while in force, that person does not see, score or discuss it."""

    class Kind(models.TextChoices):
        SAME_ORGANISATION = "same_organisation", "Works for or with the applicant organisation or a partner"
        SAME_DOMAIN = "same_domain", "Has an e-mail address of the applicant’s organisation"
        NAMED = "named", "Works for an organisation that the proposal names"
        INVOLVED = "involved", "Is involved in the work"
        CLOSE = "close", "Is a close friend or relative of someone involved"
        FINANCIAL = "financial", "Could gain or lose money by it"
        WORKED_TOGETHER = "worked_together", "Worked closely with someone involved in the past 5 years"
        OTHER = "other", "Another interest"

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="conflicts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="conflicts_of_interest")
    kind = models.CharField(max_length=20, choices=Kind)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        ordering = ["recorded_at", "pk"]
        verbose_name_plural = "conflicts of interest"
        constraints = [
            models.UniqueConstraint(fields=["proposal", "user", "kind"], name="conflict_once_a_kind"),
            models.CheckConstraint(
                condition=Q(overridden_at__isnull=True, overridden_by__isnull=True, override_reason="")
                | (Q(overridden_at__isnull=False, overridden_by__isnull=False) & ~Q(override_reason="")),
                name="conflict_override_has_person_time_and_reason",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} ({self.get_source_display().lower()})"

    @property
    def is_in_force(self) -> bool:
        return self.overridden_at is None

    def keep_statement(self) -> None:
        """Put what is said now into the history, before something else is said."""
        said = {field.name: getattr(self, field.name) for field in InterestStatement._meta.local_fields}
        self.earlier.create(**said)


class EarlierInterest(InterestStatement):
    """What was said of an interest before it was declared or recorded again. Append-only."""

    conflict = models.ForeignKey(ConflictOfInterest, models.PROTECT, related_name="earlier")

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.get_source_display()} {self.recorded_at:%d %B %Y}"


class AssignmentQuerySet(models.QuerySet):
    def current(self):
        """Those that count towards the reviews wanted."""
        return self.filter(status__in=[Assignment.Status.ASSIGNED, Assignment.Status.CLEARED])

    def visible_to(self, user):
        """Staff: all but those of proposals they have an interest in. A reviewer: their own, without an interest."""
        if user.is_programme_staff:
            return self.filter(seen_by_staff(user, "proposal__"))
        mine = self.current().filter(reviewer=user).exclude(proposal__status=Proposal.Status.WITHDRAWN)
        return mine.filter(without_conflict(user, "proposal__"))


class Assignment(Stateful, Timestamped):
    """A proposal given to a reviewer. Nothing of its text is shown before the reviewer has declared no interest."""

    class Status(models.TextChoices):
        ASSIGNED = "assigned", "To declare interests"
        CLEARED = "cleared", "No interest declared"
        CONFLICTED = "conflicted", "Conflict of interest"
        DECLINED = "declined", "Declined by the reviewer"
        REMOVED = "removed", "Taken back"

    TRANSITIONS = {
        Status.ASSIGNED: {Status.CLEARED, Status.CONFLICTED, Status.DECLINED, Status.REMOVED},
        Status.CLEARED: {Status.CONFLICTED, Status.DECLINED, Status.REMOVED},
        Status.CONFLICTED: {Status.ASSIGNED},
        Status.DECLINED: {Status.ASSIGNED},
        Status.REMOVED: {Status.ASSIGNED},
    }

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="assignments")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    is_lay = models.BooleanField("lay reviewer", default=False)
    due_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ASSIGNED)
    decline_reason = models.TextField(blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="When the reviewer was last reminded")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["proposal", "reviewer"], name="assignment_once_a_reviewer")]

    def __str__(self):
        return f"{self.proposal.reference} to {self.reviewer}"

    @property
    def why_declined(self) -> str:
        """Nothing once the reviewer was asked again: the reason is kept, and no longer holds."""
        return self.decline_reason if self.status == self.Status.DECLINED else ""


class AssignmentStatusChange(StatusChange):
    subject = models.ForeignKey(Assignment, models.PROTECT, related_name="status_changes")


def spread_of(reviews) -> dict:
    """Annotations of proposals that say how far `reviews` of each lie apart: see `ProposalQuerySet.with_spread_of`."""
    of_this = reviews.filter(proposal=OuterRef("pk")).order_by().values("proposal")
    inside = reviews.filter(proposal=OuterRef(OuterRef("pk"))).order_by().values("pk")
    by_criterion = Score.objects.filter(review__in=inside, value__isnull=False).order_by().values("criterion")
    widths = by_criterion.annotate(width=Max("value") - Min("value")).order_by("-width").values("width")
    return {
        "mean_total": Subquery(of_this.annotate(found=Avg("total")).values("found")),
        "lowest_total": Subquery(of_this.annotate(found=Min("total")).values("found")),
        "highest_total": Subquery(of_this.annotate(found=Max("total")).values("found")),
        "widest_spread": Subquery(widths[:1]),
    }


class ReviewQuerySet(models.QuerySet):
    def locked(self):
        return self.filter(status=Review.Status.LOCKED)

    def counted(self):
        """Locked, by reviewers without an interest that is in force: what a ranking rests on."""
        conflicts = ConflictOfInterest.objects.in_force().filter(
            proposal=OuterRef("proposal"), user=OuterRef("reviewer")
        )
        return self.locked().filter(~Exists(conflicts), assignment__status=Assignment.Status.CLEARED)

    def beside_those_of(self, user):
        """Of proposals that the user sees, those whose reviews they may see beside one another.

        Staff: all but of those that they are to review and have not; a reviewer: of those where they asked to see the
        others. The part of `visible_to` that is left when the proposals are known to be seen.
        """
        if user.is_programme_staff:
            mine = Assignment.objects.current().filter(reviewer=user).exclude(review__status=Review.Status.LOCKED)
            return self.exclude(proposal__in=mine.order_by().values("proposal"))
        done = Review.objects.locked().filter(reviewer=user, others_seen_at__isnull=False).order_by()
        return self.filter(proposal__in=done.values("proposal"))

    def visible_to(self, user):
        """Staff: all but of proposals they have an interest in, or are to review and have not yet.

        A reviewer: their own; and others' locked ones on proposals whose own review they have locked and where they
        then asked to see the others (`others_seen_at`). With an interest in the proposal: none, not even their own.
        """
        if user.is_programme_staff:
            mine = Assignment.objects.current().filter(reviewer=user).exclude(review__status=Review.Status.LOCKED)
            not_yet = mine.order_by().values("proposal")
            return self.filter(Q(reviewer=user) | ~Q(proposal__in=not_yet), seen_by_staff(user, "proposal__"))
        done = Review.objects.locked().filter(reviewer=user, others_seen_at__isnull=False).order_by()
        return self.filter(seen_by_reviewer(user, "proposal__")).filter(
            Q(reviewer=user) | Q(status=Review.Status.LOCKED, proposal__in=done.values("proposal"))
        )


class Review(Stateful, Timestamped):
    class Status(models.TextChoices):
        DRAFT = "draft", "Not locked"
        LOCKED = "locked", "Locked"

    TRANSITIONS = {Status.DRAFT: {Status.LOCKED}, Status.LOCKED: {Status.DRAFT}}

    assignment = models.OneToOneField(Assignment, models.PROTECT, related_name="review")
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    total = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True, help_text="Weighted mean of the scores, 0 to 5"
    )
    scores_in_order = ArrayField(
        models.PositiveSmallIntegerField(null=True),
        default=list,
        help_text="The scores once more, in the order of the criteria's numbers: a ranking reads one row a review",
    )
    comment = models.TextField("comment to the panel", blank=True)
    version = models.PositiveIntegerField(default=0, help_text="Counts the saves")
    saved_at = models.DateTimeField(null=True, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    others_seen_at = models.DateTimeField(null=True, blank=True, help_text="When the others' scores were first shown")
    is_changed_after_seeing_others = models.BooleanField(default=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["proposal", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "reviewer"], name="review_once_a_reviewer"),
            models.CheckConstraint(
                condition=~Q(status="locked") | Q(locked_at__isnull=False),
                name="review_locked_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(total__isnull=True) | Q(total__gte=0, total__lte=5), name="review_total_0_to_5"
            ),
        ]

    def __str__(self):
        return f"Review of {self.proposal.reference}"

    @property
    def is_locked(self) -> bool:
        return self.status == self.Status.LOCKED

    @property
    def mark(self) -> str:
        """What stands beside its scores wherever they are shown."""
        return "changed after seeing others" if self.is_changed_after_seeing_others else ""


class ReviewStatusChange(StatusChange):
    subject = models.ForeignKey(Review, models.PROTECT, related_name="status_changes")


class Score(models.Model):
    review = models.ForeignKey(Review, models.CASCADE, related_name="scores")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    value = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(scoring.HIGHEST)])
    is_not_applicable = models.BooleanField("not applicable", default=False)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["criterion__number"]
        constraints = [
            models.UniqueConstraint(fields=["review", "criterion"], name="score_once_a_criterion"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__lte=scoring.HIGHEST), name="score_0_to_5"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(is_not_applicable=False), name="score_or_not_applicable"
            ),
        ]

    def __str__(self):
        return f"{self.criterion}: {self.shown}"

    @property
    def shown(self) -> str:
        if self.is_not_applicable:
            return "Not applicable"
        return "No score" if self.value is None else str(self.value)

    @property
    def is_complete(self) -> bool:
        return (self.is_not_applicable or self.value is not None) and bool(self.reason.strip())


class ReviewUnlock(models.Model):
    """A review that was opened again: why, by whom, and the scores as they had been locked. Append-only."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="unlocks")
    unlocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    unlocked_at = models.DateTimeField()
    reason = models.TextField(blank=True)
    after_seeing_others = models.BooleanField()
    locked_at = models.DateTimeField()
    total = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    scores = models.JSONField(help_text="By criterion number: value, not applicable, reason")

    class Meta:
        ordering = ["unlocked_at", "pk"]

    def __str__(self):
        return f"Unlocked on {self.unlocked_at:%d %B %Y}"
