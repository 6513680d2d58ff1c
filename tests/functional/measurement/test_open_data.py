"""Charts on other people's websites, and small numbers: what the public sees beside what the owner sees."""

import datetime as dt
import http.server
import json
import re
import threading

import pytest

from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory
from tests.functional.browsing import PHONE, overflow

MONTHS = [7, 12, 41] + [30 + month % 3 for month in range(11)]


@pytest.fixture
def falls(stack):
    """An organisation whose region gives its first month away, and another one."""
    number = int(dt.datetime.now().timestamp() * 1000) % 10**8
    metric = MetricFactory(
        code=f"FT{number}", name="Falls in hospital", of_people=True, multiplier=1000, unit="per 1,000"
    )
    own, other = OrganisationFactory(name=f"Own Trust {number}"), OrganisationFactory(name=f"Other Trust {number}")
    fill(SeriesFactory(metric=metric), [(count + 60, 9000) for count in MONTHS])
    fill(SeriesFactory(metric=metric, organisation=own), [(count, 4000) for count in MONTHS])
    fill(SeriesFactory(metric=metric, organisation=other), [(60, 5000)] * len(MONTHS))
    metric.own = own
    return metric


@pytest.fixture
def another_website():
    """A page of another origin that frames what it is told to."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.server.body.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def framing(code: str) -> str:
        server.body = f"<!doctype html><title>Another trust</title><body>{code}"
        return f"http://127.0.0.1:{server.server_port}/"

    yield framing
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def elsewhere(browser):
    """A window that may load from any origin of this machine."""
    context = browser.new_context(viewport={"width": 700, "height": 900})
    page = context.new_page()
    page.errors = []
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()


def code_to_copy(page, metric) -> str:
    page.goto(f"{metric.get_absolute_url()}?series={metric.own.ods_code or metric.own.slug}")
    page.get_by_text("Use this chart").click()
    return page.locator("code", has_text="<iframe").inner_text()


def test_another_website_shows_the_chart_with_the_code_from_the_page(visit, falls, another_website, elsewhere, axe):
    code = code_to_copy(visit(), falls)

    elsewhere.goto(another_website(code.replace('width="100%"', 'width="300"')))
    frame = elsewhere.frame_locator("iframe")
    frame.get_by_role("heading", name="Falls in hospital").wait_for()

    assert frame.get_by_role("img").first.is_visible()
    assert "Counts of 1 to 7 people are shown as *" in frame.locator("body").inner_text()
    assert frame.locator("main").evaluate("main => document.documentElement.scrollWidth") <= 300
    assert elsewhere.context.cookies() == []
    assert elsewhere.errors == []

    frame.get_by_role("link", name="Data, definition and source").click()
    elsewhere.wait_for_url(f"**{falls.get_absolute_url()}**")  # the whole window, not the frame


def test_the_framed_page_is_accessible_on_a_phone(visit, falls, axe):
    page = visit(PHONE)

    page.goto(f"{falls.get_absolute_url()}embed/")

    axe(page)
    assert overflow(page) <= 0


@pytest.mark.parametrize("path", ["", "enter/"])
def test_another_website_cannot_frame_the_metric_itself(stack, falls, another_website, elsewhere, path):
    address = f"{stack.url}{falls.get_absolute_url()}{path}"

    elsewhere.goto(another_website(f'<iframe src="{address}"></iframe>'))
    elsewhere.wait_for_timeout(500)

    assert "Falls in hospital" not in elsewhere.frames[1].content()
    assert any("frame-ancestors" in error for error in elsewhere.errors)


def test_a_program_in_another_website_may_fetch_the_api_and_not_the_file(stack, falls, another_website, elsewhere):
    elsewhere.goto(another_website("Fetch"))
    fetch = "address => fetch(address).then(answer => answer.text()).catch(() => 'refused')"
    key = falls.own.ods_code or falls.own.slug

    answer = json.loads(elsewhere.evaluate(fetch, f"{stack.url}/api/v1/series/{falls.code}/{key}/points/"))

    assert [point["numerator"] for point in answer["results"]][:3] == [None, 10, 40]
    assert elsewhere.evaluate(fetch, f"{stack.url}/metrics/{falls.code}.json") == "refused"


def numbers_of(page, metric) -> list[list[str]]:
    """The data table, oldest first: period and numbers."""
    page.goto(f"{metric.get_absolute_url()}?series={metric.own.ods_code or metric.own.slug}")
    for summary in page.get_by_text(re.compile("Show .* earlier period")).all():
        summary.click()
    rows = page.locator("table.app-table--numbers tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("td.app-number").all()] for row in rows][::-1]


def test_the_public_sees_stars_and_the_rule_where_the_owner_sees_true_values(visit, falls, make_person, log_in):
    member = make_person()
    AffiliationFactory(user=member, organisation=falls.own)
    public, own = visit(), visit()
    log_in(own, member)

    seen, true = numbers_of(public, falls), numbers_of(own, falls)
    other = falls.series.exclude(organisation=None).exclude(organisation=falls.own).get()
    public_text, own_text = (page.locator("main").inner_text() for page in (public, own))
    public.goto(other.get_absolute_url())

    assert seen[:3] == [["*", "*", "*"], ["10", "4,000", "2.5"], ["40", "4,000", "10.0"]]
    assert [row[:2] for row in true[:3]] == [["7", "4,000"], ["12", "4,000"], ["41", "4,000"]]
    assert "Counts of 1 to 7 people are shown as *, and so are numbers that would reveal one." in public_text
    assert "1 value is hidden because it rests on 1 to 7 people or would reveal such a number." in public_text
    assert "You see the true values" in own_text
    assert "Hidden: rests on 1 to 7 people or would reveal such a number" in public.locator("main").text_content()
    assert own.request.get(public.url).headers["cache-control"].count("no-store")
