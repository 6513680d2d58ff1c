import datetime as dt

import pytest
from django.db.models import Count

from projects.models import Priority, Project
from psc_portal.management.demo import organisations, people, projects
from psc_portal.management.demo.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    world = World(today=dt.date(2026, 11, 23))
    for area in [organisations, people, projects]:
        area.make(world)
    return world


def test_the_demonstration_has_projects_in_every_stage_and_one_priority_without(world):
    assert Project.objects.public().count() >= 12
    assert set(Project.objects.values_list("status", flat=True)) == set(Project.Status)
    stopped = Project.objects.public().filter(status="stopped")
    assert stopped.count() == 2 and all(project.stopped_reason for project in stopped)
    without = Priority.objects.annotate(number=Count("projects")).filter(number=0)
    assert [priority.title for priority in without] == ["Healthcare-associated infection"]


def test_the_demonstration_is_the_same_again_and_lies_in_the_past(world):
    changes = [change for project in world.projects.values() for change in project.status_changes.all()]

    assert all(change.at.date() <= world.today for change in changes)
    assert world.projects["falls-risk-check-in-the-first-24-hours"].starts_on == dt.date(2024, 8, 25)
