"""Data for programs: the file beside a chart, the API and its description, and the page that other sites frame."""

import csv
import datetime as dt
import io
import re

import jsonschema
import pytest
from django.conf import settings as django_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from measurement import actions, openapi, readings
from measurement.models import Annotation, Metric, MetricVersion, Series
from psc_portal.common import public_pages
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def trust():
    return OrganisationFactory(ods_code="RX1", name="Own Trust")


@pytest.fixture
def member(trust):
    return AffiliationFactory(organisation=trust).user


@pytest.fixture
def plan(trust):
    """Metrics of every kind: with and without people, a total, a rare event, a gap, marks, no data, members only."""
    priority = PriorityFactory(title="Falls", slug="falls")
    project = ProjectFactory(is_public=True)
    other = OrganisationFactory(ods_code="RK5", name="Other Trust")
    people = MetricFactory(
        code="PEO1", of_people=True, multiplier=1000, unit="per 1,000", priority=priority, project=project, target=40
    )
    own = [(7 if n % 3 else 41, 9000 + n) for n in range(15)]
    rest = [(11 + n, 9000) for n in range(15)]
    both = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(own, rest, strict=True)]
    for place, rows in ((None, both), (trust, own), (other, rest)):
        fill(SeriesFactory(metric=people, organisation=place), rows)
    MetricVersion.objects.create(
        metric=people, number=2, valid_from=dt.date(2024, 2, 1), operational_definition="Better", numerator="New",
        denominator="Same", reason="Clearer",
    )  # fmt: skip
    Annotation.objects.create(metric=people, date=dt.date(2023, 8, 2), kind="pdsa", text="Tried on one ward")
    plain = MetricFactory(code="PLA1", kind="outcome", target=80)
    fill(SeriesFactory(metric=plain, organisation=trust), [(90, 100), None, (80, 100), (41, 98)])
    event = ValueMetricFactory(code="EVE1", frequency=Metric.Frequency.EVENT)
    fill(SeriesFactory(metric=event), [12], start=dt.date(2025, 3, 17), note="Ward 7")
    SeriesFactory(metric=MetricFactory(code="NON1"))
    MetricFactory(code="NON2")
    fill(SeriesFactory(metric=MetricFactory(code="SEC1", members_only=True), organisation=trust), [(1, 2)])
    return people


def get(client, path, **headers):
    return client.get(path, headers=headers)


def api(client, path="", **query):
    response = client.get(f"/api/v1/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def every(client, path, **query):
    """All results, page after page."""
    found, where = [], f"/api/v1/{path}"
    while where:
        answer = client.get(where, query).json()
        found += answer["results"]
        where = (answer["next"] or "").removeprefix(django_settings.PORTAL_URL)
        query = {}
    return found


# One truth -----------------------------------------------------------------------------------------------------------
def rows_of_table(page: str) -> list[list[str]]:
    """Period, numbers of the data table, oldest first."""
    tables = re.findall(r"Values, newest first.*?</table>|Earlier values.*?</table>", page, re.S)
    rows = []
    for body in re.findall(r"<tbody>(.*?)</tbody>", "".join(tables), re.S):
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S):
            label = re.sub(r"<span.*?</span>", "", re.search(r"<th[^>]*>(.*?)</th>", row, re.S)[1]).strip()
            rows.append([label, *re.findall(r'<td class="app-number">(.*?)</td>', row, re.S)])
    return rows[::-1]


def as_shown(point: dict, reading) -> list[str]:
    """A point of the JSON as the page writes it."""
    stars = "*" if point["is_hidden"] else None

    def text(number):
        return stars or ("" if number is None else f"{number:,}")

    counts = [(reading.numerator_name, "numerator"), (reading.denominator_name, "denominator")]
    decimals = "" if point["value"] is None else f"{point['value']:,.{reading.decimals}f}"
    return [point["period"], *[text(point[name]) for used, name in counts if used], stars or decimals]


def test_page_csv_json_api_and_chart_of_every_public_metric_say_the_same(client, plan):
    compared = 0
    for series in Series.objects.filter(metric__is_public=True).select_related("metric", "organisation"):
        code, query = series.metric.code, {"series": series.key}
        page = client.get(series.metric.get_absolute_url(), query).content.decode()
        file = client.get(reverse("measurement:metric_json", args=[code]), query).json()
        table = b"".join(client.get(reverse("measurement:metric_csv", args=[code]), query).streaming_content).decode()
        picture = client.get(reverse("measurement:metric_svg", args=[code]), query).content.decode()
        embedded = client.get(reverse("measurement:metric_embed", args=[code]), query).content.decode()
        reading = readings.reading(series)
        points = every(client, f"series/{code}/{series.key}/points/", limit=7)
        one = api(client, f"series/{code}/{series.key}/")

        assert points == file["points"]
        assert {name: value for name, value in one.items() if name in file["series"]} == file["series"]
        assert rows_of_table(page) == [as_shown(point, reading) for point in points]
        lines = list(csv.reader(io.StringIO(table.lstrip("\ufeff"))))
        start = next((n for n, line in enumerate(lines) if line[:1] == ["Period"]), 0) + 1
        assert [(line[0], line[3:6]) for line in lines[start:]] == [
            (p["period"], ["*"] * 3 if p["is_hidden"] else ["" if p[n] is None else str(p[n]) for n in NUMBERS])
            for p in points
        ]
        drawn = marks_of(picture)
        assert drawn == (sum(p["value"] is not None for p in points), sum(p["is_hidden"] for p in points))
        assert marks_of(embedded.split("app-chart__narrow")[0]) == drawn
        for text in (page, embedded, picture.replace("&#x27;", "'")):
            assert one["sentence"] in text.replace("&#x27;", "'")
        assert one["sentence"] in table
        compared += len(points)

    assert compared > 40


NUMBERS = ("numerator", "denominator", "value")


def marks_of(svg: str) -> tuple[int, int]:
    """How many values and how many hidden ones are drawn: dots, shapes of special causes, and stars."""
    grey = 'stroke="#4c6272" stroke-width='
    dots = "".join(re.findall(rf'{grey}"[36]" stroke-linecap="round" d="(.*?)"', svg)).count("h.01")
    shapes = re.findall(r'<path fill="#(?:005eb8|b85000|490092)" d="(.*?)"', svg.split("<g transform")[0])
    stars = "".join(re.findall(rf'{grey}"1.5" d="(.*?)"', svg)).count("h8M")
    return dots + sum(shape.count("z") for shape in shapes), stars


def test_the_api_hides_an_organisation_that_the_region_would_give_away(client, plan):
    """RX1 has 41 or 7, RK5 11 to 25, and the region their sum."""
    points = {key: every(client, f"series/PEO1/{key}/points/") for key in ("region", "RX1", "RK5")}

    hidden = {key: [point["is_hidden"] for point in rows] for key, rows in points.items()}
    assert hidden["RX1"] == hidden["RK5"] == [n % 3 != 0 for n in range(15)]
    assert not any(hidden["region"])
    told = [point["numerator"] for rows in points.values() for point in rows if not point["is_hidden"]]
    assert all(number % 5 == 0 for number in told)


# Who is asking -------------------------------------------------------------------------------------------------------
OPEN = [
    "/api/v1/series/PEO1/RX1/",
    "/api/v1/series/PEO1/RX1/points/",
    "/metrics/PEO1/embed/?series=RX1",
    "/api/v1/metrics/",
]


def test_who_is_logged_in_gets_the_same_public_data_as_everybody(client, client_as, plan, member, settings):
    settings.KEEP_PUBLIC_PAGES = True
    for path in OPEN:
        public_pages.forget()
        first = client_as(member).get(path)  # whoever comes first makes the page that is kept
        visitor = client.get(path)

        assert first.status_code == 200
        assert first.content == visitor.content
        assert (first["Cache-Control"], first.cookies) == ("public, max-age=0, must-revalidate", {})
        assert "Cookie" not in first.get("Vary", "")


def test_a_members_page_and_files_are_never_kept_for_the_public(client, client_as, plan, member, settings):
    settings.KEEP_PUBLIC_PAGES = True
    names = ("metric_detail", "metric_csv", "metric_json", "metric_svg")
    for path in (reverse(f"measurement:{name}", args=["PEO1"]) + "?series=RX1" for name in names):
        public_pages.forget()
        own, visitor = client_as(member).get(path), client.get(path)
        told = [b"".join(r.streaming_content) if r.streaming else r.content for r in (own, visitor)]

        assert "no-store" in own["Cache-Control"]
        assert "private" in own["Cache-Control"]
        assert told[0] != told[1]
        assert "no-store" not in visitor.get("Cache-Control", "")


def test_each_file_says_on_which_values_it_rests(client, client_as, plan, member):
    path = reverse("measurement:metric_json", args=["PEO1"])

    public, own = client.get(path, {"series": "RX1"}).json(), client_as(member).get(path, {"series": "RX1"}).json()

    assert (public["series"]["values"], own["series"]["values"]) == ("as published", "true values, not for publication")
    assert "nearest 5" in public["series"]["small_numbers"]
    assert [p["numerator"] for p in own["points"]][:3] == [41, 7, 7]
    assert [p["numerator"] for p in public["points"]][:3] == [40, None, None]
    page = client.get(plan.get_absolute_url()).content.decode()
    assert "You see published values." in page
    assert "Nothing in this metric is hidden or rounded." in client.get("/metrics/PLA1/").content.decode()


def test_the_file_carries_definition_version_rule_set_source_and_licence(client, plan):
    file = client.get("/metrics/PEO1.json").json()

    definition = file["metric"]["definition"]
    assert (definition["version"], definition["text"], definition["valid_from"]) == (2, "Better", "2024-02-01")
    assert file["series"]["rule_set"].startswith("NHS England, Making Data Count")
    assert file["licence"]["name"] == "Open Government Licence v3.0"
    assert {point["definition_version"] for point in file["points"]} == {1, 2}
    assert "Open Government Licence v3.0" in b"".join(client.get("/metrics/PEO1.csv").streaming_content).decode()


def test_what_is_for_members_is_not_in_the_api_nor_framed(client_as, member, plan):
    browser = client_as(member)

    codes = [row["code"] for row in every(browser, "metrics/")]

    assert codes == ["EVE1", "NON1", "NON2", "PEO1", "PLA1"]
    assert browser.get("/metrics/SEC1/").status_code == 200
    assert "Use this chart" not in browser.get("/metrics/SEC1/").content.decode()
    for path in ("metrics/SEC1/", "series/SEC1/RX1/", "series/SEC1/RX1/points/"):
        assert browser.get(f"/api/v1/{path}").status_code == 404
    assert browser.get("/metrics/SEC1/embed/").status_code == 404


def test_who_still_has_to_set_up_a_second_factor_reads_open_data_like_everybody(client, plan):
    client.force_login(UserFactory(staff=True))

    assert client.get("/metrics/PEO1/").status_code == 302
    assert client.get("/api/v1/metrics/").status_code == 200


# Asking --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("metrics/", {}, ["EVE1", "NON1", "NON2", "PEO1", "PLA1"]),
        ("metrics/", {"priority": "falls"}, ["PEO1"]),
        ("metrics/", {"kind": "outcome"}, ["PLA1"]),
        ("metrics/", {"organisation": "rx1"}, ["PEO1", "PLA1"]),
        ("metrics/", {"organisation": "region"}, ["EVE1", "NON1", "PEO1"]),
        ("metrics/", {"organisation": "nowhere"}, []),
        ("series/", {"metric": "peo1"}, ["PEO1", "PEO1", "PEO1"]),
        ("series/", {"organisation": "RX1", "kind": "outcome"}, ["PLA1"]),
        ("series/", {"priority": "falls", "organisation": "RK5"}, ["PEO1"]),
    ],
)
def test_lists_are_filtered(client, plan, path, query, found):
    assert [row.get("code") or row["metric"] for row in every(client, path, **query)] == found


def test_points_are_given_since_a_day(client, plan):
    assert [p["period_start"] for p in every(client, "series/PEO1/region/points/", since="2024-04-15")] == [
        "2024-05-01", "2024-06-01",
    ]  # fmt: skip


def test_the_exact_day_of_an_event_cannot_be_asked_for(client, plan):
    """It fell on 17 March; the public knows March."""
    told = {
        client.get("/api/v1/series/EVE1/region/points/", {"since": day}).content for day in ("2025-03-02", "2025-03-17")
    }

    assert len(told) == 1
    assert [p["period_start"] for p in every(client, "series/EVE1/region/points/", since="2025-03-01")] == [
        "2025-03-01"
    ]


def test_pages_link_to_each_other_and_together_hold_everything_once(client, plan):
    first = api(client, "metrics/", limit=2, kind="process")
    second = client.get(first["next"].removeprefix(django_settings.PORTAL_URL)).json()

    assert (first["count"], first["previous"], second["next"]) == (4, None, None)
    assert [row["code"] for row in first["results"] + second["results"]] == ["EVE1", "NON1", "NON2", "PEO1"]
    assert client.get(second["previous"].removeprefix(django_settings.PORTAL_URL)).json() == first


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("metrics/", {"kind": "nice"}, 400, "kind must be one of outcome, process, balancing"),
        ("metrics/", {"priorty": "falls"}, 400, "There is no query parameter “priorty” here. It takes: priority"),
        ("metrics/", {"limit": "0"}, 400, "limit must be a whole number from 1 to 200"),
        ("metrics/", {"limit": "201"}, 400, "from 1 to 200"),
        ("metrics/", {"page": "-1"}, 400, "page must be a whole number"),
        ("metrics/", {"page": "²"}, 400, "page must be a whole number"),
        ("metrics/", {"page": "9"}, 404, "There is no page 9: the last one is 1."),
        ("metrics/", {"kind": ["outcome", "process"]}, 400, "Give kind once."),
        ("series/PEO1/region/points/", {"since": "soon"}, 400, "since must be a day like 2026-04-01"),
        ("series/PEO1/RK9/", {}, 404, "nothing public"),
        ("metrics/NO1/", {}, 404, "nothing public"),
        ("nonsense", {}, 404, "nothing public"),
        ("", {"x": "1"}, 400, "It takes none."),
    ],
)
def test_a_refusal_is_a_problem_document_that_says_what_to_do(client, plan, path, query, status, words):
    response = client.get(f"/api/v1/{path}", query)

    problem = response.json()
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["instance"]) == (status, f"/api/v1/{path}")
    assert words in problem["detail"]
    assert response["Access-Control-Allow-Origin"] == "*"
    assert_fits(problem, openapi.SCHEMAS["Problem"])


def test_the_api_can_only_be_read(client, plan):
    response = client.post("/api/v1/metrics/", {"code": "X"})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "use GET" in response.json()["detail"]
    assert client.head("/api/v1/metrics/").status_code == 200


def test_any_site_may_fetch_the_api_and_nothing_else(client, plan):
    asked = client.options("/api/v1/metrics/", headers={"Origin": "https://other.example"})

    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "*")
    assert asked["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert client.get("/api/v1/metrics/")["Access-Control-Allow-Origin"] == "*"
    for path in ("/metrics/PEO1.json", "/metrics/PEO1/", "/metrics/PEO1.csv", "/metrics/PEO1/embed/", "/api/"):
        assert "Access-Control-Allow-Origin" not in client.get(path)
    assert "Access-Control-Allow-Credentials" not in asked


def test_an_answer_that_has_not_changed_is_not_sent_again(client, plan, staff_enters):
    first = client.get("/api/v1/series/PLA1/RX1/points/")
    again = get(client, "/api/v1/series/PLA1/RX1/points/", **{"If-None-Match": f'"old", W/{first["ETag"]}'})
    staff_enters()
    changed = get(client, "/api/v1/series/PLA1/RX1/points/", **{"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["Access-Control-Allow-Origin"] == "*"
    assert (changed.status_code, changed.json()["count"]) == (200, 5)


@pytest.fixture
def staff_enters(plan):
    def enter():
        series = Series.objects.get(metric__code="PLA1")
        actions.enter_point(
            series=series, period_start=dt.date(2023, 8, 1), numerator=50, denominator=100, by=UserFactory(staff=True)
        )

    return enter


@pytest.mark.parametrize("count", [1, 3])
def test_lists_of_the_api_run_a_constant_number_of_queries(client, count, django_assert_num_queries):
    for number in range(count):
        metric = MetricFactory(of_people=True, priority=PriorityFactory())
        fill(SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code=f"R{number}")), [(50, 100)] * 3)
    client.get("/api/v1/")

    with django_assert_num_queries(5):
        client.get("/api/v1/metrics/")
    with django_assert_num_queries(6):
        client.get("/api/v1/series/")


# The description -----------------------------------------------------------------------------------------------------
def assert_fits(answer, schema):
    described = {**schema, "components": {"schemas": openapi.SCHEMAS}}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(described, format_checker=checker).validate(answer)


def test_every_answer_keeps_to_the_description(client, plan):
    description = api(client, "openapi.json")
    public = Series.objects.filter(metric__is_public=True).select_related("metric", "organisation")
    checked = []

    for template, path in description["paths"].items():
        schema = path["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        places = [(series.metric.code, series.key) for series in public]
        if "{key}" not in template:
            places.append(("NON2", ""))
        for code, key in places if "{" in template else [("", "")]:
            address = template.replace("{code}", code).replace("{key}", key)
            assert_fits(api(client, address.lstrip("/")), schema)
            checked.append(address)

    assert len(checked) == 3 + 7 + 6 + 6
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_description_names_every_address_and_every_parameter_that_is_taken(client, plan):
    paths = api(client, "openapi.json")["paths"]
    routes = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)).removeprefix("api/v1")
        for pattern in get_resolver("measurement.urls").url_patterns
        if str(pattern.pattern).startswith("api/v1/") and pattern.name not in (None, "api_description")
    }

    assert set(paths) == routes
    for template, path in paths.items():
        path_parameters = [one["name"] for one in path["get"]["parameters"] if one["in"] == "path"]
        assert path_parameters == re.findall(r"{(\w+)}", template)
        query = [one["name"] for one in path["get"]["parameters"] if one["in"] == "query"]
        address = template.replace("{code}", "PEO1").replace("{key}", "RX1")
        refused = client.get(f"/api/v1{address}", {"unknown": "1"}).json()["detail"]
        assert set(re.findall(r"\w+", refused.partition("It takes")[2])) - {"none"} == set(query)


def test_the_page_about_the_api_has_examples_that_run(client, plan):
    page = client.get("/api/").content.decode()

    addresses = re.findall(r"curl &quot;(.*?)&quot;|curl \"(.*?)\"", page)
    assert len(addresses) == 2
    for address in (one or other for one, other in addresses):
        assert client.get(address.replace("&amp;", "&").removeprefix(django_settings.PORTAL_URL)).status_code == 200
    for address in re.findall(r'<a href="(/api/v1/.*?)"', page):
        assert client.get(address).status_code == 200


# Frames --------------------------------------------------------------------------------------------------------------
def policy(response) -> list[str]:
    return re.findall(r"frame-ancestors ([^;]+)", response["Content-Security-Policy"])


def test_the_embeddable_page_is_small_and_sets_no_cookie_and_leads_back(client, plan):
    response = client.get("/metrics/PEO1/embed/", {"series": "RX1"})

    html = response.content.decode()
    assert policy(response) == ["*"]
    assert "X-Frame-Options" not in response
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert (response.cookies, "<script" in html, "<nav" in html) == ({}, False, False)
    assert f'href="{django_settings.PORTAL_URL}/metrics/PEO1/?series=RX1" target="_top"' in html
    assert "Counts of 1 to 7 people are shown as *" in html
    assert len(response.content) < 26_000
    assert client.post("/metrics/PEO1/embed/").status_code == 405
    assert client.get("/metrics/peo1/embed/").url == "/metrics/PEO1/embed/"


def test_the_code_to_copy_stays_whole_whatever_the_metric_is_called(client, trust):
    metric = MetricFactory(code="QUO1", name='Falls "with harm" <b>')
    fill(SeriesFactory(metric=metric, organisation=trust), [(1, 2)])

    page = client.get("/metrics/QUO1/").content.decode()

    shown = re.search(r"<code>(.*?)</code>", page, re.S)[1]
    for mark, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        shown = shown.replace(mark, sign)
    assert shown.startswith(
        f'<iframe src="{django_settings.PORTAL_URL}/metrics/QUO1/embed/?series=RX1" title="Falls &quot;'
    )
    assert shown.count("<") == 2


def addresses(resolver=None, before="") -> list[tuple[str, str]]:
    """Every route of the portal, and an address of it with something in the place of each parameter."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += addresses(entry, route)
        elif isinstance(entry, URLPattern):
            filled = re.sub(r"<slug:code>", "PEO1", route)
            filled = re.sub(r"<int:\w+>|\(\?P<\w+>\\d\+\)", "1", filled)
            filled = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", filled)
            filled = re.sub(r"<\w+(:\w+)?>|\(\?P<.*?>.*?\)|\(.*?\)", "x", filled)
            found.append((route, "/" + re.sub(r"[\^$\\]|\\Z", "", filled)))
    return found


def test_no_other_page_of_the_portal_can_be_framed(client, client_as, plan):
    walked, framed = 0, []
    for browser in (client, client_as(UserFactory(staff=True))):
        for route, address in addresses():
            if "logout" in address or address.startswith("/static"):
                continue
            response = browser.get(address)
            walked += response.status_code == 200
            if response.get("X-Frame-Options") != "DENY" or policy(response) != ["'none'"]:
                framed.append((route, response.status_code))

    assert set(framed) == {("metrics/<slug:code>/embed/", 200)}
    assert walked > 100
