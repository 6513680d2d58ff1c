"""What a project lead wants the public page to say, until staff have answered."""

import hashlib
import json

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.models.projects import Project, ProjectLead
from psc_portal.common.models import Stateful, StatusChange, Timestamped


class ProposedChangeQuerySet(models.QuerySet):
    def open(self):
        return self.filter(status__in=OPEN)

    def waiting(self):
        return self.filter(status=ProposedChange.Status.WAITING)

    def visible_to(self, user):
        """Staff: all. A project lead: those of their projects."""
        if not user.is_authenticated:
            return self.none()
        if user.is_programme_staff:
            return self
        return self.filter(project__in=ProjectLead.objects.current().filter(user=user).values("project"))


class ProposedChange(Stateful, Timestamped):
    """New texts, or a new driver diagram, of a public project. At most one of each kind is open for a project.

    `before` is what the page said when the change was begun, `after` what it is to say: texts by field, or the boxes
    of the diagram. Both stay, whatever is decided.
    """

    class Kind(models.TextChoices):
        TEXTS = "texts", "Texts"
        DRIVERS = "drivers", "Driver diagram"

    class Status(models.TextChoices):
        DRAFT = "draft", "Being written, not sent"
        WAITING = "waiting", "Waiting for approval"
        RETURNED = "returned", "Returned with a reason"
        APPROVED = "approved", "Approved and public"
        WITHDRAWN = "withdrawn", "Taken back"

    TRANSITIONS = {
        Status.DRAFT: {Status.WAITING, Status.WITHDRAWN},
        Status.WAITING: {Status.DRAFT, Status.APPROVED, Status.RETURNED, Status.WITHDRAWN},
        Status.RETURNED: {Status.DRAFT, Status.WAITING, Status.WITHDRAWN},
        Status.APPROVED: set(),
        Status.WITHDRAWN: set(),
    }

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="proposed_changes")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT, editable=False)
    before = models.JSONField()
    after = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField("why it was returned", blank=True)

    objects = ProposedChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind"],
                condition=Q(status__in=["draft", "waiting", "returned"]),
                name="one_open_change_of_a_kind",
            ),
            models.CheckConstraint(condition=~Q(status="returned") | ~Q(reason=""), name="returned_change_says_why"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} of {self.project}"

    def get_absolute_url(self):
        page = "project_edit" if self.kind == self.Kind.TEXTS else "drivers_edit"
        return reverse(f"projects:{page}", args=[self.project.slug])

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def mark_beside(self, now) -> str:
        """Says whether both sides are still those that somebody read: `now` is what the page says today."""
        return hashlib.sha256(json.dumps([now, self.after], sort_keys=True).encode()).hexdigest()[:24]


OPEN = [ProposedChange.Status.DRAFT, ProposedChange.Status.WAITING, ProposedChange.Status.RETURNED]


class ProposedChangeStatusChange(StatusChange):
    subject = models.ForeignKey(ProposedChange, on_delete=models.PROTECT, related_name="status_changes")
