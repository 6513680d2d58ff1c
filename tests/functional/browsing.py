"""What browser tests do with pages, and say of them."""

import time

from psc_portal.common import clock

PHONE, DESKTOP = 360, 1280


def overflow(page) -> int:
    """How many pixels the page is wider than its window.

    The header's script folds the navigation in the frame after the window has changed its width. Headless Chromium on
    a loaded machine may leave that frame out: then it is told again, and a picture makes it draw one.
    """
    for attempt in range(100):
        pixels = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if pixels <= 0:
            break
        if attempt % 10 == 9:
            page.evaluate("window.dispatchEvent(new Event('resize'))")
            page.screenshot()
        page.wait_for_timeout(100)
    return pixels


_codes_given: dict[str, str] = {}


def totp_code(secret: str) -> str:
    """The code of the moment. It can be used once: whoever comes again within its half minute waits for the next."""
    from psc_portal.accounts.second_factor import current_code

    while (code := current_code(secret)) == _codes_given.get(secret):
        time.sleep(1)
    _codes_given[secret] = code
    return code


def fill(page, answers: dict) -> None:
    """Fill a form by the names of its fields: text, the label of an option, values to tick, or a date's parts."""
    for name, answer in answers.items():
        if isinstance(answer, dict):
            fill(page, {f"{name}_{part}": text for part, text in answer.items()})
            continue
        control = page.locator(f'[name="{name}"]')
        match control.first.evaluate("control => control.type"):
            case "radio" | "checkbox" if answer is True:
                control.check()
            case "radio" | "checkbox":
                for value in [answer] if isinstance(answer, str) else answer:
                    page.locator(f'[name="{name}"][value="{value}"]').check()
            case "select-one":
                control.select_option(label=answer)
            case _:
                control.fill(answer)


def day(date) -> dict[str, str]:
    return {"day": str(date.day), "month": str(date.month), "year": str(date.year)}


def moment(at) -> dict[str, str]:
    """In UK time, whatever the clock of this machine says."""
    at = at.astimezone(clock.UK)
    return day(at) | {"time": f"{at:%H:%M}"}


def press(page, name: str) -> None:
    """Press a button that leads to another page, and wait for that."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def follow(page, name) -> None:
    """Follow the first link with this text (or pattern), and wait for its page. NHS.UK's start links are buttons."""
    exact = isinstance(name, str)
    link = page.get_by_role("link", name=name, exact=exact).or_(page.get_by_role("button", name=name, exact=exact))
    with page.expect_navigation():
        link.first.click()


def tab_to(page, locator):
    """Reach a control with the tabulator key alone."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if locator.evaluate("control => control === document.activeElement"):
            return
    raise AssertionError(f"{locator} cannot be reached with the keyboard")
