"""Registering for an event without an account, and editing a page with a preview: short journeys on the real stack."""

import pytest

from projects.models import Registration
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.content.models import PageVersion
from tests.factories.content import PageFactory, PageVersionFactory
from tests.factories.projects import EventFactory, RegistrationFactory
from tests.functional.browsing import DESKTOP, PHONE, fill, follow, overflow, press

SLOWLY = 2500  # milliseconds: as long as a person takes to write


@pytest.mark.parametrize(("width", "java_script_enabled"), [(DESKTOP, True), (PHONE, False)])
def test_somebody_takes_the_last_place_and_gives_it_to_whoever_waits(visit, stack, width, java_script_enabled):
    mark = f"{width}-{clock.now():%H%M%S}"
    event = EventFactory(title=f"Evening on falls {mark}", slug=f"evening-on-falls-{mark}", places=1)
    page, address = visit(width=width, java_script_enabled=java_script_enabled), f"last-{mark}@example.org"
    stack.forget_kept_pages()

    page.goto("/events/")
    follow(page, event.title)
    follow(page, "Register")
    page.wait_for_timeout(SLOWLY)
    fill(page, {"name": "Robin", "email": address, "access_needs": "A seat near the door"})
    press(page, "Register")
    waiting = RegistrationFactory(event=event, status=Registration.Status.WAITING)
    (mail,) = OutboxMessage.objects.filter(to=[address])
    mine = Registration.objects.get(email=address)

    assert "Check your e-mail" in page.locator("h1").inner_text()
    assert mail.subject.startswith("You have a place") and mine.get_absolute_url() in mail.body
    page.goto(mine.get_absolute_url())
    press(page, "Cancel my registration")
    assert "Your registration is cancelled" in page.locator("main").inner_text()
    waiting.refresh_from_db()
    assert waiting.status == Registration.Status.REGISTERED


def test_the_pages_of_events_and_learning_are_accessible_on_a_phone_and_at_a_desk(visit, axe):
    event = EventFactory(title="A full evening", slug=f"a-full-evening-{clock.now():%H%M%S}", places=1)
    registration = RegistrationFactory(event=event)
    page = visit()

    for path in (
        "/events/",
        "/events/?when=past&kind=nonsense",
        event.get_absolute_url(),
        f"{event.get_absolute_url()}register/",
        f"{event.get_absolute_url()}registered/",
        registration.get_absolute_url(),
        "/learning/",
        "/learning/offers/",
        "/feedback/status/",
    ):
        page.goto(path)
        for width in (PHONE, DESKTOP):
            page.set_viewport_size({"width": width, "height": 900})
            assert overflow(page) <= 0, page.url
            axe(page)


def test_staff_preview_a_page_save_it_and_see_what_changed(visit, log_in, make_person, axe):
    slug = f"how-we-listen-{clock.now():%H%M%S}"
    version = PageVersionFactory(page=PageFactory(slug=slug), title="How we listen", body="We read all.")
    staff, visitor = visit(), visit()
    log_in(staff, make_person(staff=True))

    staff.goto(f"/admin/content/page/{version.page.pk}/edit/")
    fill(staff, {"body": "We read **everything**. [Gone](/documents/gone/)"})
    press(staff, "Preview")
    preview = staff.locator("section").first.inner_text()
    unsaved = PageVersion.objects.filter(page=version.page).count()
    axe(staff)
    fill(staff, {"body": "We read **everything**. [Answers](/feedback/answers/)"})
    press(staff, "Save this version")
    staff.goto(f"/admin/content/page/{version.page.pk}/versions/2/")
    axe(staff)
    visitor.goto(f"/{slug}/")

    assert "nothing is saved yet" in preview and "/documents/gone/" in preview and unsaved == 1
    assert "all." in staff.locator("del").last.inner_text()
    assert visitor.locator("main strong").inner_text() == "everything"
