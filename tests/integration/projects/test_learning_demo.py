import datetime as dt

import pytest

from projects.models import Event, LearningResource, Offer, Registration
from psc_portal.common import clock
from psc_portal.management.demo import learning, organisations, people, projects
from psc_portal.management.demo.world import World

pytestmark = pytest.mark.django_db


def test_the_demonstration_shows_events_the_library_and_offers_in_every_state():
    world = World(today=dt.date(2026, 11, 23))
    for area in [organisations, people, projects, learning]:
        area.make(world)

    with clock.at(world.moment()):
        events = list(Event.objects.with_counts())
        lessons = LearningResource.objects.out().lessons()
        assert {event.status for event in events} == {"published", "cancelled"}
        assert any(event.is_past for event in events)
        assert [event.title[:5] for event in events if event.places_left == 0 and event.waiting] == ["Falls"]
        assert lessons.first().lesson_month == dt.date(2026, 11, 1)
        assert LearningResource.objects.out().overdue().count() == 1
        assert Offer.objects.open().filter(kind="bursary").count() == 1
        assert any(offer.is_closed for offer in Offer.objects.all())
        assert not Registration.objects.filter(event__ends_at__lt=clock.now()).exclude(access_needs="").exists()
