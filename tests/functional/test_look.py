"""The frame, the components and the scripts of the portal in a real browser."""

from urllib.parse import urlsplit

import pytest

from tests.functional.browsing import DESKTOP, PHONE, overflow


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_all_components_together_are_accessible(visit, axe, width):
    page = visit(width)

    page.goto("/developers/components/")

    axe(page)


def test_all_components_fit_the_narrowest_phone(visit):
    page = visit(320)

    page.goto("/developers/components/")

    assert overflow(page) == 0


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere/"])
def test_pages_of_the_frame_are_accessible(visit, axe, address, width):
    page = visit(width)
    page.expected_errors = ["404"]

    page.goto(address)

    axe(page)
    assert overflow(page) == 0


def test_everything_can_be_reached_without_scripts(visit):
    page = visit(PHONE, java_script_enabled=False)

    page.goto("/developers/components/")

    for name in ("Priorities", "Projects", "Calls", "Measurement plan", "Pledges", "Reports", "How can we help?"):
        assert page.get_by_role("navigation", name="Menu").get_by_role("link", name=name).is_visible(), name
    assert overflow(page) == 0


def test_a_link_of_the_error_summary_leads_to_its_field(visit):
    page = visit()
    page.goto("/accounts/login/")

    page.get_by_role("button", name="Log in", exact=True).click()

    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Enter your email address").click()
    assert page.evaluate("document.activeElement.name") == "login"


def test_the_skip_link_comes_first_and_leads_to_the_content(visit):
    page = visit()
    page.goto("/accounts/login/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")

    assert urlsplit(page.url).fragment == "maincontent"


def test_a_radio_button_shows_the_field_that_belongs_to_it(visit):
    page = visit()
    page.goto("/developers/components/")
    hidden = page.locator("#id_empty-other_setting")

    assert not hidden.is_visible()
    page.locator("#id_empty-setting_2").check()
    assert hidden.is_visible()


def answer_seconds_left(page, seconds: int) -> None:
    """The server's answer to "how long is my session?", from now on."""
    page.route("**/accounts/session/seconds-left/", lambda route: route.fulfill(json={"seconds_left": seconds}))


def end_session(page):
    """The session is over, and the page notices when it is looked at again."""
    page.context.clear_cookies(name="session")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_warning_before_log_out_can_be_answered(visit, axe, log_in, make_person):
    page = visit(PHONE)
    log_in(page, make_person(staff=True))
    answer_seconds_left(page, 100)

    page.goto("/accounts/password/change/")

    dialog = page.get_by_role("alertdialog", name="You are about to be logged out")
    dialog.wait_for()
    assert "2 minutes" in dialog.inner_text()
    axe(page)
    answer_seconds_left(page, 1800)
    dialog.get_by_role("button", name="Stay signed in").click()
    dialog.wait_for(state="hidden")


def test_what_was_typed_when_the_session_ended_is_offered_back(visit, axe, log_in, make_person):
    page = visit(PHONE)
    person = make_person()
    log_in(page, person)
    page.goto("/accounts/email/")
    page.locator("input[name=email]").last.fill("new.address@example.org")

    end_session(page)

    page.wait_for_url("**/accounts/login/?next=%2Faccounts%2Femail%2F")
    log_in(page, person)
    page.goto("/accounts/email/")
    page.get_by_role("heading", name="What you were typing was kept").wait_for()
    axe(page)
    page.get_by_role("button", name="Put my text back").click()
    assert page.locator("input[name=email]").last.input_value() == "new.address@example.org"


def test_kept_text_is_for_the_person_who_typed_it_only(visit, log_in, make_person):
    page = visit()
    first, second = make_person(), make_person()
    log_in(page, first)
    page.goto("/accounts/email/")
    page.evaluate(
        "sessionStorage.setItem('kept-text:/accounts/email/', "
        "JSON.stringify({person: document.body.dataset.person, values: [['email', 'secret@example.org']]}))"
    )
    page.context.clear_cookies()

    log_in(page, second)
    page.goto("/accounts/email/")

    assert page.get_by_role("heading", name="What you were typing was kept").count() == 0
    assert page.evaluate("sessionStorage.getItem('kept-text:/accounts/email/')") is None


def test_passwords_are_never_kept(visit, log_in, make_person):
    page = visit()
    log_in(page, make_person())
    page.goto("/accounts/password/change/")
    for field in page.locator("input[type=password]").all():
        field.fill("a very secret password")

    end_session(page)

    page.wait_for_url("**/accounts/login/**")
    assert "secret" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_enrolling_an_authenticator_app_is_accessible(visit, axe, log_in, make_person):
    page = visit(PHONE)
    log_in(page, make_person())
    page.goto("/accounts/2fa/totp/activate/")

    assert page.get_by_role("img", name="QR code").evaluate("image => image.naturalWidth") > 0
    axe(page)
    assert overflow(page) == 0


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_admin_wears_the_same_look(visit, axe, log_in, make_person, width):
    page = visit(width)
    log_in(page, make_person(staff=True))

    for address in ("/admin/", "/admin/accounts/invitation/add/", "/admin/content/page/add/"):
        page.goto(address)
        axe(page)
        assert overflow(page) == 0, address
    page.goto("/admin/accounts/user/")
    axe(page, stock_admin=True)


def test_an_empty_form_of_the_admin_says_what_is_missing(visit, axe, log_in, make_person):
    page = visit(PHONE)
    log_in(page, make_person(staff=True))
    page.goto("/admin/accounts/invitation/add/")

    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()

    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Enter your full name").click()
    assert page.evaluate("document.activeElement.name") == "full_name"
    axe(page)
