"""Keeping the plan: its health, and a lasting shift that its owner rebases."""

import pytest

from measurement import periods
from measurement.models import NotYetMeasured, Rebase
from psc_portal.common import clock
from tests.factories.measurement import MetricFactory, MetricOwnerFactory, SeriesFactory, fill
from tests.factories.projects import OrganisationFactory
from tests.functional.browsing import DESKTOP, PHONE, follow, overflow, press
from tests.functional.browsing import fill as fill_form


@pytest.fixture
def shifted():
    """A series of 12 values near 50 and 15 near 80, up to last month."""
    number = MetricFactory._meta.model.objects.count()
    metric = MetricFactory(code=f"ZP{number}", name=f"Skin checks {number}", target=90)
    trust = OrganisationFactory(name=f"Shifted Trust {number}", ods_code=f"ZP{number}", slug=f"shifted-{number}")
    series = SeriesFactory(metric=metric, organisation=trust)
    values = [(50 + month % 3, 100) for month in range(12)] + [(80 + month % 3, 100) for month in range(15)]
    fill(series, values, start=periods.later(clock.today().replace(day=1), -27))
    return series


def everything_fits(page, axe):
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        axe(page)


def words(page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("with_javascript", [True, False], ids=["with JavaScript", "without"])
def test_the_health_of_the_plan_is_found_from_the_list_and_says_what_is_missing(visit, axe, with_javascript):
    entry = NotYetMeasured.objects.create(
        what="What relatives feel", why="Nobody asks", plan="Ask", by_whom="Patients’ panel"
    )
    page = visit(java_script_enabled=with_javascript)

    page.goto("/metrics/")
    follow(page, "Health of the plan")

    assert "Families of metrics" in words(page)
    assert "Missing" in words(page)
    page.goto(f"/metrics/health/?entry={entry.pk}")  # no action made the entry, so the kept page does not know it yet
    assert page.locator(f"#not-yet-{entry.pk}").inner_text() == "What relatives feel"
    if with_javascript:
        everything_fits(page, axe)
    page.goto("/metrics/")
    follow(page, "Signal, worse first")
    assert "All metrics" in words(page)


def test_the_owner_follows_a_suggestion_to_rebase_and_takes_it_back(visit, log_in, axe, make_person, shifted):
    owner = make_person(totp=True)
    MetricOwnerFactory(metric=shifted.metric, user=owner)
    visitor, page = visit(), visit()
    log_in(page, owner)

    visitor.goto(shifted.get_absolute_url())
    page.goto(shifted.get_absolute_url())
    assert "think about calculating" not in words(visitor)
    assert "The last 15 values, since" in words(page)
    everything_fits(page, axe)
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    with page.expect_navigation():
        page.locator("main a", has_text="Rebase from").click()
    assert page.locator("[name=from_date_year]").input_value()
    fill_form(page, {"reason": "Skin checks at every move since then"})
    press(page, "Rebase")

    assert "Skin checks at every move since then" in words(page)
    assert "think about calculating" not in words(page)
    follow(page, "All decisions")
    everything_fits(page, axe)
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    with page.expect_navigation():
        page.locator("main a", has_text="Withdraw").first.click()
    axe(page)
    press(page, "Withdraw it")

    assert "It stays in the history" in words(page)
    assert Rebase.objects.get(series=shifted).withdrawn_by == owner
