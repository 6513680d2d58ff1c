from typing import ClassVar

from django.conf import settings
from django.db import models, transaction

from psc_portal.common import clock, public_pages
from psc_portal.common.refusals import ActionRefused


class Timestamped(models.Model):
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            self.updated_at = clock.now()
            if (fields := kwargs.get("update_fields")) is not None:
                kwargs["update_fields"] = {*fields, "updated_at"}
        super().save(*args, **kwargs)


class Stateful(models.Model):
    """A row whose `status` moves only along TRANSITIONS, each move kept in `status_changes`."""

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {}  # a test: every status is a key

    class Meta:
        abstract = True

    @transaction.atomic
    def change_status(self, to, *, by):
        """Move to status `to` and record who moved it (None: the portal itself). Nothing else writes `status`.

        Raises:
            ActionRefused: `TRANSITIONS` has no way there from the stored status.
        """
        model = type(self)
        stored = model._base_manager.select_for_update(of=("self",), no_key=True).get(pk=self.pk).status
        if to not in self.TRANSITIONS[stored]:
            labels = dict(model._meta.get_field("status").flatchoices)
            raise ActionRefused(
                f"This {model._meta.verbose_name} is “{labels[stored]}” and cannot become “{labels[to]}”. "
                "Reload the page to see what has happened."
            )
        self.status_changes.create(from_status=stored, to_status=to, by=by)
        self.status = to
        self.save(update_fields=["status"])
        public_pages.changed()


class StatusChange(models.Model):
    """One move of a Stateful row. Append-only; the row names no reason, reasons live with the thing itself."""

    from_status = models.CharField(max_length=30)
    to_status = models.CharField(max_length=30)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", help_text="empty: the portal"
    )
    at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
        ordering = ["at", "pk"]

    def __str__(self):
        return f"{self.from_status} → {self.to_status}"


class AuditEvent(models.Model):
    """Who did what to which row, when. Append-only; holds no free text and no contact data."""

    at = models.DateTimeField(default=clock.now, db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60)  # app_label.model
    subject_id = models.CharField(max_length=40)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]

    def __str__(self):
        return f"{self.verb} {self.subject_type} {self.subject_id}"


class OutboxMessage(models.Model):
    """A job or a mail that is to leave; stored with what caused it, sent after, swept up after a crash."""

    class Kind(models.TextChoices):
        JOB = "job", "Job"
        MAIL = "mail", "Mail"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=4, choices=Kind.choices)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    key = models.CharField(max_length=200, null=True, unique=True, help_text="a message with a key is stored once only")
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    error = models.CharField(max_length=300, blank=True)
    # a job
    task = models.CharField(max_length=100, blank=True)
    arguments = models.JSONField(default=list)
    # a mail
    to = models.JSONField(default=list)
    reply_to = models.EmailField(blank=True)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="outbox_waiting"),
        ]

    def __str__(self):
        return f"{self.task}{tuple(self.arguments)}" if self.kind == self.Kind.JOB else f"Mail {self.pk}"


class DemonstrationMark(models.Model):
    """Present in an installation that holds demonstration data; set by seed_demo, shown on every page, PDF and CSV."""

    set_at = models.DateTimeField(default=clock.now)

    def __str__(self):
        return f"demonstration data since {self.set_at:%Y-%m-%d}"
