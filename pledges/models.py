"""The five pledges: their wording, who signed up, what each organisation says, and what has come of it."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce, TruncDate
from django.urls import reverse

from pledges.freshness import COMPLETE, CURRENT, DUE, LAPSED, OVERDUE, freshness
from pledges.plans import all_texts, digest, problem_of
from pledges.words import word_count
from projects.models import Affiliation, Organisation
from psc_portal.common import clock
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Stateful, StatusChange, Timestamped

WORDS_MIN, WORDS_MAX = 50, 300  # of a statement
AREAS_MIN = 2  # improvement areas of each scope, as Sign up to Safety asked of its plans
PLEDGES_IN_A_SET = 5

# The programmes that NHS England runs through the collaboratives now. Beside the must-do topics they are the national
# improvement areas that an organisation can name.
NATIONAL_PROGRAMMES = [
    "Managing deterioration",
    "Maternity and neonatal safety",
    "Medicines safety",
    "System safety",
]


class WordingSetQuerySet(models.QuerySet):
    def in_force(self):
        today = clock.today()
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gt=today), from_date__lte=today)


class WordingSet(Timestamped):
    """One wording of the five pledges. An organisation's answer belongs to the set it signed."""

    version = models.SlugField(max_length=20, unique=True, help_text="For example 2014")
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=200, blank=True, help_text="Where the wording comes from")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True, help_text="The first day on which it can no longer be signed")

    objects = WordingSetQuerySet.as_manager()

    class Meta:
        ordering = ["-from_date"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gt=F("from_date")), name="wordingset_dates_in_order"
            ),
            models.UniqueConstraint(
                Q(to_date__isnull=True), condition=Q(to_date__isnull=True), name="wordingset_one_without_end"
            ),
        ]

    def __str__(self):
        return self.name


class Pledge(models.Model):
    """One of the five headings of a wording set, with what it asks."""

    wording_set = models.ForeignKey(WordingSet, on_delete=models.PROTECT, related_name="pledges")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=60)
    asks = models.TextField(help_text="What an organisation promises under this heading, in one or two sentences")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["wording_set", "number"], name="pledge_number_once"),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=PLEDGES_IN_A_SET), name="pledge_number_1_to_5"
            ),
        ]

    def __str__(self):
        return f"{self.number} {self.title}"


class SignUpQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. Members: those of their organisations. Who has only claimed to belong there: what they began."""
        if not user.is_authenticated:
            return self.none()
        if user.is_programme_staff:
            return self
        return self.filter(Q(signatory=user) | Q(organisation__in=Organisation.objects.of_member(user)))

    def public(self):
        """What the wall shows."""
        return self.filter(status=SignUp.Status.PUBLISHED)

    def once_public(self):
        """Also what has ended or was taken back after it had been published."""
        return self.filter(published_at__isnull=False)

    def live(self):
        return self.exclude(status__in=SignUp.OVER)

    def to_moderate(self):
        return self.filter(status=SignUp.Status.SUBMITTED)

    def with_last_update(self):
        """`last_update`: day of the newest progress update, or None. `is_open`: not every pledge is done or stopped."""
        newest = ProgressUpdate.objects.filter(statement__sign_up=models.OuterRef("pk")).order_by("-made_on")
        closed = [ProgressUpdate.Progress.DONE, ProgressUpdate.Progress.STOPPED]
        open_ones = Statement.objects.filter(sign_up=models.OuterRef("pk")).with_progress().exclude(progress__in=closed)
        return self.annotate(
            last_update=models.Subquery(newest.values("made_on")[:1]), is_open=models.Exists(open_ones)
        )

    def saying(self, words):
        """Those with these words in a statement, or in the name of the organisation, now or formerly."""
        terms = SearchQuery(words, config="english", search_type="websearch")
        said = Statement.objects.filter(search=terms).values("sign_up")
        named = Organisation.objects.matching(words).values("pk")
        return self.filter(Q(pk__in=said) | Q(organisation__in=named) | Q(organisation_name__icontains=words))

    def fresh_as(self, state):
        """Those whose `freshness` is in this state today. Needs `with_last_update`."""
        if state == COMPLETE:
            return self.filter(is_open=False)
        today, days = clock.today(), settings.PLEDGE_FRESHNESS_DAYS
        published_on = TruncDate("published_at", tzinfo=clock.UK)
        rows = self.filter(is_open=True).annotate(last_news=Coalesce("last_update", published_on))
        order = [CURRENT, DUE, OVERDUE, LAPSED]
        later = order[order.index(state) + 1 :]
        if state != CURRENT:
            rows = rows.filter(last_news__lte=today - timedelta(days=days[state]))
        return rows.filter(last_news__gt=today - timedelta(days=days[later[0]])) if later else rows

    def beside(self, sign_up):
        """Other published pledges with an improvement area or a metric in common, those with most in common first."""
        slugs = sign_up.areas.values("slug")
        metrics = sign_up.statements.filter(metric__is_public=True).values("metric")
        return (
            self.public()
            .exclude(organisation=sign_up.organisation_id)
            .annotate(
                areas_shared=Count("areas", filter=Q(areas__slug__in=slugs), distinct=True),
                metrics_shared=Count("statements", filter=Q(statements__metric__in=metrics), distinct=True),
            )
            .filter(Q(areas_shared__gt=0) | Q(metrics_shared__gt=0))
            .order_by(-(F("areas_shared") + F("metrics_shared")), "organisation_name")
        )


@dataclass(frozen=True)
class Problem:
    """What keeps a sign-up from being submitted: the step, what people call it, and what to do."""

    step: str  # statement-1 to statement-5, areas, drivers, plan or signatory
    place: str
    text: str


class SignUp(Stateful, Timestamped):
    """An organisation's sign-up to one wording set, from the first draft to its end."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Waiting to be checked"
        RETURNED = "returned", "Returned for changes"
        PUBLISHED = "published", "Published"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    TRANSITIONS = {
        Status.DRAFT: {Status.SUBMITTED, Status.WITHDRAWN},
        Status.SUBMITTED: {Status.RETURNED, Status.PUBLISHED, Status.WITHDRAWN},
        Status.RETURNED: {Status.SUBMITTED, Status.WITHDRAWN},
        Status.PUBLISHED: {Status.WITHDRAWN, Status.ENDED},
        Status.WITHDRAWN: set(),
        Status.ENDED: set(),
    }
    OVER = [Status.WITHDRAWN, Status.ENDED]
    EDITABLE = [Status.DRAFT, Status.RETURNED]

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey("projects.Organisation", on_delete=models.PROTECT, related_name="sign_ups")
    organisation_name = models.CharField(max_length=200, help_text="As it was called when it signed up")
    wording_set = models.ForeignKey(WordingSet, on_delete=models.PROTECT, related_name="sign_ups")
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    signatory = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_ups")
    signatory_name = models.CharField(max_length=120, blank=True)
    signatory_role = models.CharField(max_length=120, blank=True)
    board_approved_on = models.DateField(null=True, blank=True)
    plan_from = models.DateField(null=True, blank=True)
    plan_to = models.DateField(null=True, blank=True)
    own_page = models.URLField("the organisation's own page about its pledges", blank=True)
    aim = models.TextField("aim of the plan", blank=True, help_text="How much, by when, for whom")
    drivers = models.JSONField(
        default=list, blank=True, help_text="Primary drivers, secondary drivers and change ideas: see plans.py"
    )
    numbers_explained = models.TextField("why what looks like an NHS number is none", blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    certificate = models.FileField(
        storage=private_storage, upload_to=random_name("pledges"), max_length=255, blank=True, editable=False
    )
    certificate_sha256 = models.CharField(max_length=64, blank=True, editable=False)

    objects = SignUpQuerySet.as_manager()

    class Meta:
        verbose_name = "sign-up"
        ordering = ["organisation_name", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "wording_set"],
                condition=~Q(status__in=["withdrawn", "ended"]),
                name="signup_one_live_per_organisation_and_set",
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(status="published"), name="signup_one_published_per_organisation"
            ),
            models.CheckConstraint(
                condition=Q(plan_from__isnull=True) | Q(plan_to__isnull=True) | Q(plan_to__gt=F("plan_from")),
                name="signup_plan_dates_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["published", "ended"]) | Q(published_at__isnull=False),
                name="signup_published_has_its_moment",
            ),
        ]
        indexes = [models.Index(fields=["status", "organisation_name"], name="signup_by_status")]

    def __str__(self):
        return f"Pledges of {self.organisation_name}"

    def get_absolute_url(self):
        return reverse("pledges:organisation", args=[self.organisation.slug])

    def get_edit_url(self):
        return reverse("pledges:sign_up_tasks", args=[self.public_id])

    @property
    def is_editable(self):
        return self.status in self.EDITABLE

    @property
    def is_confirmed(self):
        """Whether the person who signs is confirmed, today, to sign for the organisation."""
        return Organisation.objects.of_signatory(self.signatory).filter(pk=self.organisation_id).exists()

    def texts(self) -> dict[str, str]:
        """Everything typed by people, under the name of its place."""
        return {
            **{statement.pledge.title: statement.text for statement in self.statements.select_related("pledge")},
            "Improvement areas": "\n".join(area.name for area in self.areas.all()),
            "Driver diagram": "\n".join([self.aim, *all_texts(self.drivers)]),
            "Who signs": f"{self.signatory_name}\n{self.signatory_role}",
        }

    def problems(self) -> list[Problem]:
        """What is still missing or wrong, in the order of the steps. Empty: it can be submitted."""
        found = [
            Problem(statement.step, statement.pledge.title, statement.length_problem)
            for statement in self.statements.select_related("pledge")
            if statement.length_problem
        ]
        scopes = [area.scope for area in self.areas.all()]
        for scope in ImprovementArea.Scope:
            if scopes.count(scope) < AREAS_MIN:
                text = f"Choose at least {AREAS_MIN} {scope.label.lower()} areas. You have {scopes.count(scope)}."
                found.append(Problem("areas", "Improvement areas", text))
        if problem := problem_of(self.aim, self.drivers, is_required=self.organisation.provides_care):
            found.append(Problem("drivers", "Driver diagram", problem))
        if not (self.board_approved_on and self.plan_from and self.plan_to):
            found.append(Problem("plan", "Board approval and plan", "Give all three dates."))
        if not (self.signatory_name.strip() and self.signatory_role.strip()):
            found.append(Problem("signatory", "Who signs", "Give the name and the role of the person who signs."))
        return found

    def stored_step(self, step) -> dict:
        """What one step holds, as plain values: shown to whoever meets another person's change."""
        kind, _, number = step.partition("-")
        if kind == "statement":
            statement = self.statements.select_related("metric").get(pledge__number=number)
            return {"Statement": statement.text, "Metric": statement.metric.name if statement.metric else ""}
        if kind == "areas":
            return {
                f"{scope.label} areas": "\n".join(sorted(area.name for area in self.areas.all() if area.scope == scope))
                for scope in ImprovementArea.Scope
            }
        fields = {
            "drivers": ["aim", "drivers"],
            "plan": ["board_approved_on", "plan_from", "plan_to", "own_page"],
            "signatory": ["signatory_name", "signatory_role"],
        }[kind]
        return {self._meta.get_field(name).verbose_name.capitalize(): getattr(self, name) for name in fields}

    def mark_of(self, step) -> str:
        """Says whether a step is still what somebody opened."""
        return digest(self.stored_step(step))

    @property
    def freshness(self):
        """From the last dated update, or from publication. Needs `with_last_update`. None until published."""
        if self.published_at is None:
            return None
        last = self.last_update or self.published_at.astimezone(clock.UK).date()
        return freshness(
            last,
            clock.today(),
            settings.PLEDGE_FRESHNESS_DAYS,
            has_update=self.last_update is not None,
            is_complete=not self.is_open,
        )


class SignUpStatusChange(StatusChange):
    subject = models.ForeignKey(SignUp, on_delete=models.PROTECT, related_name="status_changes")


class ModerationNote(models.Model):
    """Why staff returned, withdrew or ended a sign-up: for the organisation's members."""

    sign_up = models.ForeignKey(SignUp, on_delete=models.PROTECT, related_name="moderation_notes")
    to_status = models.CharField(max_length=9, choices=SignUp.Status)
    reasons = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.get_to_status_display()}: {self.sign_up}"


class ImprovementArea(models.Model):
    """What the organisation wants to make safer. Keeps the name of its time, also when the priority is renamed."""

    class Scope(models.TextChoices):
        NATIONAL = "national", "National"
        LOCAL = "local", "Local"

    sign_up = models.ForeignKey(SignUp, on_delete=models.CASCADE, related_name="areas")
    scope = models.CharField(max_length=8, choices=Scope)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120)
    priority = models.ForeignKey(
        "projects.Priority", on_delete=models.PROTECT, null=True, blank=True, related_name="improvement_areas"
    )

    class Meta:
        ordering = ["-scope", "pk"]
        constraints = [models.UniqueConstraint(fields=["sign_up", "slug"], name="improvementarea_named_once")]

    def __str__(self):
        return self.name


class StatementQuerySet(models.QuerySet):
    def with_progress(self):
        """`progress` is the status of the newest update, "not_started" where there is none."""
        newest = ProgressUpdate.objects.filter(statement=models.OuterRef("pk")).order_by("-made_on", "-pk")
        return self.annotate(
            progress=Coalesce(
                models.Subquery(newest.values("progress")[:1]), models.Value(ProgressUpdate.Progress.NOT_STARTED)
            )
        )


class Statement(Timestamped):
    """What an organisation says that it will do under one pledge. While a draft it may be empty, short or long."""

    sign_up = models.ForeignKey(SignUp, on_delete=models.PROTECT, related_name="statements")
    pledge = models.ForeignKey(Pledge, on_delete=models.PROTECT, related_name="statements")
    text = models.TextField(blank=True)
    metric = models.ForeignKey(
        "measurement.Metric", on_delete=models.PROTECT, null=True, blank=True, related_name="pledge_statements"
    )
    search = models.GeneratedField(
        expression=SearchVector("text", config="english"), output_field=SearchVectorField(), db_persist=True
    )

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["pledge__number"]
        constraints = [models.UniqueConstraint(fields=["sign_up", "pledge"], name="statement_one_per_pledge")]
        indexes = [GinIndex(fields=["search"], name="statement_search")]

    def __str__(self):
        return f"{self.sign_up}: {self.pledge.title}"

    @property
    def step(self):
        """What the address of its step is called."""
        return f"statement-{self.pledge.number}"

    @property
    def words(self):
        return word_count(self.text)

    @property
    def has_right_length(self):
        return WORDS_MIN <= self.words <= WORDS_MAX

    @property
    def length_problem(self):
        """What to do about the length, or nothing."""
        if not self.text.strip():
            return "Not written yet."
        if self.words < WORDS_MIN:
            return f"It has {self.words} words. Write at least {WORDS_MIN}."
        if self.words > WORDS_MAX:
            return f"It has {self.words} words. Cut it to {WORDS_MAX} or fewer."
        return ""


class ProgressUpdate(models.Model):
    """What has come of one pledge by a day. Never edited, only followed by the next."""

    class Progress(models.TextChoices):
        NOT_STARTED = "not_started", "Not started"
        UNDER_WAY = "under_way", "Under way"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="updates")
    progress = models.CharField(max_length=11, choices=Progress)
    made_on = models.DateField(default=clock.today)
    what_changed = models.TextField()
    reason_stopped = models.TextField(blank=True)
    numbers_explained = models.TextField("why what looks like an NHS number is none", blank=True)
    evidence = models.URLField(blank=True)
    metric = models.ForeignKey(
        "measurement.Metric", on_delete=models.PROTECT, null=True, blank=True, related_name="pledge_updates"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pledge_updates")
    token = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Made with the form: stops a double submission")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-made_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(progress="stopped") | ~Q(reason_stopped=""), name="progressupdate_stopped_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["statement", "-made_on"], name="progressupdate_newest")]

    def __str__(self):
        return f"{self.statement}, {self.made_on:%Y-%m-%d}"


class ProgressReminder(models.Model):
    """That somebody was written to before (or at) a step: stored with the mail, so that none is sent twice."""

    sign_up = models.ForeignKey(SignUp, on_delete=models.CASCADE, related_name="reminders")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    step = models.CharField(max_length=7, help_text="due, overdue or lapsed")
    last = models.DateField(help_text="The update, or the publication, from which the days are counted")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sign_up", "user", "step", "last"], name="progressreminder_once_a_step")
        ]

    def __str__(self):
        return f"{self.user}: {self.sign_up} is {self.step}"


class BuddyQuerySet(models.QuerySet):
    def open(self):
        """Offers that stand, by somebody who still belongs to the organisation."""
        today = clock.today()
        people = Affiliation.objects.current().filter(
            user=models.OuterRef("contact"), organisation=models.OuterRef("organisation"), user__is_active=True
        )
        standing = Q(organisation__closed_on__isnull=True) | Q(organisation__closed_on__gt=today)
        return self.filter(standing, models.Exists(people), closed_at__isnull=True)


class Buddy(models.Model):
    """An organisation offers to be written to by others about its pledges. Nobody's address is shown."""

    organisation = models.ForeignKey("projects.Organisation", on_delete=models.PROTECT, related_name="buddy_offers")
    contact = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="buddy_offers")
    offers = models.TextField("what you can help others with")
    opened_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = BuddyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "buddies"
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(closed_at__isnull=True), name="buddy_one_open_per_organisation"
            )
        ]

    def __str__(self):
        return f"Buddy: {self.organisation}"
