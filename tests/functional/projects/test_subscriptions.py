"""Somebody without an account gets e-mails about what is new: asked for, confirmed, chosen, sent, stopped."""

import re
from datetime import timedelta

import pytest

from projects.models import Subscription
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from tests.factories.projects import PriorityFactory, ProjectFactory
from tests.functional.browsing import DESKTOP, PHONE, overflow, tab_to

IN_BOTH_WIDTHS = (PHONE, DESKTOP)


@pytest.mark.parametrize(
    ("width", "javascript"), [(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desk", "phone", "no script"]
)
def test_somebody_subscribes_confirms_chooses_reads_a_digest_and_stops_it(visit, axe, stack, width, javascript):
    page = visit(width, java_script_enabled=javascript)
    look = looker(page, axe if javascript else None)
    address = f"reader-{width}-{javascript}-{clock.now():%H%M%S}@example.org".lower()
    wanted, other = PriorityFactory(title=f"Sleep {address}"), PriorityFactory(title=f"Noise {address}")

    when_they_subscribe_by_keyboard(page, address, look)
    then_nothing_is_promised_before_they_confirm(address)
    when_they_open_the_link_in_the_mail_and_confirm(page, address, look)
    when_they_choose_one_priority_every_week(page, wanted, look)
    when_a_week_passes_in_which_two_projects_changed(address, wanted, other, stack)
    then_the_digest_tells_of_one_and_tracks_nobody(page, address, look)
    when_their_mail_program_unsubscribes_with_one_click(page, address)
    then_the_address_is_gone(page, address)


def looker(page, axe):
    """Whole and accessible in both widths; without JavaScript there is nothing to measure with."""

    def look():
        if axe is None:
            return
        width = page.viewport_size["width"]
        for one in IN_BOTH_WIDTHS:
            page.set_viewport_size({"width": one, "height": 900})
            assert overflow(page) <= 0, page.url
            axe(page)
        page.set_viewport_size({"width": width, "height": 900})

    return look


def press_by_keyboard(page, locator):
    tab_to(page, locator)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def when_they_subscribe_by_keyboard(page, address, look):
    page.goto("/")
    press_by_keyboard(page, page.locator("footer").get_by_role("link", name="Get e-mails about what is new"))
    look()
    tab_to(page, page.locator("[name=email]"))
    page.keyboard.type("no address")
    press_by_keyboard(page, page.get_by_role("button", name="Subscribe"))
    assert page.title().startswith("Error: ")
    assert page.locator("[name=email]").input_value() == "no address"
    look()
    tab_to(page, page.locator("[name=email]"))
    page.keyboard.press("Control+a")
    page.keyboard.type(address)
    press_by_keyboard(page, page.get_by_role("button", name="Subscribe"))
    assert "Look into your e-mail" in page.locator("h1").inner_text()
    look()


def then_nothing_is_promised_before_they_confirm(address):
    subscription = Subscription.objects.get(email=address)
    assert (subscription.confirmed_at, subscription.told_until) == (None, None)


def open_mail(page, address, subject):
    """The newest mail in the mailbox of the demonstration, once the worker has sent it."""
    for _ in range(120):
        if OutboxMessage.objects.filter(to=[address], subject__startswith=subject, status="sent").exists():
            break
        page.wait_for_timeout(500)
    page.goto(f"/demo/mailbox/?to={address}")
    page.get_by_role("link", name=re.compile(f"^{subject}")).first.click()


def when_they_open_the_link_in_the_mail_and_confirm(page, address, look):
    open_mail(page, address, "Confirm that you want")
    page.locator("main .nhsuk-inset-text a").first.click()
    assert address in page.locator("main").inner_text()
    assert Subscription.objects.get(email=address).confirmed_at is None  # a program that opens links confirms nothing
    look()
    press_by_keyboard(page, page.get_by_role("button", name="Yes, confirm"))
    assert "Confirmed" in page.locator("main").inner_text()


def when_they_choose_one_priority_every_week(page, wanted, look):
    look()
    tab_to(page, page.locator(f"[name=priorities][value='{wanted.pk}']"))
    page.keyboard.press("Space")
    tab_to(page, page.locator("[name=frequency]:checked"))
    page.keyboard.press("ArrowUp")
    press_by_keyboard(page, page.get_by_role("button", name="Save"))
    assert "Your choices are saved" in page.locator("main").inner_text()
    subscription = Subscription.objects.get(priorities=wanted)
    assert (subscription.frequency, list(subscription.priorities.all())) == ("weekly", [wanted])


def when_a_week_passes_in_which_two_projects_changed(address, wanted, other, stack):
    ProjectFactory(title="Quiet shoes at night", slug=f"quiet-{wanted.pk}", priorities=[wanted])
    ProjectFactory(title="Softer alarms", slug=f"softer-{other.pk}", priorities=[other])
    Subscription.objects.filter(email=address).update(told_until=clock.now() - timedelta(days=8))
    stack.manage("shell", "-v0", "-c", "from projects.tasks import send_digests; send_digests.delay()")


def then_the_digest_tells_of_one_and_tracks_nobody(page, address, look):
    open_mail(page, address, "What is new")
    text = page.locator("main").inner_text()
    assert "Quiet shoes at night" in text and "Softer alarms" not in text
    links = page.locator("main .nhsuk-inset-text a").evaluate_all("links => links.map(link => link.href)")
    token = str(Subscription.objects.get(email=address).token)
    assert [link for link in links if token in link] == [links[-1]]  # only the link to change or stop knows them
    assert not [link for link in links if "?" in link]
    look()
    page.get_by_role("link", name=links[0]).click()
    assert "Quiet shoes at night" in page.locator("h1").inner_text()


def when_their_mail_program_unsubscribes_with_one_click(page, address):
    mail = OutboxMessage.objects.filter(to=[address], subject__startswith="What is new").latest("pk")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = mail.headers["List-Unsubscribe"].strip("<>")
    answer = page.request.post(stop, form={"List-Unsubscribe": "One-Click"})
    assert (answer.status, answer.text()) == (200, "You get no more of these e-mails.")
    page.link_of_the_mail = stop.removesuffix("stop/")


def then_the_address_is_gone(page, address):
    assert not Subscription.objects.filter(email=address).exists()
    assert not OutboxMessage.objects.filter(to=[address]).exists()
    page.expected_errors.append("404")
    assert page.goto(page.link_of_the_mail).status == 404
