"""The measurement plan: what is measured, how it is defined, and every value with its history."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from projects.models import Organisation
from psc_portal.common import clock
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Stateful, StatusChange, Timestamped

STALE_AFTER = dt.timedelta(seconds=60)  # a worker that reads a file says every second that it lives
LATE_AFTER = dt.timedelta(minutes=5)
KEPT_FOR = dt.timedelta(days=7)


class MetricQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Anyone: public metrics. Members of the collaborative: members-only ones too. Staff and leads: all."""
        if not user.is_authenticated:
            return self.filter(is_public=True)
        if user.is_programme_staff or user.is_lead:
            return self
        if Organisation.objects.of_member(user).exists():
            return self
        return self.filter(Q(is_public=True) | Q(pk__in=MetricOwner.objects.held_by(user).values("metric")))

    def in_plan_order(self):
        """Must-do topics first, then the local priorities in their order, then what hangs on no priority."""
        must_do = models.Case(
            models.When(priority__kind="must_do", then=0),
            models.When(priority__isnull=False, then=1),
            default=2,
            output_field=models.PositiveSmallIntegerField(),
        )
        return self.order_by(must_do, F("priority__position").asc(nulls_last=True), "priority__title", "code")

    def held_by(self, user):
        """The metrics that the user owns or deputises for today."""
        return self.filter(pk__in=MetricOwner.objects.held_by(user).values("metric"))

    def matching(self, words):
        """Metrics that a search finds, with their rank."""
        query = SearchQuery(words, config="english", search_type="websearch")
        return self.filter(search=query).annotate(rank=SearchRank(F("search"), query))


class Metric(Timestamped):
    class Kind(models.TextChoices):
        OUTCOME = "outcome", "Outcome: did it help people"
        PROCESS = "process", "Process: did we do it"
        BALANCING = "balancing", "Balancing: did something else get worse"

    class Dimension(models.TextChoices):
        """C. Vincent, S. Burnett, J. Carthey, The measurement and monitoring of safety (Health Foundation, 2013)."""

        PAST_HARM = "past_harm", "Past harm"
        RELIABILITY = "reliability", "Reliability"
        OPERATIONS = "operations", "Sensitivity to operations"
        ANTICIPATION = "anticipation", "Anticipation and preparedness"
        LEARNING = "learning", "Integration and learning"

    class Direction(models.TextChoices):
        INCREASE = "increase", "Higher is better"
        DECREASE = "decrease", "Lower is better"
        NEUTRAL = "neutral", "Neither is better"

    class Frequency(models.TextChoices):
        WEEK = "week", "Every week"
        MONTH = "month", "Every month"
        QUARTER = "quarter", "Every 3 months"
        HALF_YEAR = "half_year", "Twice a year"
        YEAR = "year", "Every year"
        EVENT = "event", "At each event"

    class ChartType(models.TextChoices):
        """What a person chose for this metric. So far `charts` draws all of them as XmR."""

        XMR = "xmr", "XmR chart (individual values)"
        RUN = "run", "Run chart"
        P = "p", "p chart (proportions)"
        P_PRIME = "pp", "p′ chart (proportions, large denominators)"
        U = "u", "u chart (rates)"
        U_PRIME = "up", "u′ chart (rates, large denominators)"
        C = "c", "c chart (counts)"
        G = "g", "g chart (cases between rare events)"
        T = "t", "t chart (time between rare events)"
        I_PRIME = "ip", "I′ chart (individual values, varying denominators)"

    code = models.CharField(
        max_length=12,
        unique=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9-]*\Z", "Use capital letters, digits and hyphens, like PU1")],
    )
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    dimension = models.CharField(max_length=12, choices=Dimension)
    priority = models.ForeignKey(
        "projects.Priority", on_delete=models.PROTECT, null=True, blank=True, related_name="metrics"
    )
    project = models.ForeignKey(
        "projects.Project", on_delete=models.PROTECT, null=True, blank=True, related_name="metrics"
    )
    direction = models.CharField("improvement direction", max_length=8, choices=Direction)
    unit = models.CharField(max_length=60, help_text="For example %, days, or per 1,000 occupied bed days")
    multiplier = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    frequency = models.CharField(max_length=9, choices=Frequency, default=Frequency.MONTH)
    days_to_report = models.PositiveSmallIntegerField(
        default=30, help_text="Days after the end of a period until its value is due"
    )
    days_until_final = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days after the end of a period until its value no longer changes"
    )
    collector = models.CharField(max_length=160, blank=True, help_text="Who collects the data: a role or a team")
    stratified_by = models.CharField(
        max_length=160, blank=True, help_text="For example organisation, setting, equality group"
    )
    baseline_from = models.DateField(null=True, blank=True)
    baseline_to = models.DateField(null=True, blank=True)
    chart_type = models.CharField(max_length=3, choices=ChartType, default=ChartType.XMR)
    is_public = models.BooleanField("public", default=False)
    numerator_counts_people = models.BooleanField(
        default=True, help_text="Public pages hide counts of 1 to 7 people and round the rest to the nearest 5"
    )
    denominator_counts_people = models.BooleanField(default=True)
    why_it_matters = models.TextField(blank=True)
    known_limits = models.TextField(blank=True)
    is_illustrative = models.BooleanField(default=False, help_text="The values are made up, to show how it would look")
    search = models.GeneratedField(
        expression=SearchVector("code", "name", weight="A", config="english")
        + SearchVector("unit", "why_it_matters", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = MetricQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(multiplier__gte=1), name="metric_multiplier_at_least_1"),
            models.CheckConstraint(
                condition=Q(baseline_from__isnull=True, baseline_to__isnull=True)
                | Q(baseline_from__isnull=False, baseline_to__gte=F("baseline_from")),
                name="metric_baseline_from_before_to",
            ),
        ]
        indexes = [GinIndex(fields=["search"], name="metric_search")]

    def __str__(self):
        return f"{self.code} {self.name}"

    def get_absolute_url(self):
        return reverse("measurement:metric_detail", args=[self.code])

    @property
    def version(self):
        """The definition in force: the newest one. None only before `create_metric` has finished."""
        return max(self.versions.all(), key=lambda version: version.number, default=None)

    @property
    def owner(self):
        """The current MetricOwner row, or None."""
        return next((held for held in self.owners.all() if held.is_current), None)

    @property
    def standing_targets(self):
        """The targets that nobody has withdrawn, in the order in which they hold."""
        return [target for target in self.targets.all() if target.withdrawn_at is None]

    @property
    def possible_charts(self) -> list[str]:
        """The chart types that can be drawn from what is entered for this metric."""
        kinds, version = self.ChartType, self.version
        charts = [kinds.XMR, kinds.RUN]
        if version and version.entry == MetricVersion.Entry.RATIO:
            charts += [kinds.P, kinds.P_PRIME] if self.is_proportion else []
            return [*charts, kinds.U, kinds.U_PRIME, kinds.I_PRIME]
        if self.frequency == self.Frequency.EVENT:
            return [*charts, kinds.G, kinds.T]
        return [*charts, kinds.C, kinds.G] if version and version.entry == MetricVersion.Entry.COUNT else charts

    @property
    def is_proportion(self):
        """A percentage of a denominator: its numerator can never exceed it."""
        version = self.version
        return bool(version and version.entry == MetricVersion.Entry.RATIO and self.multiplier == 100)


class MetricVersion(models.Model):
    """One definition of a metric. Never edited: a changed definition is a new row and breaks the line from its date."""

    class Entry(models.TextChoices):
        RATIO = "ratio", "Numerator and denominator"
        COUNT = "count", "One count"
        VALUE = "value", "One value"

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    valid_from = models.DateField(null=True, blank=True, help_text="Empty for the first definition")
    operational_definition = models.TextField()
    numerator = models.TextField(blank=True)
    denominator = models.TextField(blank=True)
    exclusions = models.TextField(blank=True)
    source = models.TextField(blank=True)
    sampling = models.TextField(blank=True, help_text="All cases, or how many of them and how they are chosen")
    reason = models.TextField(blank=True, help_text="Why the definition changed")
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["metric", "number"]
        constraints = [
            models.UniqueConstraint(fields=["metric", "number"], name="metricversion_number_once"),
            models.CheckConstraint(
                condition=Q(number=1, valid_from__isnull=True) | Q(number__gt=1, valid_from__isnull=False),
                name="metricversion_later_ones_dated",
            ),
        ]

    def __str__(self):
        return f"{self.metric.code} version {self.number}"

    @property
    def entry(self):
        """How a period is entered: what the definition counts decides it."""
        if self.denominator:
            return self.Entry.RATIO
        return self.Entry.COUNT if self.numerator else self.Entry.VALUE


class MetricOwnerQuerySet(models.QuerySet):
    def current(self):
        today = clock.today()
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gt=today), from_date__lte=today)

    def held_by(self, user):
        return self.current().filter(Q(user=user) | Q(deputy=user))


class MetricOwner(models.Model):
    """Who answers for a metric, with a deputy, over time."""

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="owners")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_metrics")
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="deputised_metrics"
    )
    from_date = models.DateField(default=clock.today)
    to_date = models.DateField(null=True, blank=True)

    objects = MetricOwnerQuerySet.as_manager()

    class Meta:
        ordering = ["metric", "from_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric"], condition=Q(to_date__isnull=True), name="metricowner_one_current_per_metric"
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="metricowner_dates_in_order"
            ),
            models.CheckConstraint(
                condition=Q(deputy__isnull=True) | ~Q(deputy=F("user")), name="metricowner_deputy_is_someone_else"
            ),
        ]

    def __str__(self):
        return f"{self.metric.code}: {self.user}"

    @property
    def is_current(self):
        today = clock.today()
        return self.from_date <= today and (self.to_date is None or self.to_date > today)


class SeriesQuerySet(models.QuerySet):
    def kept_by(self, user):
        """Series whose data the user is expected to enter: of metrics held, and of their organisations."""
        held = MetricOwner.objects.held_by(user).values("metric")
        return self.filter(Q(metric__in=held) | Q(organisation__in=Organisation.objects.of_member(user)))

    def enterable_by(self, user):
        """Series whose data the user may enter: what `permissions.can_enter` says, for many at once."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_programme_staff or user.is_lead else self.kept_by(user)

    def at_place(self, key: str):
        """The series of the place that addresses call `key`: an organisation, or the region."""
        if key.lower() == Series.REGION:
            return self.filter(organisation__isnull=True)
        return self.filter(Q(organisation__ods_code__iexact=key) | Q(organisation__slug=key))

    def running(self):
        """Series that have not ended."""
        return self.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=clock.today()))


class Series(models.Model):
    """The values of one metric in one organisation, or in the whole region when `organisation` is empty."""

    REGION = "region"  # what addresses and files call the place without an organisation

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="series")
    organisation = models.ForeignKey(
        "projects.Organisation", on_delete=models.PROTECT, null=True, blank=True, related_name="series"
    )
    ended_on = models.DateField(null=True, blank=True)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "series"
        ordering = ["metric", F("organisation__name").asc(nulls_first=True)]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "organisation"], nulls_distinct=False, name="series_one_per_metric_and_organisation"
            ),
        ]

    def __str__(self):
        return f"{self.metric.code}, {self.place}"

    def get_absolute_url(self):
        return f"{self.metric.get_absolute_url()}?series={self.key}"

    @property
    def place(self):
        """Where these values come from, in words."""
        return self.organisation.name if self.organisation_id else settings.COLLABORATIVE["region"]

    @property
    def key(self):
        """How addresses and CSV files name this series."""
        if not self.organisation_id:
            return self.REGION
        return self.organisation.ods_code or self.organisation.slug


class ImportBatchQuerySet(models.QuerySet):
    def published_sources_of(self, series) -> list[tuple[str, str]]:
        """(source, licence) of the published figures among the values of a series."""
        its_points = DataPoint.objects.current().filter(series=series, batch=models.OuterRef("pk"))
        rows = self.exclude(source="").filter(models.Exists(its_points)).order_by("source")
        return list(rows.values_list("source", "licence").distinct())


class ImportBatch(Stateful, Timestamped):
    """Values that came in together by file or paste; can be undone as one."""

    class Status(models.TextChoices):
        STORED = "stored", "Stored"
        UNDONE = "undone", "Undone"

    TRANSITIONS = {Status.STORED: {Status.UNDONE}, Status.UNDONE: set()}

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="imports")
    status = models.CharField(max_length=6, choices=Status, default=Status.STORED)
    name = models.CharField(max_length=120, help_text="File name, or Pasted rows")
    token = models.UUIDField(unique=True, editable=False, help_text="Made with the preview: stops a double submission")
    rows_stored = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    source = models.CharField(
        max_length=200, blank=True, help_text="Of published figures: who publishes them, and what"
    )
    licence = models.CharField(max_length=300, blank=True, help_text="What the published figures may be used for")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return f"{self.metric.code}: {self.name}"


class ImportBatchStatusChange(StatusChange):
    subject = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="status_changes")


class ImportFileQuerySet(models.QuerySet):
    def abandoned(self):
        """In a worker's hands, but it has not said for a while that it lives: it was killed."""
        return self.filter(status__in=ImportFile.IN_HAND, heartbeat_at__lt=clock.now() - STALE_AFTER)

    def forgotten(self):
        """Waiting, but no worker has taken it for a while: the queue may have lost it."""
        return self.filter(status__in=ImportFile.WAITING, queued_at__lt=clock.now() - LATE_AFTER)

    def left_lying(self):
        """Checked long ago, and never stored: the file is not kept for ever."""
        return self.filter(status=ImportFile.Status.CHECKED, updated_at__lt=clock.now() - KEPT_FOR)


class ImportFile(Stateful, Timestamped):
    """A large file on its way to an import: checked by a worker, looked at by its owner, stored by a worker.

    This row is the truth; the queue carries only its id. The file is private to `by`, and deleted when all is done.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting to be checked"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked, not stored yet"
        ACCEPTED = "accepted", "Waiting to be stored"
        STORING = "storing", "Being stored"
        STORED = "stored", "Stored"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Thrown away"

    TRANSITIONS = {
        Status.QUEUED: {Status.CHECKING, Status.DISCARDED, Status.FAILED},
        Status.CHECKING: {Status.CHECKED, Status.QUEUED, Status.FAILED},
        Status.CHECKED: {Status.ACCEPTED, Status.DISCARDED},
        Status.ACCEPTED: {Status.STORING, Status.FAILED},
        Status.STORING: {Status.STORED, Status.ACCEPTED, Status.QUEUED, Status.FAILED},
        Status.STORED: set(),
        Status.FAILED: set(),
        Status.DISCARDED: set(),
    }
    WAITING = {Status.QUEUED, Status.ACCEPTED}
    IN_HAND = {Status.CHECKING, Status.STORING}

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="import_files")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+", help_text="Of rows without a place")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    name = models.CharField(max_length=120)
    measure = models.CharField(max_length=60, blank=True, help_text="Which numbers of a published layout")
    file = models.FileField(storage=private_storage, upload_to=random_name("imports"), blank=True)
    token = models.UUIDField(unique=True, editable=False)
    result = models.JSONField(default=dict, help_text="What the check found")
    reason = models.CharField(max_length=300, blank=True)
    batch = models.OneToOneField(ImportBatch, on_delete=models.PROTECT, null=True, related_name="file")
    queued_at = models.DateTimeField(default=clock.now)
    heartbeat_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Only the worker of the latest attempt may write")
    percent = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=80, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="One sentence for people")

    objects = ImportFileQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="importfile_percent_to_100"),
            models.CheckConstraint(
                condition=~Q(status="stored") | Q(batch__isnull=False), name="importfile_stored_has_its_batch"
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "heartbeat_at"],
                condition=Q(status__in=["queued", "checking", "checked", "accepted", "storing"]),
                name="importfile_under_way",
            )
        ]

    def __str__(self):
        return f"{self.metric.code}: {self.name}"

    def get_absolute_url(self):
        return reverse("measurement:import_file", args=[self.metric.code, self.pk])

    @property
    def is_under_way(self) -> bool:
        return self.status in self.WAITING | self.IN_HAND


class ImportFileStatusChange(StatusChange):
    subject = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="status_changes")


class DataPointQuerySet(models.QuerySet):
    def current(self):
        return self.filter(withdrawn_at__isnull=True)


class DataPoint(Timestamped):
    """One period of one series. Numerator and denominator, or a count, or a value, as the definition asks."""

    class Finality(models.TextChoices):
        PROVISIONAL = "provisional", "Provisional"
        FINAL = "final", "Final"

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="points")
    period_start = models.DateField()
    period_end = models.DateField()
    numerator = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    denominator = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    value = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    finality = models.CharField(max_length=11, choices=Finality, default=Finality.FINAL)
    note = models.CharField(max_length=300, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="points")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DataPointQuerySet.as_manager()

    class Meta:
        ordering = ["series", "period_start"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "period_start"],
                condition=Q(withdrawn_at__isnull=True),
                name="datapoint_one_current_per_period",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")), name="datapoint_period_starts_before_it_ends"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False, numerator__isnull=True, denominator__isnull=True)
                | Q(value__isnull=True, numerator__isnull=False),
                name="datapoint_value_or_numerator",
            ),
            models.CheckConstraint(
                condition=Q(numerator__isnull=True) | Q(numerator__gte=0), name="datapoint_numerator_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(denominator__isnull=True) | Q(denominator__gte=0), name="datapoint_denominator_not_negative"
            ),
        ]

    def __str__(self):
        return f"{self.series}, {self.period_start:%Y-%m-%d}"

    @property
    def stamp(self) -> str:
        """What a form remembers of the value that it was made from, to notice that somebody changed it since."""
        return f"{self.pk}-{int(self.updated_at.timestamp() * 1_000_000):x}"


class Correction(models.Model):
    """What a data point said before and after it was changed, or restored by undoing an import. Append-only."""

    point = models.ForeignKey(DataPoint, on_delete=models.PROTECT, related_name="corrections")
    numerator_before = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    numerator_after = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    denominator_before = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    denominator_after = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    value_before = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    value_after = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    finality_before = models.CharField(max_length=11)
    finality_after = models.CharField(max_length=11)
    note_before = models.CharField(max_length=300, blank=True)
    note_after = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="corrections")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["point", "at", "pk"]

    def __str__(self):
        return f"{self.point}: {self.reason}"

    @property
    def before_text(self):
        return self._text("before")

    @property
    def after_text(self):
        return self._text("after")

    def _text(self, when):
        numbers = [getattr(self, f"{name}_{when}") for name in ("numerator", "denominator", "value")]
        said = " of ".join(f"{number.normalize():f}" for number in numbers if number is not None)
        return f"{said}, {getattr(self, f'finality_{when}')}"


class DataReminder(models.Model):
    """That a person was reminded of a period that is late: once, however often the job runs."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="reminders")
    period_start = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["series", "period_start", "user"], name="datareminder_once_a_period"),
        ]

    def __str__(self):
        return f"{self.series}, {self.period_start:%Y-%m-%d}: {self.user}"


class Withdrawable(models.Model):
    """A remark or decision that can be taken back, but not deleted."""

    created_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True


class Annotation(Withdrawable):
    """Something that happened, marked with a number on the chart of one series, or of all when `series` is empty."""

    class Kind(models.TextChoices):
        PDSA = "pdsa", "Plan-do-study-act cycle"
        INTERVENTION = "intervention", "Change introduced"
        DEFINITION = "definition", "Definition changed"
        DATA_QUALITY = "data_quality", "Data quality"
        OUTSIDE_EVENT = "outside_event", "Outside event"

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="annotations")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, null=True, blank=True, related_name="annotations")
    pdsa_cycle = models.ForeignKey(
        "projects.PdsaCycle", on_delete=models.PROTECT, null=True, blank=True, related_name="annotations"
    )
    date = models.DateField()
    kind = models.CharField(max_length=13, choices=Kind)
    text = models.CharField(max_length=200)

    class Meta:
        ordering = ["date", "pk"]

    def __str__(self):
        return f"{self.metric.code}, {self.date:%Y-%m-%d}: {self.text}"


class Rebase(Withdrawable):
    """A person's decision to calculate mean and limits anew from a date on, with the reason."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="rebases")
    from_date = models.DateField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["series", "from_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "from_date"],
                condition=Q(withdrawn_at__isnull=True),
                name="rebase_one_current_per_date",
            ),
        ]

    def __str__(self):
        return f"{self.series}, from {self.from_date:%Y-%m-%d}"


class Exclusion(Withdrawable):
    """A person's decision to leave one value out of mean and limits, with the reason. The value stays on the chart."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="exclusions")
    period_start = models.DateField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["series", "period_start"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "period_start"],
                condition=Q(withdrawn_at__isnull=True),
                name="exclusion_one_current_per_period",
            ),
        ]

    def __str__(self):
        return f"{self.series}, without {self.period_start:%Y-%m-%d}"


class Baseline(Withdrawable):
    """A person's decision to freeze mean and limits, with the reason: on so many points of each part, or to a date."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="baselines")
    points = models.PositiveSmallIntegerField(null=True, blank=True, help_text="12 or more")
    until = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["series", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["series"], condition=Q(withdrawn_at__isnull=True), name="baseline_one_current_per_series"
            ),
            models.CheckConstraint(
                condition=Q(points__gte=12, until__isnull=True) | Q(points__isnull=True, until__isnull=False),
                name="baseline_12_points_or_a_date",
            ),
        ]

    def __str__(self):
        return f"{self.series}, frozen {self.words}"

    @property
    def words(self):
        return f"on the first {self.points} values" if self.points else f"up to {self.until.day} {self.until:%B %Y}"


class MetricTarget(Withdrawable):
    """What a metric should reach from a date on, who set it and why; without a value: no target from then on."""

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="targets")
    value = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    from_date = models.DateField(null=True, blank=True, help_text="Empty for a target that holds from the beginning")
    set_by = models.CharField(max_length=120, blank=True, help_text="The board, team or person who set it")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["metric", F("from_date").asc(nulls_first=True), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "from_date"],
                condition=Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="metrictarget_one_current_per_date",
            ),
        ]

    def __str__(self):
        return f"{self.metric.code}, target {self.value_text}"

    @property
    def has_begun(self):
        return self.from_date is None or self.from_date <= clock.today()

    @property
    def value_text(self):
        return "none" if self.value is None else f"{self.value.normalize():f}"


class Trajectory(Withdrawable):
    """The way a series is planned to go. A new plan withdraws the one before. Drawn as a thin line, never judged."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="trajectories")
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name_plural = "trajectories"
        ordering = ["series", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["series"], condition=Q(withdrawn_at__isnull=True), name="trajectory_one_current_per_series"
            ),
        ]

    def __str__(self):
        return f"{self.series}, plan of {self.created_at:%Y-%m-%d}"


class PlannedValue(models.Model):
    """One step of a plan. Append-only: a changed plan is another one."""

    trajectory = models.ForeignKey(Trajectory, on_delete=models.PROTECT, related_name="values")
    period_start = models.DateField()
    value = models.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        ordering = ["trajectory", "period_start"]
        constraints = [
            models.UniqueConstraint(fields=["trajectory", "period_start"], name="plannedvalue_one_per_period"),
        ]

    def __str__(self):
        return f"{self.trajectory}: {self.period_start:%Y-%m-%d}"


class ChartChoice(models.Model):
    """That a person chose a chart type for a metric, and why. Append-only; the newest one is `Metric.chart_type`."""

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="chart_choices")
    chart_type = models.CharField(max_length=3, choices=Metric.ChartType)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["metric", "-at", "-pk"]

    def __str__(self):
        return f"{self.metric.code}: {self.get_chart_type_display()}"


class NotYetMeasuredQuerySet(models.QuerySet):
    def open(self):
        return self.filter(ended_at__isnull=True)


class NotYetMeasured(Timestamped):
    """Something that matters and has no metric: said openly, with what is planned, until it has one or is given up."""

    what = models.CharField(max_length=160)
    why = models.TextField(help_text="Why it is not measured yet")
    plan = models.TextField(help_text="What is planned, or that nothing is")
    by_whom = models.CharField(max_length=160, blank=True, help_text="A role or a team, no name")
    since = models.DateField(default=clock.today)
    priority = models.ForeignKey(
        "projects.Priority", on_delete=models.PROTECT, null=True, blank=True, related_name="not_yet_measured"
    )
    dimension = models.CharField(max_length=12, choices=Metric.Dimension, blank=True)
    metric = models.ForeignKey(
        Metric, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="What measures it now"
    )
    end_reason = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = NotYetMeasuredQuerySet.as_manager()

    class Meta:
        verbose_name = "entry of what is not yet measured"
        verbose_name_plural = "not yet measured"
        ordering = ["since", "pk"]

    def __str__(self):
        return self.what
