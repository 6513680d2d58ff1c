import csv
import datetime as dt
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from projects.models import Event, Registration
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.projects import EventFactory, RegistrationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client_as):
    return client_as(UserFactory(staff=True))


def moment(name, at):
    at = at.astimezone(clock.UK)
    return {f"{name}_day": at.day, f"{name}_month": at.month, f"{name}_year": at.year, f"{name}_time": f"{at:%H:%M}"}


def typed(**changes):
    start = timezone.now() + dt.timedelta(days=20)
    return {
        "title": "Learning from falls",
        "kind": "workshop",
        "summary": "An afternoon.",
        "description": "What we do.",
        "attendance": "online",
        "takes_registrations": "on",
        "places": 10,
        **moment("starts_at", start),
        **moment("ends_at", start + dt.timedelta(hours=2)),
    } | changes


def test_staff_add_an_event_and_publish_it(client, staff):
    staff.post(reverse("admin:projects_event_add"), typed())
    event = Event.objects.get()
    before = client.get("/events/learning-from-falls/").status_code

    staff.post(reverse("admin:projects_event_publish", args=[event.pk]))

    assert before == 404
    assert "Learning from falls" in client.get("/events/").content.decode()


def test_a_refused_event_keeps_what_was_typed(staff):
    page = staff.post(reverse("admin:projects_event_add"), typed(attendance="in_person")).content.decode()

    assert "Say where people meet" in page and "An afternoon." in page
    assert not Event.objects.exists()


def test_the_form_of_an_old_window_does_not_overwrite_what_was_saved_since(staff):
    event = EventFactory(online=True)
    url = reverse("admin:projects_event_edit", args=[event.pk])
    old = staff.get(url).context["form"].initial["seen"]
    staff.post(url, typed(title="Second words", seen=old))

    page = staff.post(url, typed(title="Third words", seen=old)).content.decode()

    assert "Somebody else saved this" in page and "Third words" in page
    assert Event.objects.get().title == "Second words"


def test_staff_cancel_an_event_with_a_reason_from_its_page(staff):
    registration = RegistrationFactory()
    url = reverse("admin:projects_event_cancel", args=[registration.event.pk])

    without = staff.post(url, {"reason": ""}).content.decode()
    staff.post(url, {"reason": "Rain"})

    assert "Why is it cancelled?" in without
    assert Event.objects.get().status == Event.Status.CANCELLED
    assert OutboxMessage.objects.filter(to=[registration.email]).count() == 1


def test_the_export_of_who_comes_is_safe_in_a_spreadsheet_and_tells_no_access_needs(staff):
    event = EventFactory(title="Falls")
    RegistrationFactory(event=event, name='=HYPERLINK("http://evil.example")', access_needs="Wheelchair")
    RegistrationFactory(name="Elsewhere")

    url = reverse("admin:projects_registration_export_csv")
    text = staff.get(url, {"event__id__exact": event.pk}).getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    header = next(number for number, row in enumerate(rows) if row[:2] == ["Event", "Registration"])

    assert len(rows) == header + 2
    assert rows[-1][2].startswith("'=HYPERLINK") and rows[-1][6] == "Yes"
    assert "Wheelchair" not in text and "Elsewhere" not in text
    assert AuditEvent.objects.filter(verb="export", subject_type="projects.registration").count() == 1


def test_access_needs_stand_on_the_page_of_one_registration_not_in_the_list(staff):
    registration = RegistrationFactory(access_needs="Wheelchair")

    rows = staff.get(reverse("admin:projects_registration_changelist")).content.decode()
    page = staff.get(reverse("admin:projects_registration_change", args=[registration.pk])).content.decode()

    assert "Wheelchair" not in rows and "Wheelchair" in page


@pytest.mark.parametrize("traits", [{}, {"reviewer": True}])
def test_nobody_but_staff_sees_who_comes(client_as, traits):
    registration = RegistrationFactory()
    other = client_as(UserFactory(**traits))

    for url in (
        reverse("admin:projects_registration_changelist"),
        reverse("admin:projects_registration_export_csv"),
        reverse("admin:projects_registration_change", args=[registration.pk]),
        reverse("admin:projects_registration_cancel", args=[registration.pk]),
    ):
        response = other.get(url)
        assert response.status_code in {302, 404}
        assert response.status_code == 404 or "/accounts/" in response.url or "/admin/login" in response.url


def test_staff_cancel_for_somebody_who_phones(staff):
    registration = RegistrationFactory()

    staff.post(reverse("admin:projects_registration_cancel", args=[registration.pk]))

    registration.refresh_from_db()
    assert registration.status == Registration.Status.CANCELLED


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", ["event", "registration"])
def test_the_lists_run_a_constant_number_of_queries(staff, django_assert_max_num_queries, name, rows):
    RegistrationFactory.create_batch(rows)
    url = reverse(f"admin:projects_{name}_changelist")
    staff.get(url)

    with django_assert_max_num_queries(9):
        staff.get(url)
