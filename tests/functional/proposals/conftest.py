"""What the browser journeys of calls and proposals share."""

import pytest

from tests.functional.browsing import DESKTOP, PHONE, overflow


@pytest.fixture
def look(axe):
    """Axe and no sideways scrolling, on a phone and on a desktop."""

    def at_both_widths(page):
        for width in (PHONE, DESKTOP):
            page.set_viewport_size({"width": width, "height": 900})
            assert overflow(page) <= 0, f"{page.url} at {width}"
            axe(page)

    return at_both_widths
