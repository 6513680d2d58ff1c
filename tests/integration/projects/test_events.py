import datetime as dt
import threading
import uuid

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from projects import actions
from projects.models import Event, Registration
from projects.views import events as views
from psc_portal.common import clock, guards
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import EventFactory, PriorityFactory, ProjectFactory, RegistrationFactory
from tests.unit.common.test_calendar_file import parsed

pytestmark = pytest.mark.django_db
Status = Registration.Status


@pytest.fixture(autouse=True)
def no_limits_from_other_tests():
    cache.clear()


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def typed(**changes):
    """What a person sends who has read the form."""
    with clock.at(clock.now() - dt.timedelta(minutes=1)):
        shown_at = guards.mark_of_now()
    return {"name": "Sam", "email": "sam@example.org", "access_needs": "", "shown_at": shown_at} | changes


def mails_to(address):
    return list(OutboxMessage.objects.filter(to=[address]).order_by("pk"))


# Pages ---------------------------------------------------------------------------------------------------------------
def test_the_list_shows_what_is_to_come_and_on_request_what_is_past(client):
    EventFactory(title="Next month")
    EventFactory(title="Last month", past=True)
    EventFactory(title="Not ready", status=Event.Status.DRAFT)

    to_come, past = (client.get(f"/events/{query}").content.decode() for query in ("", "?when=past"))

    assert "Next month" in to_come and "Last month" not in to_come
    assert "Last month" in past and "Next month" not in past
    assert "Not ready" not in to_come + past


def test_the_list_filters_by_kind_attendance_and_priority(client):
    falls = PriorityFactory(slug="falls")
    wanted = EventFactory(title="Wanted", kind="workshop", online=True)
    wanted.priorities.add(falls)
    EventFactory(title="Another kind", kind="network", online=True).priorities.add(falls)
    EventFactory(title="Elsewhere", kind="workshop").priorities.add(falls)
    EventFactory(title="Other topic", kind="workshop", online=True)

    page = client.get("/events/?kind=workshop&attendance=online&priority=falls&page=x").content.decode()

    assert "1 event to come" in page and "Wanted" in page


def test_a_filter_that_makes_no_sense_is_left_out_with_a_sentence(client):
    EventFactory(title="Next month")

    page = client.get("/events/?kind=nonsense").content.decode()

    assert "there is no such choice" in page and "Next month" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_events_runs_a_constant_number_of_queries(client, django_assert_num_queries, rows):
    for _ in range(rows):
        RegistrationFactory()
    client.get("/events/")

    with django_assert_num_queries(3):
        client.get("/events/")


def test_a_draft_is_for_staff_only_and_its_page_shows_no_hidden_project(client, client_as, staff):
    draft = EventFactory(status=Event.Status.DRAFT)
    event = EventFactory()
    event.projects.add(ProjectFactory(title="Secret work", is_public=False), ProjectFactory(title="Open work"))

    assert client.get(draft.get_absolute_url()).status_code == 404
    assert client.get(reverse("projects:event_file", args=[draft.slug])).status_code == 404
    assert client.get(reverse("projects:event_register", args=[draft.slug])).status_code == 404
    assert client_as(staff).get(draft.get_absolute_url()).status_code == 200
    page = client.get(event.get_absolute_url()).content.decode()
    assert "Open work" in page and "Secret work" not in page


def test_the_public_page_never_shows_the_link_to_join_nor_who_comes(client):
    event = EventFactory(online=True)
    RegistrationFactory(event=event, name="Alex Quiet", access_needs="Wheelchair")

    page = client.get(event.get_absolute_url()).content.decode()
    file = client.get(reverse("projects:event_file", args=[event.slug])).content.decode()

    for secret in ("secret-room", "Alex", "Wheelchair", "person"):
        assert secret not in page + file


def test_markdown_of_a_description_is_shown_without_script(client):
    event = EventFactory(description="**Bold** <script>alert(1)</script> [x](javascript:alert(1))")

    page = client.get(event.get_absolute_url()).content.decode()

    assert "<strong>Bold</strong>" in page
    assert "alert(1)" not in page


# Calendar ------------------------------------------------------------------------------------------------------------
def test_the_calendar_file_keeps_the_hour_over_the_change_of_the_clocks(client):
    winter = EventFactory(
        title="Winter, with a comma", starts_at=dt.datetime(2027, 1, 12, 9, tzinfo=clock.UK),
        ends_at=dt.datetime(2027, 1, 12, 11, tzinfo=clock.UK),
    )  # fmt: skip
    EventFactory(
        starts_at=dt.datetime(2027, 7, 12, 9, tzinfo=clock.UK), ends_at=dt.datetime(2027, 7, 12, 11, tzinfo=clock.UK)
    )

    text = client.get("/events/calendar.ics").content.decode()
    first, second = parsed(text)

    assert text.count("BEGIN:VTIMEZONE") == 1
    assert (first["DTSTART;TZID=Europe/London"], first["DTEND;TZID=Europe/London"]) == (
        "20270112T090000",
        "20270112T110000",
    )
    assert second["DTSTART;TZID=Europe/London"] == "20270712T090000"
    assert (first["SUMMARY"], first["LOCATION"]) == ("Winter, with a comma", winter.venue)


def test_a_cancelled_event_says_so_in_the_calendar_under_the_same_name(client, staff):
    event = EventFactory()
    before = parsed(client.get("/events/calendar.ics").content.decode())[0]

    actions.cancel_event(event=event, reason="The hall has flooded.", by=staff)
    after = parsed(client.get("/events/calendar.ics").content.decode())[0]

    assert after["UID"] == before["UID"]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    assert (after["STATUS"], after["SUMMARY"]) == ("CANCELLED", f"Cancelled: {event.title}")


# Registering ---------------------------------------------------------------------------------------------------------
def test_somebody_registers_without_an_account_and_gets_a_mail_with_the_link_to_cancel(client):
    event = EventFactory(online=True)

    response = client.post(reverse("projects:event_register", args=[event.slug]), typed(access_needs="Captions"))

    registration = Registration.objects.get()
    (mail,) = mails_to("sam@example.org")
    assert response.url == reverse("projects:event_registered", args=[event.slug])
    assert (registration.status, registration.name, registration.access_needs) == (Status.REGISTERED, "Sam", "Captions")
    assert mail.subject == f"You have a place: {event.title}"
    assert registration.get_absolute_url() in mail.body and "secret-room" in mail.body
    assert "Captions" not in mail.body and "Sam" not in mail.body


def test_sent_twice_there_is_one_registration_and_one_mail(client):
    event = EventFactory(places=1)

    for email in ("sam@example.org", "SAM@example.org"):
        response = client.post(reverse("projects:event_register", args=[event.slug]), typed(email=email))
        assert response.status_code == 302

    assert Registration.objects.count() == 1
    assert [mail.subject[:16] for mail in mails_to("sam@example.org")] == ["You have a place"]


def test_whoever_has_lost_the_mail_gets_it_again_by_registering_again_once_a_day():
    event = EventFactory()
    RegistrationFactory(event=event, email="sam@example.org", registered_at=timezone.now() - dt.timedelta(hours=2))

    for _ in range(3):
        actions.register(event=event, name="Sam", email="sam@example.org")

    assert len(mails_to("sam@example.org")) == 1


def test_whoever_types_the_address_of_another_person_sees_the_same_page(client):
    event = EventFactory()
    url = reverse("projects:event_register", args=[event.slug])
    RegistrationFactory(event=event, email="known@example.org", access_needs="Wheelchair")

    pages = [
        client.post(url, typed(email=email), follow=True).content.decode().replace(email, "")
        for email in ("known@example.org", "new@example.org")
    ]

    assert pages[0] == pages[1]
    assert "Wheelchair" not in pages[0]


def test_when_all_places_are_taken_the_next_waits_and_is_told_so(client):
    event = EventFactory(places=1)
    RegistrationFactory(event=event)

    form = client.get(reverse("projects:event_register", args=[event.slug])).content.decode()
    client.post(reverse("projects:event_register", args=[event.slug]), typed())

    assert "Join the waiting list" in form
    assert event.registrations.get(email="sam@example.org").status == Status.WAITING
    assert mails_to("sam@example.org")[0].subject == f"You are on the waiting list: {event.title}"
    assert "All 1 are taken, 1 person waits" in client.get(event.get_absolute_url()).content.decode()


def test_after_the_closing_moment_nobody_registers_and_the_page_says_so(client):
    closes_at = timezone.now() + dt.timedelta(hours=1)
    event = EventFactory(registration_closes_at=closes_at)
    data = typed()

    with clock.at(closes_at):
        response = client.post(reverse("projects:event_register", args=[event.slug]), data)
        page = client.get(reverse("projects:event_register", args=[event.slug])).content.decode()
    with clock.at(closes_at - dt.timedelta(microseconds=1)):
        actions.register(event=event, name="Quick", email="quick@example.org")

    assert "Registration for this event has closed" in response.content.decode()
    assert "sam@example.org" in response.content.decode()
    assert "Registration closed on" in page
    assert [one.email for one in Registration.objects.all()] == ["quick@example.org"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter your name"),
        ({"email": "sam"}, "enter an email address in the correct format"),
        ({"email": "sam@example.org\nBcc: all@example.org"}, "enter an email address in the correct format"),
        ({"access_needs": "My number is 943 476 5919"}, "looks like an NHS number"),
        ({"website": "http://spam.example"}, "A box that nobody sees was filled in"),
        ({"shown_at": ""}, "faster than people write"),
        ({"shown_at": "1:forged"}, "faster than people write"),
    ],
)
def test_what_cannot_be_taken_gets_a_sentence_and_what_was_typed_stays(client, changes, sentence):
    event = EventFactory()
    data = typed(organisation="Trust of Sam") | changes

    page = client.post(reverse("projects:event_register", args=[event.slug]), data).content.decode()

    assert sentence in page
    assert "Trust of Sam" in page and "<title>Error: Register" in page
    assert not Registration.objects.exists()


def test_many_registrations_from_one_address_are_refused_for_an_hour_and_the_text_stays(client):
    event = EventFactory()
    url = reverse("projects:event_register", args=[event.slug])
    for number in range(views.REGISTRATIONS_AN_HOUR):
        client.post(url, typed(email=f"{number}@example.org"))

    response = client.post(url, typed(email="onemore@example.org"))

    assert response.status_code == 429
    assert "onemore@example.org" in response.content.decode()
    assert Registration.objects.count() == views.REGISTRATIONS_AN_HOUR


@pytest.mark.django_db(transaction=True)
def test_fifty_people_at_once_get_ten_places_and_forty_wait():
    event = EventFactory(places=10)
    ready, problems = threading.Barrier(50, timeout=60), []

    def race(number):
        try:
            ready.wait()
            actions.register(event=event, name=f"Person {number}", email=f"{number}@example.org")
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counts = [event.registrations.filter(status=status).count() for status in (Status.REGISTERED, Status.WAITING)]
    assert (problems, counts) == ([], [10, 40])


@pytest.mark.django_db(transaction=True)
def test_one_person_who_clicks_five_times_at_once_has_one_registration():
    event = EventFactory(places=3)
    ready, problems = threading.Barrier(5, timeout=60), []

    def race():
        try:
            ready.wait()
            actions.register(event=event, name="Sam", email="sam@example.org")
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (problems, Registration.objects.count()) == ([], 1)


# Cancelling ----------------------------------------------------------------------------------------------------------
def test_the_link_of_the_mail_shows_the_registration_and_only_a_post_cancels(client):
    registration = RegistrationFactory(access_needs="Wheelchair")

    client.get(registration.get_absolute_url())
    registration.refresh_from_db()
    before = registration.status
    page = client.post(registration.get_absolute_url(), follow=True).content.decode()

    registration.refresh_from_db()
    assert (before, registration.status, registration.access_needs) == (Status.REGISTERED, Status.CANCELLED, "")
    assert registration.needs_erased_at is not None
    assert "Your registration is cancelled" in page


def test_when_somebody_cancels_the_first_of_the_waiting_list_moves_up_and_is_told(client):
    event = EventFactory(places=1)
    place = RegistrationFactory(event=event)
    first, second = (
        RegistrationFactory(
            event=event, status=Status.WAITING, registered_at=timezone.now() + dt.timedelta(minutes=minutes)
        )
        for minutes in (1, 2)
    )

    client.post(place.get_absolute_url())

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Status.REGISTERED, Status.WAITING)
    assert [mail.subject for mail in mails_to(first.email)] == [f"You now have a place: {event.title}"]
    assert mails_to(second.email) == []


def test_cancelled_twice_the_list_moves_up_once(client):
    event = EventFactory(places=1)
    place = RegistrationFactory(event=event)
    RegistrationFactory(event=event, status=Status.WAITING)
    RegistrationFactory(event=event, status=Status.WAITING)

    for _ in range(2):
        assert client.post(place.get_absolute_url()).status_code == 302

    assert event.registrations.filter(status=Status.REGISTERED).count() == 1


def test_a_cancelled_registration_of_the_waiting_list_gives_nobody_a_place(client):
    event = EventFactory(places=1)
    RegistrationFactory(event=event)
    waiting = [RegistrationFactory(event=event, status=Status.WAITING) for _ in range(2)]

    client.post(waiting[0].get_absolute_url())

    assert event.registrations.filter(status=Status.REGISTERED).count() == 1


def test_after_the_start_nobody_moves_up_and_after_the_end_nobody_cancels():
    event = EventFactory(places=1)
    place = RegistrationFactory(event=event)
    waiting = RegistrationFactory(event=event, status=Status.WAITING)

    with clock.at(event.ends_at), pytest.raises(ActionRefused, match="is over"):
        actions.cancel_registration(registration=place)
    with clock.at(event.starts_at):
        actions.cancel_registration(registration=place)

    waiting.refresh_from_db()
    assert waiting.status == Status.WAITING


def test_whoever_cancelled_may_register_again():
    registration = RegistrationFactory(email="sam@example.org")
    actions.cancel_registration(registration=registration)

    again = actions.register(event=registration.event, name="Sam", email="sam@example.org")

    assert again != registration and again.status == Status.REGISTERED


def test_a_forged_link_is_not_found_and_no_user_but_staff_cancels_for_others(client):
    registration = RegistrationFactory()

    assert client.get(reverse("projects:registration", args=[uuid.uuid4()])).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.cancel_registration(registration=registration, by=UserFactory())


# What staff do -------------------------------------------------------------------------------------------------------
def details(event, **changes):
    names = ["title", "starts_at", "ends_at", "attendance", "venue", "joining_link", "places"]
    return {name: getattr(event, name) for name in names} | changes


def test_another_time_or_place_is_told_to_everyone_with_a_place_or_waiting(staff):
    event = EventFactory(places=1)
    place, waiting = RegistrationFactory(event=event), RegistrationFactory(event=event, status=Status.WAITING)
    gone = RegistrationFactory(event=event, status=Status.CANCELLED)

    actions.edit_event(event=event, by=staff, **details(event, venue="Library, Station Road, LE2 2BB"))

    assert "Library, Station Road" in mails_to(place.email)[0].body
    assert "You are on the waiting list" in mails_to(waiting.email)[0].body
    assert mails_to(gone.email) == []
    assert Event.objects.get().moves == 1


def test_another_title_is_told_to_nobody(staff):
    registration = RegistrationFactory()

    actions.edit_event(event=registration.event, by=staff, **details(registration.event, title="Better words"))

    assert mails_to(registration.email) == []


def test_more_places_move_the_waiting_list_up(staff):
    event = EventFactory(places=1)
    RegistrationFactory(event=event)
    waiting = [RegistrationFactory(event=event, status=Status.WAITING) for _ in range(3)]

    actions.edit_event(event=event, by=staff, **details(event, places=3))

    assert [Registration.objects.get(pk=one.pk).status for one in waiting] == [
        Status.REGISTERED,
        Status.REGISTERED,
        Status.WAITING,
    ]


def test_fewer_places_than_people_who_have_one_are_refused(staff):
    event = EventFactory(places=2)
    RegistrationFactory.create_batch(2, event=event)

    with pytest.raises(ActionRefused, match="2 people have a place already"):
        actions.edit_event(event=event, by=staff, **details(event, places=1))


def test_a_cancelled_event_tells_everyone_why_and_forgets_what_they_needed(client, staff):
    event = EventFactory()
    registration = RegistrationFactory(event=event, access_needs="Wheelchair")

    actions.cancel_event(event=event, reason="The speaker is ill.", by=staff)

    registration.refresh_from_db()
    (mail,) = mails_to(registration.email)
    page = client.get(event.get_absolute_url()).content.decode()
    assert "The speaker is ill." in mail.body and mail.subject == f"Cancelled: {event.title}"
    assert "This event is cancelled" in page and "The speaker is ill." in page
    assert registration.access_needs == ""
    with pytest.raises(ActionRefused, match="has closed"):
        actions.register(event=event, name="Sam", email="sam@example.org")


def test_an_event_is_not_cancelled_without_a_reason_nor_after_its_end(staff):
    event, past = EventFactory(), EventFactory(past=True)

    with pytest.raises(ActionRefused, match="Say why"):
        actions.cancel_event(event=event, reason=" ", by=staff)
    with pytest.raises(ActionRefused, match="is over"):
        actions.cancel_event(event=past, reason="Rain", by=staff)


def test_two_editors_do_not_overwrite_each_other(staff):
    event = EventFactory(title="First words")
    seen = event.edit_mark
    actions.edit_event(event=Event.objects.get(), by=staff, seen=seen, **details(event, title="Second words"))

    with pytest.raises(ActionRefused, match="Somebody else saved this"):
        actions.edit_event(event=event, by=staff, seen=seen, **details(event, title="Third words"))

    assert Event.objects.get().title == "Second words"


@pytest.mark.parametrize("action", ["create_event", "edit_event", "publish_event", "cancel_event"])
def test_nobody_but_staff_changes_events(action):
    values = {"create_event": {"title": "T"}, "cancel_event": {"reason": "R"}}.get(action, {})
    event = {} if action == "create_event" else {"event": EventFactory()}

    with pytest.raises(PermissionDenied):
        getattr(actions, action)(**event, **values, by=UserFactory())


def test_an_event_in_person_without_a_place_to_go_to_is_refused(staff):
    start = timezone.now() + dt.timedelta(days=3)
    values = {"summary": "S", "description": "D", "starts_at": start, "attendance": "in_person"}

    with pytest.raises(ActionRefused, match="Say where people meet"):
        actions.create_event(title="T", ends_at=start + dt.timedelta(hours=1), by=staff, **values)
    with pytest.raises(ActionRefused, match="The end is before the start"):
        actions.create_event(title="T", ends_at=start, venue="Hall", by=staff, **values)


# Confidence and retention --------------------------------------------------------------------------------------------
def test_after_the_event_what_people_needed_is_erased_and_later_who_they_were(settings):
    settings.EVENT_PEOPLE_KEPT_DAYS = 100
    past = RegistrationFactory(event=EventFactory(past=True), access_needs="Wheelchair", name="Alex")
    to_come = RegistrationFactory(access_needs="Captions")

    first, again = actions.erase_registrations(), actions.erase_registrations()
    past.refresh_from_db()
    soon = (past.access_needs, past.name)
    with clock.at(timezone.now() + dt.timedelta(days=71)):
        later = actions.erase_registrations()

    past.refresh_from_db()
    assert (first, again, soon) == ((1, 0), (0, 0), ("", "Alex"))
    assert later[1] >= 1
    assert (past.name, past.email) == ("", "")
    assert past.status_changes.count() == 0
    assert Registration.objects.filter(pk=to_come.pk).exists()


def test_the_link_of_an_erased_registration_is_not_found(client):
    registration = RegistrationFactory(event=EventFactory(past=True), name="", email="", erased_at=timezone.now())

    assert client.get(registration.get_absolute_url()).status_code == 404


def test_an_erased_registration_can_hold_no_name_even_past_the_actions():
    registration = RegistrationFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(erased_at=timezone.now())


def test_the_audit_trail_knows_no_name_address_or_need():
    actions.register(event=EventFactory(), name="Alex", email="alex@example.org", access_needs="Wheelchair")

    kept = str(list(AuditEvent.objects.values_list("before", "after")))

    assert not any(secret in kept for secret in ("Alex", "alex@", "Wheelchair"))
