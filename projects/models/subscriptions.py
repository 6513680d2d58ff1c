"""Who wants an e-mail about what is new. The link in each mail is the key; there is no account."""

import uuid

from django.db import models
from django.db.models.functions import Lower

from projects.models.organisations import Organisation
from projects.models.priorities import Priority
from psc_portal.common import clock


class Subscription(models.Model):
    """One address and what it wants to hear of; without priorities and organisations everything."""

    class Frequency(models.TextChoices):
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"

    email = models.EmailField()
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    frequency = models.CharField(max_length=7, choices=Frequency, default=Frequency.MONTHLY)
    priorities = models.ManyToManyField(Priority, blank=True, related_name="+")
    organisations = models.ManyToManyField(Organisation, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True)
    told_until = models.DateTimeField(null=True, help_text="What changed up to then has been told")

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_subscription_an_address")]

    def __str__(self):
        return f"Subscription {self.pk}"
