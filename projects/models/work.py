"""What a project does: its cycles, its drivers, and who has taken it up."""

from django.db import models
from django.db.models import Q

from projects.models.organisations import Organisation
from projects.models.projects import Project
from psc_portal.common import clock
from psc_portal.common.models import Timestamped


class Adoption(Timestamped):
    """How far an organisation has taken up a project. A new date is a new row: the spread can be drawn over time."""

    class Stage(models.TextChoices):
        INTERESTED = "interested", "Interested"
        TESTING = "testing", "Testing"
        IN_USE = "in_use", "In use"
        STOPPED = "stopped", "Stopped"

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="adoptions")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="adoptions")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    since = models.DateField(default=clock.today)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "project", "since"], name="one_adoption_stage_a_day")
        ]

    def __str__(self):
        return f"{self.organisation}: {self.get_stage_display()} since {self.since}"


class PdsaCycle(Timestamped):
    """One plan, do, study, act cycle."""

    class Act(models.TextChoices):
        ADOPT = "adopt", "Adopt"
        ADAPT = "adapt", "Adapt"
        ABANDON = "abandon", "Abandon"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="pdsa_cycles")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    plan = models.TextField("plan: what we will try")
    prediction = models.TextField("what we think will happen", blank=True)
    happened = models.TextField("do: what happened", blank=True)
    learned = models.TextField("study: what we learned", blank=True)
    act = models.CharField("act: what next", max_length=7, choices=Act.choices, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="pdsa_numbered_within_its_project")]

    def __str__(self):
        return f"PDSA {self.number}: {self.title}"


class Driver(models.Model):
    """One box of a project's driver diagram: primary drivers under the aim, secondary under them, then change ideas."""

    class Level(models.TextChoices):
        PRIMARY = "primary", "Primary driver"
        SECONDARY = "secondary", "Secondary driver"
        CHANGE_IDEA = "change_idea", "Change idea"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="drivers")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    also_serves = models.ManyToManyField("self", blank=True, symmetrical=False, related_name="also_served_by")
    level = models.CharField(max_length=11, choices=Level.choices)
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level="primary", parent__isnull=True) | (~Q(level="primary") & Q(parent__isnull=False)),
                name="primary_drivers_alone_hang_on_the_aim",
            )
        ]

    def __str__(self):
        return self.text
