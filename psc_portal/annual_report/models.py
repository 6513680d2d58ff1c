"""The annual report: written in sections, frozen into a snapshot of every number, rendered from it, published."""

import datetime as dt
import hashlib
import json
from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from psc_portal.common import clock
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Stateful, StatusChange, Timestamped

STALE_AFTER = dt.timedelta(seconds=60)  # a rendering says at least every five seconds that it lives
LATE_AFTER = dt.timedelta(minutes=2)  # a queued rendering that nobody has taken is offered again
MAX_ATTEMPTS = 3


class AnnualReportQuerySet(models.QuerySet):
    def published(self):
        return self.filter(status=AnnualReport.Status.PUBLISHED)

    def visible_to(self, user):
        """Everyone: what is published. Leads and programme staff: all."""
        return self if user.is_authenticated and (user.is_lead or user.is_programme_staff) else self.published()

    def with_document(self):
        """Each report with its snapshot and the finished PDF of that, for `document`, in one more query."""
        documents = models.Prefetch("snapshot__renderings", queryset=Rendering.objects.done(), to_attr="done")
        return self.select_related("snapshot").defer("snapshot__content").prefetch_related(documents)


class AnnualReport(Stateful, Timestamped):
    """What one year's report is: 1 April to 31 March. There is one for a year."""

    class Status(models.TextChoices):
        EDITING = "editing", "Being written"
        FROZEN = "frozen", "Frozen"
        PUBLISHED = "published", "Published"

    TRANSITIONS = {
        Status.EDITING: {Status.FROZEN},
        Status.FROZEN: {Status.EDITING, Status.PUBLISHED},
        Status.PUBLISHED: set(),
    }

    year_start = models.DateField(unique=True, help_text="1 April")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.EDITING)
    data_cut_on = models.DateField(help_text="nothing that happened after this day is in the report")
    summary = models.CharField(max_length=400, blank=True, help_text="one sentence for the list of reports")
    snapshot = models.ForeignKey("Snapshot", on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = AnnualReportQuerySet.as_manager()

    class Meta:
        ordering = ["-year_start"]
        constraints = [
            models.CheckConstraint(
                condition=Q(year_start__month=4, year_start__day=1), name="annual_report_year_starts_on_1_april"
            ),
            models.CheckConstraint(
                condition=Q(data_cut_on__gte=models.F("year_start")), name="annual_report_data_cut_in_or_after_year"
            ),
            models.CheckConstraint(
                condition=Q(status="editing") | Q(snapshot__isnull=False), name="annual_report_frozen_has_its_snapshot"
            ),
            models.CheckConstraint(
                condition=Q(published_at=None, published_by=None)
                | Q(published_at__isnull=False, published_by__isnull=False, status="published"),
                name="annual_report_published_at_with_by",
            ),
        ]

    def __str__(self):
        return f"Annual report {self.year_label}"

    def get_absolute_url(self):
        return reverse("annual_report:report_detail", args=[self.year])

    @property
    def year(self) -> str:
        """As in the address: 2025-26."""
        return f"{self.year_start.year}-{(self.year_start.year + 1) % 100:02}"

    @property
    def year_label(self) -> str:
        return f"{self.year_start.year} to {self.year_start.year + 1}"

    @property
    def year_end(self) -> dt.date:
        return dt.date(self.year_start.year + 1, 3, 31)

    @property
    def is_editable(self) -> bool:
        return self.status == self.Status.EDITING

    @property
    def is_frozen(self) -> bool:
        return self.status == self.Status.FROZEN

    @property
    def is_published(self) -> bool:
        return self.status == self.Status.PUBLISHED

    @cached_property
    def documents(self) -> list:
        """The finished PDFs of the current snapshot, the report itself first."""
        if self.snapshot_id is None:
            return []
        done = list(self.snapshot.done if hasattr(self.snapshot, "done") else self.snapshot.renderings.done())
        for rendering in done:
            rendering.snapshot, self.snapshot.report = self.snapshot, self  # known here: no query for an address
        return sorted(done, key=lambda rendering: rendering.place_in_list)

    @property
    def parts(self) -> list:
        """Those of single priorities."""
        return [one for one in self.documents if one.kind == Rendering.Kind.PRIORITY]

    @property
    def document(self):
        """The finished PDF of the report itself, or None."""
        return next((one for one in self.documents if one.kind == Rendering.Kind.REPORT), None)

    @property
    def file_name(self) -> str:
        return f"annual-report-{self.year}.pdf"


class AnnualReportStatusChange(StatusChange):
    subject = models.ForeignKey(AnnualReport, on_delete=models.PROTECT, related_name="status_changes")


class Section(Timestamped):
    """One part of the report. People write its text; what kind it is says which numbers the portal puts beside it."""

    class Kind(models.TextChoices):
        FOREWORD = "foreword", "Foreword"
        YEAR_IN_NUMBERS = "year_in_numbers", "The year in numbers"
        WHO_WE_ARE = "who_we_are", "Who we are and how we are governed"
        PRIORITY = "priority", "A priority"
        CASE_STUDIES = "case_studies", "Case studies"
        PLEDGES = "pledges", "Pledges kept and not kept"
        CALLS = "calls", "Calls and funded projects"
        INVOLVEMENT = "involvement", "Involving patients and the public"
        INEQUALITIES = "inequalities", "Inequalities"
        CAPABILITY = "capability", "Capability: people trained"
        SPREAD = "spread", "Spread"
        MONEY = "money", "Money"
        FORWARD_PLAN = "forward_plan", "Next year"
        THANKS = "thanks", "Thanks"
        METRICS = "metrics", "Measurement appendix"
        GLOSSARY = "glossary", "Words we use"
        CONTACTS = "contacts", "Contacts"

    FILLED = {Kind.YEAR_IN_NUMBERS, Kind.PRIORITY, Kind.PLEDGES, Kind.CALLS, Kind.METRICS, Kind.GLOSSARY, Kind.CONTACTS}

    report = models.ForeignKey(AnnualReport, on_delete=models.CASCADE, related_name="sections")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    priority = models.ForeignKey("projects.Priority", on_delete=models.PROTECT, null=True, related_name="+")
    heading = models.CharField(max_length=150)
    position = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True, help_text="Markdown")
    version = models.PositiveIntegerField(default=1, help_text="grows with each stored change of heading or text")
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="report_sections"
    )
    signed_off_at = models.DateTimeField(null=True)
    signed_off_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["report", "position"]
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="section_position_once_in_a_report"),
            models.UniqueConstraint(
                fields=["report", "kind", "priority"], nulls_distinct=False, name="section_kind_once_in_a_report"
            ),
            models.CheckConstraint(
                condition=Q(kind="priority", priority__isnull=False) | (~Q(kind="priority") & Q(priority=None)),
                name="section_of_a_priority_names_it",
            ),
            models.CheckConstraint(
                condition=Q(signed_off_at=None, signed_off_by=None)
                | Q(signed_off_at__isnull=False, signed_off_by__isnull=False),
                name="section_signed_off_at_with_by",
            ),
        ]

    def __str__(self):
        return self.heading

    def get_absolute_url(self):
        return reverse("annual_report:section_edit", args=[self.report.year, self.pk])

    @property
    def is_signed_off(self) -> bool:
        return self.signed_off_at is not None

    @property
    def is_filled_by_portal(self) -> bool:
        return self.kind in self.FILLED

    @property
    def is_left_out(self) -> bool:
        """Nobody wrote anything and the portal has nothing to add."""
        return not self.text.strip() and not self.is_filled_by_portal


class Snapshot(models.Model):
    """Every number and every word of a report at one moment, as canonical JSON with its hash. Never changed."""

    report = models.ForeignKey(AnnualReport, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveSmallIntegerField(help_text="first, second… freeze of this report")
    content = models.TextField(help_text="canonical JSON: exactly the text that was hashed")
    sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(default=clock.now)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["report", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="snapshot_number_once_in_a_report"),
        ]

    def __str__(self):
        return f"{self.report}, freeze {self.number}"

    @cached_property
    def data(self) -> dict:
        return json.loads(self.content)

    def is_intact(self) -> bool:
        return hashlib.sha256(self.content.encode()).hexdigest() == self.sha256


class Mention(models.Model):
    """A subject that a snapshot speaks of, and in which chapter: the report's end of the golden thread."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="mentions")
    kind = models.CharField(max_length=10, help_text="as in common.registry.KINDS")
    subject_pk = models.BigIntegerField()
    anchor = models.CharField(max_length=80, help_text="the chapter's id on the report's page")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "kind", "subject_pk"], name="mention_once_in_a_snapshot"),
        ]
        indexes = [models.Index(fields=["kind", "subject_pk"])]

    def __str__(self):
        return f"{self.kind} {self.subject_pk} in {self.anchor}"


class Reopening(models.Model):
    """Why a frozen report was opened for writing again. Append-only."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="reopenings")
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-at"]

    def __str__(self):
        return self.reason


class RenderingQuerySet(models.QuerySet):
    def done(self):
        return self.filter(status=Rendering.Status.DONE)

    def under_way(self):
        return self.filter(status__in=[Rendering.Status.QUEUED, Rendering.Status.RUNNING])

    def abandoned(self):
        """Running, but its worker has not said for a while that it lives: it was killed."""
        return self.filter(status=Rendering.Status.RUNNING, heartbeat_at__lt=clock.now() - STALE_AFTER)

    def forgotten(self):
        """Queued, but nobody has taken it for a while: the queue may have lost it."""
        return self.filter(status=Rendering.Status.QUEUED, queued_at__lt=clock.now() - LATE_AFTER)


class Rendering(Stateful, Timestamped):
    """One PDF of one snapshot, waited for, made or failed. This row is the truth; the queue carries only its id."""

    class Kind(models.TextChoices):
        REPORT = "report", "Report"
        BOARD_PACK = "board_pack", "Board pack"
        LARGE_PRINT = "large_print", "Large print"
        PRIORITY = "priority", "One priority"

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "In the making"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS = {
        Status.QUEUED: {Status.RUNNING, Status.CANCELLED},
        Status.RUNNING: {Status.DONE, Status.FAILED, Status.CANCELLED, Status.QUEUED},
        Status.FAILED: {Status.QUEUED},
        Status.CANCELLED: {Status.QUEUED},
        Status.DONE: set(),
    }

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="renderings")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.REPORT)
    part = models.CharField(max_length=100, blank=True, help_text="the priority's slug, where it tells of one")
    part_name = models.CharField(max_length=150, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queued_at = models.DateTimeField(default=clock.now)
    percent = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=60, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="only the worker of the latest attempt may write")
    heartbeat_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True, help_text="one sentence for people")
    finished_at = models.DateTimeField(null=True)
    file = models.FileField(storage=private_storage, upload_to=random_name("annual-reports"), blank=True)
    cover = models.FileField(storage=private_storage, upload_to=random_name("annual-reports"), blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(null=True, help_text="bytes")
    pages = models.PositiveIntegerField(null=True)

    objects = RenderingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "kind", "part"], name="rendering_once_for_a_snapshot"),
            models.CheckConstraint(
                condition=~Q(status="done") | (~Q(file="") & ~Q(sha256="") & Q(size__gt=0)),
                name="rendering_done_has_its_file",
            ),
            models.CheckConstraint(condition=Q(percent__lte=100), name="rendering_percent_to_100"),
        ]
        indexes = [
            models.Index(
                fields=["status", "heartbeat_at"],
                condition=Q(status__in=["queued", "running"]),
                name="rendering_under_way",
            ),
        ]

    def __str__(self):
        return f"{self.name} of {self.snapshot}"

    def get_absolute_url(self):
        year = self.snapshot.report.year
        if self.kind == self.Kind.REPORT:
            return reverse("annual_report:report_pdf", args=[year])
        return reverse("annual_report:report_paper", args=[year, self.slug])

    @property
    def name(self) -> str:
        return self.part_name if self.kind == self.Kind.PRIORITY else self.get_kind_display()

    @property
    def slug(self) -> str:
        """As in the address, before .pdf."""
        kind = self.kind.replace("_", "-")
        return f"{kind}-{self.part}" if self.part else kind

    @property
    def file_name(self) -> str:
        report = self.snapshot.report
        return report.file_name if self.kind == self.Kind.REPORT else f"annual-report-{report.year}-{self.slug}.pdf"

    @property
    def place_in_list(self) -> tuple:
        return (self.Kind.values.index(self.kind), self.pk)

    @property
    def is_under_way(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def may_be_retried(self) -> bool:
        return self.status in {self.Status.FAILED, self.Status.CANCELLED}


class RenderingStatusChange(StatusChange):
    subject = models.ForeignKey(Rendering, on_delete=models.PROTECT, related_name="status_changes")


class Correction(models.Model):
    """A dated note on a published report. The report itself stays as it was. Append-only."""

    report = models.ForeignKey(AnnualReport, on_delete=models.PROTECT, related_name="corrections")
    text = models.CharField(max_length=1000, help_text="what was wrong, what is right")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self):
        return self.text
