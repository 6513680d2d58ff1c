"""Proposals, from the first draft to the receipt."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Count, OuterRef, Q, Subquery, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat, Left
from django.urls import reverse
from django.utils.functional import cached_property

from projects.models import care_settings_field
from proposals.models.calls import Call
from proposals.models.interests import InConflictWith, PlainWords
from psc_portal.common import clock
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Stateful, StatusChange, Timestamped


# Who sees which proposals, for queries of them and of what belongs to them: `to` is the way to the proposal -----------
def without_conflict(user, to="") -> Q:
    return ~Q(**{f"{to}pk__in": InConflictWith(user)})


def seen_by_staff(user, to="") -> Q:
    """Everything but drafts (those are their authors' only) and what the staff member has an interest in."""
    withdrawn_draft = {f"{to}status": Proposal.Status.WITHDRAWN, f"{to}submitted_at": None}
    is_draft = Q(**{f"{to}status": Proposal.Status.DRAFT}) | Q(**withdrawn_draft)
    return ~is_draft & without_conflict(user, to)


def seen_by_reviewer(user, to="") -> Q:
    """Those assigned to the user who has declared no interest, none being known or inferred either."""
    from proposals.models.reviews import Assignment

    cleared = Assignment.objects.filter(reviewer=user, status=Assignment.Status.CLEARED).order_by()
    is_withdrawn = Q(**{f"{to}status": Proposal.Status.WITHDRAWN})
    return Q(**{f"{to}pk__in": cleared.values("proposal")}) & ~is_withdrawn & without_conflict(user, to)


class ProposalQuerySet(models.QuerySet):
    def of_team(self, user):
        """What the user wrote, alone or with others."""
        if not user.is_authenticated:
            return self.none()
        with_others = Collaborator.objects.current().filter(user=user).values("proposal")
        return self.filter(Q(applicant=user) | Q(pk__in=with_others))

    def writable_by(self, user):
        """What the user may change while it is a draft: `permissions.can_edit` as a query."""
        if not user.is_authenticated:
            return self.none()
        writers = Collaborator.objects.current().filter(user=user, role=Collaborator.Role.EDIT)
        return self.filter(Q(applicant=user) | Q(pk__in=writers.values("proposal")))

    def clear_of_conflict_with(self, user):
        """Without those in which the user has an interest, declared, recorded or inferred, and not overridden.

        Inferred from what, docs/methods.md says: overridden kind by kind; that somebody wrote it is never overridden.
        """
        return self.filter(without_conflict(user))

    def seen_by_staff(self, user):
        return self.filter(seen_by_staff(user))

    def answered_by(self, user):
        """Whose teams' questions this staff member may answer: drafts too (the question, never the draft's text)."""
        return self.filter(without_conflict(user)) if user.is_programme_staff else self.none()

    def without_open_review_of(self, user):
        """Without those that the user is to review and has not locked: others' scores are not for them yet."""
        from proposals.models.reviews import Assignment, Review

        open_reviews = (
            Assignment.objects.current().filter(reviewer=user).exclude(review__status=Review.Status.LOCKED).order_by()
        )
        return self.exclude(pk__in=open_reviews.values("proposal"))

    def seen_by_reviewer(self, user):
        return self.filter(seen_by_reviewer(user))

    def in_admin_visible_to(self, user):
        if user.is_programme_staff:
            return self.seen_by_staff(user)
        if user.is_reviewer:
            return self.seen_by_reviewer(user)
        return self.none()

    def visible_to(self, user):
        """A proposal's page is for its team, staff and cleared reviewers."""
        if not user.is_authenticated:
            return self.none()
        mine = Proposal.objects.of_team(user).order_by().values("pk")
        others = Proposal.objects.in_admin_visible_to(user).order_by().values("pk")
        return self.filter(Q(pk__in=mine) | Q(pk__in=others))

    def with_review_counts(self):
        """`assigned_count`: reviewers who count; `locked_count`: how many of them have locked their review.

        Subqueries, so that a page of 50 rows counts for 50 rows.
        """
        from proposals.models.reviews import Assignment, Review

        of_this = Assignment.objects.current().filter(proposal=OuterRef("pk")).order_by().values("proposal")
        locked = of_this.filter(review__status=Review.Status.LOCKED)
        return self.annotate(
            assigned_count=Coalesce(Subquery(of_this.annotate(count=Count("pk")).values("count")), 0),
            locked_count=Coalesce(Subquery(locked.annotate(count=Count("pk")).values("count")), 0),
        )

    def with_spread_of(self, reviews):
        """How far `reviews` of each proposal lie apart; `readings.spreads_of` says the same for a few proposals.

        `mean_total`, `lowest_total` and `highest_total` of the reviews; `widest_spread`: the largest distance between
        two scores of one criterion, as `scoring.Standing.widest` has it. None where there is no review.
        """
        from proposals.models.reviews import spread_of

        return self.annotate(**spread_of(reviews))

    def public(self):
        """What the public may know of: approved, and the applicant has been told."""
        from proposals.models.decisions import Decision

        told = Decision.objects.filter(outcome__in=Proposal.FUNDED, letter__released_at__isnull=False)
        return self.filter(status__in=Proposal.FUNDED, pk__in=told.values("proposal"))


class Proposal(Stateful, Timestamped):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        INELIGIBLE = "ineligible", "Not eligible"
        IN_ASSESSMENT = "in_assessment", "In assessment"
        AT_PANEL = "at_panel", "At panel"
        APPROVED = "approved", "Approved"
        APPROVED_WITH_CONDITIONS = "approved_with_conditions", "Approved with conditions"
        RESERVE = "reserve", "On the reserve list"
        DECLINED = "declined", "Declined"

    TRANSITIONS = {
        Status.DRAFT: {Status.SUBMITTED, Status.WITHDRAWN},
        Status.SUBMITTED: {Status.IN_ASSESSMENT, Status.INELIGIBLE, Status.WITHDRAWN},
        Status.WITHDRAWN: set(),
        Status.INELIGIBLE: {Status.IN_ASSESSMENT},
        Status.IN_ASSESSMENT: {Status.AT_PANEL, Status.WITHDRAWN},
        Status.AT_PANEL: {
            Status.APPROVED,
            Status.APPROVED_WITH_CONDITIONS,
            Status.RESERVE,
            Status.DECLINED,
            Status.WITHDRAWN,
        },
        Status.APPROVED: set(),
        Status.APPROVED_WITH_CONDITIONS: set(),
        Status.RESERVE: {Status.APPROVED, Status.APPROVED_WITH_CONDITIONS, Status.DECLINED},
        Status.DECLINED: set(),
    }
    FUNDED = (Status.APPROVED, Status.APPROVED_WITH_CONDITIONS)
    DECIDED = (*FUNDED, Status.RESERVE, Status.DECLINED)
    ELIGIBLE = (Status.IN_ASSESSMENT, Status.AT_PANEL, *DECIDED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(max_length=30, unique=True, null=True, blank=True, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="proposals")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposals")
    status = models.CharField(max_length=30, choices=Status, default=Status.DRAFT)
    answers = models.JSONField(default=dict, help_text="What was typed, by field name, exactly as typed")
    version = models.PositiveIntegerField(default=0, help_text="Counts the saves of the draft")
    saved_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    # Read out of the answers: title with each save, the rest when submitted
    title = models.CharField(max_length=200, blank=True)
    lay_summary = models.TextField(blank=True)
    organisation = models.ForeignKey(
        "projects.Organisation", models.PROTECT, null=True, blank=True, related_name="proposals"
    )
    organisation_name = models.CharField(max_length=200, blank=True, help_text="Where it is not on the register")
    partners = models.ManyToManyField("projects.Organisation", blank=True, related_name="proposals_as_partner")
    priorities = models.ManyToManyField("projects.Priority", blank=True, related_name="proposals")
    care_settings = care_settings_field()
    evidence_level = models.PositiveSmallIntegerField(null=True, blank=True)
    amount_asked = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    withdrawal_reason = models.TextField(blank=True)
    numbers_explained = models.CharField(
        max_length=300, blank=True, help_text="What a number is that looks like an NHS number and is none"
    )
    interests = models.TextField("declaration of interests", blank=True)
    earlier = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="resubmissions", help_text="What it began from"
    )
    copy_file = models.FileField(
        storage=private_storage, upload_to=random_name("proposals"), max_length=255, blank=True, editable=False
    )
    copy_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    project = models.OneToOneField("projects.Project", models.PROTECT, null=True, blank=True, related_name="proposal")
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("lay_summary", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    named = models.GeneratedField(  # what its text names beside the register, as plain words
        expression=PlainWords(
            Concat(
                "organisation_name",
                models.Value(" "),
                KeyTextTransform("partner_roles", "answers"),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, reference__isnull=True, submitted_by__isnull=True)
                | Q(submitted_at__isnull=False, reference__isnull=False, submitted_by__isnull=False),
                name="proposal_submitted_has_reference_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn"]) | Q(submitted_at__isnull=False),
                name="proposal_beyond_draft_was_submitted",
            ),
            models.CheckConstraint(
                condition=Q(evidence_level__isnull=True) | Q(evidence_level__lte=5),
                name="proposal_evidence_level_0_to_5",
            ),
        ]
        indexes = [
            models.Index(fields=["call", "status"], name="proposal_call_status"),
            GinIndex(fields=["search"], name="proposal_search"),
            GinIndex(SearchVector(Left("named", 200_000), config="simple"), name="proposal_named_words"),
        ]

    def __str__(self):
        return f"{self.reference or 'Draft'}: {self.title or 'untitled'}"

    def get_absolute_url(self):
        return reverse("proposals:proposal_detail", args=[self.address])

    @property
    def address(self) -> str:
        """How the address names it: by reference once it has one, before that by an id that cannot be guessed."""
        return self.reference or str(self.public_id)

    @property
    def applicant_organisation_name(self) -> str:
        return self.organisation.name if self.organisation else self.organisation_name

    @cached_property
    def own_extension(self):
        """The extension that this applicant alone was given, if it is later than what holds for all."""
        latest = self.call.extensions.filter(applicant=self.applicant_id).order_by("closes_at").last()
        return latest if latest and latest.closes_at > self.call.accepts_until else None

    def accepts_until(self):
        """The call's closing instant with its grace, or this applicant's own extension if that is later."""
        return self.own_extension.closes_at if self.own_extension else self.call.accepts_until

    @property
    def closes_at(self):
        """The deadline that is shown: without the call's grace, which is told beside it."""
        return self.own_extension.closes_at if self.own_extension else self.call.closes_at

    def may_be_submitted_at(self, moment) -> bool:
        return self.call.status == Call.Status.PUBLISHED and self.call.opens_at <= moment < self.accepts_until()

    @property
    def is_too_late(self) -> bool:
        """A draft whose call has closed: kept, readable, not submitted."""
        return self.status == self.Status.DRAFT and clock.now() >= self.accepts_until()

    @property
    def released_decision(self):
        """The latest decision that the applicant has been told, with its letter; None before that."""
        told = [one for one in self.decisions.all() if getattr(one, "letter", None) and one.letter.is_released]
        return told[-1] if told else None

    @property
    def status_for_team(self) -> str:
        """The status that the applicant may know: a decision stays "at panel" until its letter is released."""
        if self.status not in self.DECIDED:
            return self.status
        return self.released_decision.outcome if self.released_decision else self.Status.AT_PANEL


class ProposalStatusChange(StatusChange):
    subject = models.ForeignKey(Proposal, models.PROTECT, related_name="status_changes")


class ReferenceCounter(models.Model):
    """The last number given in a year. Its row is locked while a number is given, so none is given twice or skipped."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"{self.year}: {self.last}"


class DraftVersion(models.Model):
    """The whole draft as it was after one save, so that earlier text can be read again and brought back.

    What a person saved by a button stays for good. What their page saved by itself is one version for each five
    minutes of typing, and later one an hour.
    """

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    answers = models.JSONField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()
    is_automatic = models.BooleanField(default=False, help_text="Saved by the page, not by a button")
    not_taken = models.JSONField(
        default=dict, blank=True, help_text="Typed where someone else had changed the same answer: kept, not used"
    )

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["proposal", "number"], name="draft_version_number_once")]

    def __str__(self):
        return f"{self.proposal_id} version {self.number}"


class CollaboratorQuerySet(models.QuerySet):
    def current(self):
        return self.filter(accepted_at__isnull=False, left_at__isnull=True)

    def invited(self):
        """Asked, and neither in nor out yet; the link may have expired."""
        return self.filter(accepted_at__isnull=True, left_at__isnull=True)


class Collaborator(Timestamped):
    """Someone whom the applicant invited to read or write a proposal with them."""

    class Role(models.TextChoices):
        VIEW = "view", "Can read"
        EDIT = "edit", "Can write"

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="collaborators")
    email = models.EmailField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEW)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    token_hash = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False, help_text="The link is in the mail only"
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Until when the link of the mail works")
    accepted_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = CollaboratorQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "email"], condition=Q(left_at__isnull=True), name="collaborator_once_a_proposal"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(user__isnull=False), name="collaborator_accepted_is_a_user"
            ),
        ]

    def __str__(self):
        return self.email

    @property
    def is_expired(self) -> bool:
        return self.accepted_at is None and self.expires_at is not None and self.expires_at <= clock.now()


class AttachmentQuerySet(models.QuerySet):
    def current(self):
        return self.filter(removed_at__isnull=True)

    def safe(self):
        """Those that may be handed out: found clean, or from where no scanner is set up."""
        return self.filter(scan_status__in=Attachment.SAFE)

    def visible_to(self, user):
        """Whoever sees the proposal; but only its team knows of a file before it was found clean.

        Names of files tell who applies: a reviewer of a blind call gets these rows as “File 1.pdf”, and the view hands
        out the copy without document properties.
        """
        if not user.is_authenticated:
            return self.none()
        mine = Proposal.objects.of_team(user).order_by().values("pk")
        others = Proposal.objects.in_admin_visible_to(user).order_by().values("pk")
        safe = Q(scan_status__in=Attachment.SAFE)
        rows = self.current().filter(Q(proposal__in=mine) | Q(proposal__in=others) & safe)
        return rows if user.is_programme_staff else rows.with_neutral_names(mine)

    def for_reader(self, *, blind):
        """The part of `visible_to` that is left for staff and reviewers where the proposal is known to be seen."""
        rows = self.current().safe()
        return rows.with_neutral_names() if blind else rows

    def with_neutral_names(self, mine=()):
        """Rows of blind calls, but for those of `mine`, carry a number instead of their name."""
        earlier = (
            Attachment.objects.current()
            .filter(proposal=OuterRef("proposal"), pk__lte=OuterRef("pk"))
            .exclude(scan_status=Attachment.Scan.INFECTED)
            .order_by()
            .values("proposal")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return self.annotate(
            neutral_number=Case(
                When(Q(proposal__call__is_blind=True) & ~Q(proposal__in=mine), then=Subquery(earlier)), default=None
            )
        )

    def _fetch_all(self):
        is_new = self._result_cache is None
        super()._fetch_all()
        if is_new:
            for row in self._result_cache:
                if getattr(row, "neutral_number", None) and isinstance(row, Attachment):
                    row.name = f"File {row.neutral_number}.{Attachment.ENDINGS.get(row.kind, row.kind)}"


class Attachment(models.Model):
    """A file beside a proposal: checked by content, stored privately, handed out by a view that asks who wants it."""

    class Scan(models.TextChoices):
        NOT_SCANNED = "not_scanned", "Not scanned"  # no scanner is set up
        WAITING = "waiting", "Waiting for the virus scan"
        CLEAN = "clean", "No virus found"
        INFECTED = "infected", "Virus found"
        UNSCANNABLE = "unscannable", "Could not be scanned"  # too large for the scanner, or no verdict for an hour

    SAFE = (Scan.CLEAN, Scan.NOT_SCANNED)
    LOST = (Scan.INFECTED, Scan.UNSCANNABLE)
    ENDINGS = {"jpeg": "jpg"}  # where a kind's usual ending is another

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="attachments")
    question = models.CharField(
        max_length=60, blank=True, help_text="Name of the question it answers; empty: it stands beside the proposal"
    )
    file = models.FileField(storage=private_storage, upload_to=random_name("proposals"), max_length=255)
    neutral_file = models.FileField(
        storage=private_storage,
        upload_to=random_name("proposals"),
        max_length=255,
        blank=True,
        editable=False,
        help_text="The same without document properties, for reviewers of a blind call",
    )
    name = models.CharField(max_length=200, help_text="The file's own name, shown and sent, never used as a path")
    kind = models.CharField(max_length=10)
    size = models.PositiveIntegerField(help_text="Bytes")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    scan_status = models.CharField(max_length=12, choices=Scan, default=Scan.NOT_SCANNED)
    scanned_at = models.DateTimeField(null=True, blank=True)
    scan_attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often the scan had trouble with this file"
    )
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["uploaded_at", "pk"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("proposals:attachment", args=[self.public_id])

    @property
    def is_for_blind_reader(self) -> bool:
        """This row was asked for by a reviewer of a blind call: only the neutral copy is for them."""
        return getattr(self, "neutral_number", None) is not None

    @property
    def may_be_downloaded(self) -> bool:
        return self.scan_status in self.SAFE

    @property
    def is_waiting_for_scan(self) -> bool:
        return self.scan_status == self.Scan.WAITING

    @property
    def is_infected(self) -> bool:
        return self.scan_status == self.Scan.INFECTED

    @property
    def is_lost(self) -> bool:
        """Nobody will ever get it, so it answers no question."""
        return self.scan_status in self.LOST


class PromisedBenefit(models.Model):
    """What an applicant promises to move, by how much and by when: becomes a metric of the project on approval."""

    class Kind(models.TextChoices):
        OUTCOME = "outcome", "Outcome"
        PROCESS = "process", "Process"
        BALANCING = "balancing", "Balancing"

    class Direction(models.TextChoices):
        INCREASE = "increase", "Higher is better"
        DECREASE = "decrease", "Lower is better"
        NEUTRAL = "neutral", "Neither"

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="benefits")
    position = models.PositiveSmallIntegerField()
    metric_name = models.CharField(max_length=160)
    kind = models.CharField(max_length=10, choices=Kind)
    unit = models.CharField(max_length=80)
    direction = models.CharField(max_length=10, choices=Direction)
    baseline = models.DecimalField(max_digits=14, decimal_places=4)
    aim = models.DecimalField(max_digits=14, decimal_places=4)
    aim_on = models.DateField()
    metric = models.OneToOneField(
        "measurement.Metric", models.PROTECT, null=True, blank=True, related_name="promised_benefit"
    )

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["proposal", "position"], name="benefit_position_once")]

    def __str__(self):
        return self.metric_name


class BudgetLine(models.Model):
    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="budget_lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(default=1, help_text="Year of the project, counted from 1")
    asked = models.DecimalField(max_digits=12, decimal_places=2, help_text="Pounds asked of us")
    matched = models.DecimalField(
        max_digits=12, decimal_places=2, default=0, help_text="Pounds from others, in kind too"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "position"], name="budget_line_position_once"),
            models.CheckConstraint(condition=Q(asked__gte=0, matched__gte=0), name="budget_line_not_negative"),
            models.CheckConstraint(condition=Q(year__gte=1), name="budget_line_year_from_1"),
        ]

    def __str__(self):
        return self.description
