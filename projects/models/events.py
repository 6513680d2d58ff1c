"""Events, and who takes part in them: places, the waiting list, and what somebody needs to take part."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Lower
from django.urls import reverse

from projects.models.priorities import Priority
from projects.models.projects import Project
from projects.models.searching import Searchable, SearchableManager
from psc_portal.common import clock
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class EventQuerySet(Searchable):
    def visible_to(self, user):
        """Staff: all. Anyone: what has been published, cancelled events too."""
        is_staff = user.is_authenticated and user.is_programme_staff
        return self if is_staff else self.exclude(status=Event.Status.DRAFT)

    def upcoming(self):
        """What has not ended yet, the next first."""
        return self.filter(ends_at__gt=clock.now()).order_by("starts_at", "pk")

    def past(self):
        """What has ended, the latest first."""
        return self.filter(ends_at__lte=clock.now()).order_by("-starts_at", "-pk")

    def with_counts(self):
        """`taken` places and `waiting` people of each event, for places that are left without a query a row."""
        states = Registration.Status
        return self.annotate(
            taken=Count("registrations", filter=Q(registrations__status=states.REGISTERED)),
            waiting=Count("registrations", filter=Q(registrations__status=states.WAITING)),
        )


class Event(Stateful, Timestamped):
    """Something that people come to, in person or online. Its address stays; cancelled, its page says so and why."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        CANCELLED = "cancelled", "Cancelled"

    class Kind(models.TextChoices):
        LEARNING = "learning", "Learning session"
        WORKSHOP = "workshop", "Workshop"
        CONFERENCE = "conference", "Conference"
        NETWORK = "network", "Network meeting"
        PUBLIC = "public", "Public meeting"

    class Attendance(models.TextChoices):
        IN_PERSON = "in_person", "In person"
        ONLINE = "online", "Online"
        BOTH = "both", "In person and online"

    TRANSITIONS = {
        Status.DRAFT: {Status.PUBLISHED},
        Status.PUBLISHED: {Status.CANCELLED},
        Status.CANCELLED: set(),
    }

    slug = models.SlugField(max_length=80, unique=True, editable=False)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LEARNING)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT, editable=False)
    summary = models.CharField(max_length=300, help_text="One or two sentences for lists")
    description = models.TextField(help_text="Markdown")
    audience = models.CharField("who it is for", max_length=200, blank=True)
    starts_at = models.DateTimeField("start")
    ends_at = models.DateTimeField("end")
    attendance = models.CharField("how people take part", max_length=9, choices=Attendance.choices)
    venue = models.CharField("place", max_length=200, blank=True, help_text="Name and address, with the postcode")
    venue_access = models.TextField("access to the place", blank=True, help_text="Steps, lift, parking, hearing loop")
    joining_link = models.URLField("link to join", blank=True, help_text="Only those with a place get it, by e-mail")
    takes_registrations = models.BooleanField("people register here", default=True)
    places = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as many as come")
    registration_closes_at = models.DateTimeField("registration closes", null=True, blank=True)
    priorities = models.ManyToManyField(Priority, blank=True, related_name="events")
    projects = models.ManyToManyField(Project, blank=True, related_name="events")
    cancelled_reason = models.CharField("why it is cancelled", max_length=300, blank=True)
    moves = models.PositiveSmallIntegerField(default=0, editable=False, help_text="How often time or place changed")
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("description", "venue", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = SearchableManager.from_queryset(EventQuerySet)()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        indexes = [
            GinIndex(fields=["search"], name="event_search"),
            models.Index(fields=["ends_at"], name="event_end"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="event_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(registration_closes_at__isnull=True) | Q(registration_closes_at__lte=F("ends_at")),
                name="registration_closes_before_the_event_ends",
            ),
            models.CheckConstraint(
                condition=Q(attendance="online") | ~Q(venue=""), name="event_in_person_names_its_place"
            ),
            models.CheckConstraint(
                condition=~Q(status="cancelled") | ~Q(cancelled_reason=""), name="cancelled_event_says_why"
            ),
            models.CheckConstraint(condition=Q(places__isnull=True) | Q(places__gte=1), name="event_has_a_place"),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("projects:event_detail", args=[self.slug])

    @property
    def is_past(self) -> bool:
        return self.ends_at <= clock.now()

    @property
    def is_cancelled(self) -> bool:
        return self.status == self.Status.CANCELLED

    @property
    def is_in_person(self) -> bool:
        return self.attendance != self.Attendance.ONLINE

    @property
    def is_online(self) -> bool:
        return self.attendance != self.Attendance.IN_PERSON

    @property
    def closes_at(self):
        """The last moment for a registration: its own, or the start."""
        return self.registration_closes_at or self.starts_at

    def takes_registrations_at(self, moment) -> bool:
        return self.takes_registrations and self.status == self.Status.PUBLISHED and moment < self.closes_at

    @property
    def is_open(self) -> bool:
        return self.takes_registrations_at(clock.now())

    @property
    def places_left(self) -> int | None:
        """None: as many as come. Needs `with_counts`."""
        return None if self.places is None else max(0, self.places - self.taken)

    @property
    def edit_mark(self) -> str:
        """Says whether the row is still the one that somebody opened."""
        return self.updated_at.isoformat()


class EventStatusChange(StatusChange):
    subject = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="status_changes")


class RegistrationQuerySet(models.QuerySet):
    def live(self):
        """With a place, or waiting for one."""
        return self.filter(status__in=[Registration.Status.REGISTERED, Registration.Status.WAITING])

    def in_line(self):
        """The waiting list, whoever came first first."""
        return self.filter(status=Registration.Status.WAITING).order_by("registered_at", "pk")

    def visible_to(self, user):
        return self if user.is_authenticated and user.is_programme_staff else self.none()


class Registration(Stateful, Timestamped):
    """Somebody's place at an event, kept without an account: the link in their e-mail is their key.

    What they need to take part is for staff alone and is erased after the event; name and address follow later.
    """

    class Status(models.TextChoices):
        REGISTERED = "registered", "Has a place"
        WAITING = "waiting", "On the waiting list"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS = {
        Status.REGISTERED: {Status.CANCELLED},
        Status.WAITING: {Status.REGISTERED, Status.CANCELLED},
        Status.CANCELLED: set(),
    }

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="registrations")
    status = models.CharField(max_length=10, choices=Status.choices, editable=False)
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    organisation = models.CharField(max_length=160, blank=True)
    comes = models.CharField("takes part", max_length=9, choices=Event.Attendance.choices, blank=True)
    access_needs = models.TextField(blank=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    registered_at = models.DateTimeField(default=clock.now)
    needs_erased_at = models.DateTimeField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["registered_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                "event",
                Lower("email"),
                condition=Q(status__in=["registered", "waiting"], erased_at__isnull=True),
                name="one_live_registration_an_address",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(name="", email="", organisation="", access_needs=""),
                name="erased_registration_names_nobody",
            ),
        ]

    def __str__(self):
        return f"Registration {self.pk}"

    def get_absolute_url(self):
        return reverse("projects:registration", args=[self.token])


class RegistrationStatusChange(StatusChange):
    subject = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="status_changes")
