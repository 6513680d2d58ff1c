"""Questions and answers between applicants and the programme, and reminders of a call's dates."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from proposals.models.calls import Call
from proposals.models.drafts import Proposal
from psc_portal.common import clock
from psc_portal.common.models import Timestamped


class MessageQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The team and staff without an interest in the proposal. Never reviewers as such."""
        if not user.is_authenticated:
            return self.none()
        mine = Proposal.objects.of_team(user).order_by().values("pk")
        if not user.is_programme_staff:
            return self.filter(proposal__in=mine)
        return self.filter(Q(proposal__in=mine) | Q(proposal__in=Proposal.objects.answered_by(user).values("pk")))

    def unread_by(self, user):
        """What the programme wrote after the user last had the proposal's page open."""
        read = MessagesRead.objects.filter(proposal=OuterRef("proposal"), user=user, until__gte=OuterRef("sent_at"))
        return self.filter(~Exists(read), is_from_team=False)

    def unanswered(self):
        """The latest messages of proposals whose team had the last word."""
        later = Message.objects.filter(proposal=OuterRef("proposal")).order_by("-sent_at", "-pk")
        return self.filter(is_from_team=True, pk=Subquery(later.values("pk")[:1]))


class Message(models.Model):
    """One message between a proposal's team and the programme. Append-only; never for reviewers."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="messages")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    is_from_team = models.BooleanField()
    text = models.TextField()
    sent_at = models.DateTimeField(default=clock.now)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["sent_at", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="message_has_text")]

    def __str__(self):
        return f"{self.proposal.reference or 'Draft'}: {self.text[:60]}"


class MessagesRead(models.Model):
    """Up to which message of the programme somebody of a proposal's team has had its page open."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="messages_read")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    until = models.DateTimeField(help_text="When the last message that was shown had been sent")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "user"], name="messages_read_once_a_person")]

    def __str__(self):
        return f"{self.user_id} until {self.until}"


class CallAnswer(Timestamped):
    """A question of general interest and its answer, published on the call's page. Names nobody."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="answers")
    question = models.TextField()
    answer = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, models.PROTECT, null=True, blank=True, related_name="published_answers")

    class Meta:
        ordering = ["published_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(question="") & ~Q(answer=""), name="call_answer_has_both_texts")
        ]

    def __str__(self):
        return self.question


class CallReminder(models.Model):
    """An address that asked to be reminded of a call; nothing is sent before it is confirmed."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="reminders")
    email = models.EmailField()
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    opening_sent_at = models.DateTimeField(null=True, blank=True)
    closing_sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["call", "email"], name="call_reminder_once_an_address")]

    def __str__(self):
        return f"{self.email}: {self.call}"
