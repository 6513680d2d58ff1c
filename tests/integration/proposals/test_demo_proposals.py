import datetime as dt
from collections import Counter

import pytest

from proposals.models import Assignment, Call, ConflictOfInterest, Proposal, Review
from proposals.readings import ranking
from psc_portal.common import clock
from psc_portal.management.demo import organisations, people, proposals
from psc_portal.management.demo.world import World


@pytest.mark.django_db
def test_the_demonstration_has_three_calls_and_proposals_in_every_state():
    today = clock.today()
    world = World(today=today)
    for area in (organisations, people, proposals):
        area.make(world)

    decided, review, open_call = Call.objects.order_by("opens_at")
    assert [decided.stage, review.stage, open_call.stage] == ["Decided", "In assessment", "Open"]
    assert open_call.closes_at.date() == today + dt.timedelta(days=25)
    states = Counter(Proposal.objects.values_list("status", flat=True))
    assert sum(states.values()) == 16
    assert set(states) == set(Proposal.Status)
    funded = Proposal.objects.public()
    assert [proposal.project.metrics.count() for proposal in funded.order_by("reference")] == [2, 2]
    assert set(Review.objects.values_list("status", flat=True)) == {"draft", "locked"}
    assert set(Assignment.objects.values_list("status", flat=True)) >= {"assigned", "cleared", "conflicted", "declined"}
    assert ConflictOfInterest.objects.filter(source="declared").exists()
    assert any(line.is_wide for line in ranking(review))
    assert not Proposal.objects.filter(status_changes__at__gt=clock.now()).exists()
