import datetime as dt

import pytest

from pledges.models import Buddy, ProgressUpdate, SignUp
from projects.models import Succession
from psc_portal.common import clock
from psc_portal.common.demonstration import SENTENCE
from psc_portal.content.models import Answer, Document, Edition, Feedback
from psc_portal.management.demo import content, organisations, people, pledges
from psc_portal.management.demo.world import World
from tests.pdf_checks import assert_accessible, pdf_text

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def world():
    world = World(today=TODAY)
    for area in (organisations, people):
        area.make(world)
    return world


def test_the_demonstration_shows_pledges_in_every_state_and_freshness(world):
    pledges.make(world)

    with clock.at(world.moment()):
        published = list(SignUp.objects.public().with_last_update())
        states = {sign_up.freshness.state for sign_up in published}
    assert len(published) >= 8
    assert states == {"current", "due", "overdue", "lapsed"}
    others = SignUp.objects.exclude(status="published").values_list("status", flat=True)
    assert set(others) == {"submitted", "returned", "ended"}
    assert Succession.objects.get().successor == world.organisations["RY8"]
    assert Buddy.objects.open().get().organisation == world.organisations["RWE"]
    assert set(ProgressUpdate.objects.values_list("progress", flat=True)) == set(ProgressUpdate.Progress.values)
    assert not SignUp.objects.get(status="submitted").is_confirmed


def test_the_demonstration_s_documents_are_small_tagged_pdfs(world):
    content.make(world)

    assert set(Document.objects.values_list("slug", flat=True)) == {
        "psc-priorities-brochure",
        "local-delivery-plan",
        "minutes-of-the-steering-group",
    }
    for edition in Edition.objects.all():
        assert (edition.has_tags, edition.has_title, edition.size < 200_000) == (True, True, True)
        assert "demonstration" in edition.body
        with edition.file.open("rb") as file:
            pdf = file.read()
        assert_accessible(pdf, by_verapdf=True)
        assert SENTENCE in " ".join(pdf_text(pdf))
    assert Edition.objects.filter(replaces__isnull=False).count() == 2
    assert Answer.objects.count() >= 3
    assert Answer.objects.filter(feedback__source__name="Patient Senate").exists()
    assert set(Feedback.objects.values_list("status", flat=True)) == {"new", "triaged", "answered"}
