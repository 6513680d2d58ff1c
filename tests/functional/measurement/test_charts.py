"""Charts of every type and their sentences, on the real stack."""

import datetime as dt

import pytest

from measurement.analysis import KINDS
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.functional.browsing import PHONE, overflow

DRAWN = "figure.app-chart svg:visible"


@pytest.fixture
def metrics(stack):
    """One metric of each chart type, the same counts in all of them: a level that rises half-way."""
    number = int(dt.datetime.now().timestamp() * 1000) % 10**7
    made = {}
    for place, kind in enumerate(KINDS):
        metric = MetricFactory(code=f"K{number}{place:02}", name=f"Checks as {KINDS[kind].name}", chart_type=kind)
        fill(SeriesFactory(metric=metric), [((60 if month < 12 else 80) + month % 3, 100) for month in range(24)])
        made[kind] = metric
    return made


def test_every_chart_type_can_be_seen_heard_and_carried_away(visit, metrics):
    page = visit()
    for kind, metric in metrics.items():
        page.goto(metric.get_absolute_url())
        sentence = page.locator(".app-chart__words").first.inner_text()

        assert page.get_by_role("img", name=sentence).first.is_visible(), kind
        assert KINDS[kind].name.lower() in page.locator(DRAWN).first.locator("desc").text_content().lower()
        for name, starts in (("chart (SVG)", b"<svg"), ("chart (PNG)", b"\x89PNG")):
            address = page.get_by_role("link", name=name, exact=True).get_attribute("href")
            assert page.request.get(address).body().startswith(starts), (kind, name)


def test_charts_fit_a_phone_and_a_wide_screen_with_text_that_can_be_read(visit, metrics):
    page = visit()
    for width in (PHONE, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for kind, metric in metrics.items():
            page.goto(metric.get_absolute_url())
            chart = page.locator(DRAWN)

            assert chart.count() == 1, (kind, width)
            assert overflow(page) <= 0, (kind, width)
            # the text is drawn at 13 units: so many pixels it is on this screen
            scale = chart.evaluate("svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width")
            assert 13 * scale >= 11, (kind, width)


def test_a_rise_is_told_as_better_in_the_words_of_its_rule(visit, metrics):
    page = visit()
    for kind in ("xmr", "run", "p"):
        page.goto(metrics[kind].get_absolute_url())

        assert "Better: " in page.locator(".app-chart__words").first.inner_text(), kind
