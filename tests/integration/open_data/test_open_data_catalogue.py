"""The catalogue of open data, its files and the package of everything: what is in them, and what never is."""

import csv
import datetime as dt
import hashlib
import io
import json
import re
import zipfile
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from measurement.models import Series
from pledges.models import SignUp
from projects.models import Adoption, Project
from proposals.models import Decision, FeedbackLetter, Proposal
from psc_portal.common import clock, demonstration, registry
from psc_portal.common.public_pages import forget
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.pledges import ProgressUpdateFactory, SignUpFactory
from tests.factories.projects import (
    ConsultationFactory,
    EventFactory,
    OrganisationFactory,
    PriorityFactory,
    ProjectFactory,
    RegistrationFactory,
)
from tests.factories.proposals import CallFactory, ProposalFactory

pytestmark = pytest.mark.django_db

NAMES = [dataset.name for dataset in registry.datasets]
SECRET = "zqsecret"


def content_of(response) -> bytes:
    assert response.status_code == 200, response
    return b"".join(response.streaming_content) if response.streaming else response.content


def text_of(client, name: str) -> str:
    return content_of(client.get(f"/data/{name}.csv")).decode("utf-8-sig")


def rows_of(client, name: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text_of(client, name))))


def zip_of(client) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content_of(client.get("/data/open-data.zip"))))


def tell(proposal, outcome: str, **fields) -> None:
    """Decide and release the letter."""
    staff = UserFactory(staff=True)
    decision = Decision.objects.create(
        proposal=proposal, outcome=outcome, reasons="Because", decided_by=staff, decided_at=clock.now(), **fields
    )
    FeedbackLetter.objects.create(
        decision=decision, written_by=staff, released_at=clock.now(), released_by=staff, sent_text="We say"
    )


@pytest.fixture
def world():
    """Something in every dataset, and beside each row one that nobody may see, marked by a word."""
    trust = OrganisationFactory(name="Own Trust", ods_code="RX1", slug="own-trust", email_domain=f"{SECRET}.example")
    other = OrganisationFactory(name="Other Trust", ods_code="RK5", slug="other-trust")
    falls = PriorityFactory(slug="falls", title="Falls")
    PriorityFactory(title=f"{SECRET} to come", slug="to-come", from_date=clock.today() + dt.timedelta(days=9))
    project = ProjectFactory(
        slug="call", title="=Call", lead_organisation=trust, priorities=[falls],
        lay_summary="Write to ann.lee@trust.example for more.", what_did_not_work="-Cards\nwere, lost",
    )  # fmt: skip
    hidden = ProjectFactory(slug=f"{SECRET}-project", title=SECRET, is_public=False, lead_organisation=trust)
    for stage, day in (("testing", 1), ("in_use", 9)):
        Adoption.objects.create(organisation=other, project=project, stage=stage, since=dt.date(2026, 2, day))
    Adoption.objects.create(organisation=other, project=hidden, stage="in_use", note=SECRET)
    people = MetricFactory(
        code="PEO1", of_people=True, multiplier=1000, unit="per 1,000", priority=falls, project=hidden, target=40
    )
    own = [(7 if n % 3 else 41, 9000 + n) for n in range(15)]
    rest = [(11 + n, 9000) for n in range(15)]
    both = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(own, rest, strict=True)]
    for place, values in ((None, both), (trust, own), (other, rest)):
        fill(SeriesFactory(metric=people, organisation=place), values, note=SECRET)
    members = MetricFactory(code="MEM1", name=SECRET, members_only=True)
    fill(SeriesFactory(metric=members), [(1, 2)])
    published = SignUpFactory(published=True, organisation=trust, signatory_name=f"Ada {SECRET}")
    first, second = published.statements.order_by("pledge__number")[:2]
    type(first).objects.filter(pk=first.pk).update(metric=people)
    type(second).objects.filter(pk=second.pk).update(metric=members)
    for progress in ("under_way", "done"):
        ProgressUpdateFactory(statement=first, progress=progress, by=UserFactory(full_name=SECRET))
    draft = SignUpFactory(submitted=True, organisation=other, aim=SECRET)
    draft.statements.update(text=f"Not yet {SECRET}")
    decided = CallFactory(decided=True, slug="decided", priorities=[falls])
    CallFactory(draft=True, title=SECRET, slug=f"{SECRET}-call")
    funded = ProposalFactory(call=decided, in_assessment=True, title="Funded one", organisation=trust, project=project)
    declined = ProposalFactory(call=decided, in_assessment=True, title=f"{SECRET} declined", lay_summary=SECRET)
    untold = ProposalFactory(call=decided, in_assessment=True, title=f"{SECRET} untold")
    Proposal.objects.filter(pk__in=[funded.pk, untold.pk]).update(status="approved")
    Proposal.objects.filter(pk=declined.pk).update(status="declined")
    tell(funded, "approved", amount=Decimal("1234.50"))
    tell(declined, "declined")
    RegistrationFactory(event=EventFactory(online=True), name=SECRET, email=f"{SECRET}@example.org")
    EventFactory(title=SECRET, status="draft")
    ConsultationFactory(what_was_said=f"{SECRET} before it is decided")
    ConsultationFactory(draft=True, title=SECRET)


# One truth for rows and dictionary -----------------------------------------------------------------------------------
FITS = {
    "string": lambda cell: True,
    "integer": lambda cell: re.fullmatch(r"-?\d+", cell),
    "number": lambda cell: re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell),
    "boolean": lambda cell: cell in {"true", "false"},
    "date": dt.date.fromisoformat,
    "datetime": lambda cell: dt.datetime.strptime(cell, "%Y-%m-%dT%H:%M:%SZ"),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_what_its_dictionary_says(client, world, name):
    dataset = next(one for one in registry.datasets if one.name == name)
    rows = list(csv.reader(io.StringIO(text_of(client, name))))

    assert rows[0] == [column.name for column in dataset.columns]
    assert len(rows) - 1 == dataset.count() > 0
    keys = [tuple(row[rows[0].index(column)] for column in dataset.key) for row in rows[1:]]
    assert len(set(keys)) == len(keys)
    for row in rows[1:]:
        for column, cell in zip(dataset.columns, row, strict=True):
            assert cell or not column.is_always, (column.name, row)
            assert not cell or FITS[column.kind](cell), (column.name, cell)
            assert not cell or not column.choices or cell in column.choices, (column.name, cell)
            assert not cell or column.least is None or float(cell) >= column.least, (column.name, cell)
            assert not cell or column.most is None or float(cell) <= column.most, (column.name, cell)
            assert not cell or not column.is_address or cell.startswith("http"), (column.name, cell)


@pytest.mark.parametrize("dataset", registry.datasets, ids=NAMES)
def test_every_column_has_a_meaning_and_an_example_that_fits_it(dataset):
    for column in dataset.columns:
        assert column.meaning, column.name
        assert column.example, column.name
        assert FITS[column.kind](column.example), column.name
        assert not column.choices or column.example in column.choices, column.name
    assert set(dataset.key) <= set(dataset.header)
    assert len(set(dataset.header)) == len(dataset.header)
    assert len(dataset.summary) >= 50  # what search engines ask of a dataset


def test_what_refers_to_another_dataset_is_found_there(client, world):
    tables = {name: rows_of(client, name) for name in NAMES}
    checked = 0
    for dataset in registry.datasets:
        for column in dataset.columns:
            if column.refers_to:
                there, field = column.refers_to.split(".")
                known = {row[field] for row in tables[there]}
                found = {row[column.name] for row in tables[dataset.name]} - {""}
                assert found <= known, (dataset.name, column.name, found - known)
                checked += len(found)

    assert checked > 12


# What is never in it -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["visitor", "staff"])
def test_nothing_hidden_is_in_any_file_or_page_whoever_asks(client, client_as, world, who):
    asking = client if who == "visitor" else client_as(UserFactory(staff=True))
    archive = zip_of(asking)
    said = {name: archive.read(name).decode() for name in archive.namelist()}
    said |= {name: text_of(asking, name) for name in NAMES}
    said |= {f"page {name}": content_of(asking.get(f"/data/{name}/")).decode() for name in NAMES}
    said["json"] = content_of(asking.get("/data/datapackage.json")).decode()

    people = [one.signatory.email for one in SignUp.objects.all()]
    for name, text in said.items():
        assert SECRET not in text, name
        assert "ann.lee" not in text, name
        assert "meet.example" not in text, name
        assert not [mail for mail in people if mail in text], name
    assert "[e-mail address taken out]" in said["data/projects.csv"]


def test_small_numbers_are_hidden_as_on_the_chart_of_the_metric(client, world):
    rows = [row for row in rows_of(client, "metric-values") if row["metric"] == "PEO1" and row["place"] == "RX1"]
    api = client.get("/api/v1/series/PEO1/RX1/points/?limit=200").json()["results"]

    def number(text):
        return float(text) if text else None

    numbers = ("numerator", "denominator", "value", "centre", "lower_limit", "upper_limit")
    assert [[number(row[name]) for name in numbers] for row in rows] == [
        [point[name] for name in numbers] for point in api
    ]
    hidden = [row for row in rows if row["is_hidden"] == "true"]
    assert len(hidden) >= 10
    assert {(row["numerator"], row["denominator"], row["value"]) for row in hidden} == {("", "", "")}
    assert not [row for row in rows if row["numerator"] and 0 < float(row["numerator"]) <= 7]


def test_a_hidden_project_and_a_members_metric_are_not_named_where_others_hang_on_them(client, world):
    metric = next(row for row in rows_of(client, "metrics") if row["code"] == "PEO1")
    statements = rows_of(client, "pledge-statements")

    assert (metric["project"], metric["priority"]) == ("", "falls")
    assert [row["metric"] for row in statements][:2] == ["PEO1", ""]
    assert [(row["progress"], row["updates"]) for row in statements][:1] == [("done", "2")]


def test_calls_tell_how_many_and_name_only_what_is_funded(client, world):
    CallFactory(closed=True, slug="closed")
    ProposalFactory(call=CallFactory(slug="open"), submitted=True)
    calls = {row["slug"]: row for row in rows_of(client, "calls")}
    funded = rows_of(client, "funded-proposals")

    told = ("received", "eligible", "funded", "awarded")
    assert [calls["decided"][name] for name in told] == ["3", "3", "1", "1234.50"]
    assert [calls["closed"][name] for name in told] == ["0", "", "", ""]
    assert [calls["open"][name] for name in told] == ["", "", "", ""]
    assert [(row["title"], row["awarded"], row["project"]) for row in funded] == [("Funded one", "1234.50", "call")]


def test_text_never_becomes_a_formula_and_lines_stay_in_their_cell(client, world):
    row = rows_of(client, "projects")[0]

    assert row["title"] == "'=Call"
    assert row["what_did_not_work"] == "'-Cards\nwere, lost"


# Files ---------------------------------------------------------------------------------------------------------------
def test_the_package_says_of_every_file_what_is_in_it(client, world):
    archive = zip_of(client)
    package = json.loads(archive.read("datapackage.json"))

    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert re.fullmatch(r"[a-z0-9._-]+", package["name"])
    assert package["licenses"][0]["name"] == "OGL-UK-3.0"
    assert [one["name"] for one in package["resources"]] == NAMES
    for one in package["resources"]:
        content = archive.read(one["path"])
        assert one["path"] == f"data/{one['name']}.csv"
        assert (one["bytes"], one["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
        assert (one["type"], one["format"], one["mediatype"], one["encoding"]) == ("table", "csv", "text/csv", "utf-8")
        header = next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert [field["name"] for field in one["schema"]["fields"]] == header
        assert set(one["schema"]["primaryKey"]) <= set(header)
        for key in one["schema"].get("foreignKeys", []):
            assert key["reference"]["resource"] in NAMES
    assert set(archive.namelist()) == {
        *(f"data/{name}.csv" for name in NAMES), "datapackage.json", "README.md", "LICENCE.txt",
    }  # fmt: skip
    assert "Open Government Licence v3.0" in archive.read("LICENCE.txt").decode()
    readme = archive.read("README.md").decode()
    assert all(f"data/{name}.csv" in readme for name in NAMES)


def test_the_same_data_make_the_same_bytes(client, world):
    first = content_of(client.get("/data/open-data.zip"))
    forget()

    assert content_of(client.get("/data/open-data.zip")) == first

    Project.objects.filter(slug="call").update(aim="Another one")
    forget()

    assert content_of(client.get("/data/open-data.zip")) != first


def test_demonstration_data_are_marked_and_the_package_says_where_the_header_is(client, world):
    demonstration.mark()
    archive = zip_of(client)
    package = json.loads(archive.read("datapackage.json"))

    lines = archive.read("data/priorities.csv").decode("utf-8-sig").splitlines()
    assert demonstration.SENTENCE in lines[0]
    assert lines[1].startswith("slug,")
    assert package["resources"][0]["dialect"]["headerRows"] == [2]
    assert demonstration.SENTENCE in archive.read("README.md").decode()


@pytest.mark.parametrize("path", ["/data/projects.csv", "/data/open-data.zip", "/data/datapackage.json"])
def test_any_site_may_read_a_file_and_asking_again_costs_nothing(client, settings, world, path):
    settings.KEEP_PUBLIC_PAGES = True
    first = client.get(path)
    content_of(first)

    with CaptureQueriesContext(connection) as queries:
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
    asked = client.options(path)

    assert (again.status_code, again.content) == (304, b"")
    assert len(queries) == 0
    assert first["Access-Control-Allow-Origin"] == asked["Access-Control-Allow-Origin"] == "*"
    assert (asked.status_code, client.post(path).status_code) == (204, 405)
    assert "Cookie" not in first.get("Vary", "")

    Project.objects.filter(slug="call").update(aim="Another one", title="Another one")
    PriorityFactory(slug="newer", updated_at=clock.now() + dt.timedelta(hours=1))
    forget()

    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_files_take_the_same_queries_however_many_rows(client, world):
    def queries_of(name) -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(client, name)
        return len(queries)

    def more():
        trust = OrganisationFactory()
        project = ProjectFactory(lead_organisation=trust)
        Adoption.objects.create(organisation=trust, project=project, stage="in_use")
        fill(SeriesFactory(metric=MetricFactory(project=project), organisation=trust), [(1, 2)] * 3)
        ProgressUpdateFactory()
        EventFactory()
        ConsultationFactory()
        tell(ProposalFactory(call=CallFactory(decided=True), in_assessment=True), "approved")
        Proposal.objects.filter(decisions__outcome="approved").update(status="approved")

    demonstration.is_demonstration()  # asked once in ten seconds
    before = {}
    for name in NAMES:
        forget()
        before[name] = queries_of(name)
    more()
    more()
    after = {}
    for name in NAMES:
        forget()
        after[name] = queries_of(name)

    assert after == before
    assert Series.objects.count() == 6
    assert max(after.values()) <= 11


# Pages ---------------------------------------------------------------------------------------------------------------
def structured(response) -> dict:
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', response.text, re.S)[1])


def test_the_catalogue_says_what_there_is_how_fresh_and_under_which_licence(client, settings, world):
    settings.KEEP_PUBLIC_PAGES = True
    forget()
    response = client.get("/data/")

    for dataset in registry.datasets:
        assert f'href="/data/{dataset.name}/"' in response.text
        assert f'href="/data/{dataset.name}.csv"' in response.text
    assert "1 row, last changed" in response.text
    assert django_settings.OPEN_DATA_LICENCE["url"] in response.text
    assert "{{" not in response.text
    found = structured(response)
    assert (found["@type"], len(found["dataset"])) == ("DataCatalog", len(NAMES))
    assert client.get("/data/", headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_an_empty_portal_has_a_catalogue_and_files_with_headers_only(client):
    for name in NAMES:
        assert text_of(client, name).count("\n") >= 1
        assert client.get(f"/data/{name}/").status_code == 200
    assert "Nothing is in it yet" in client.get("/data/").text
    assert zip_of(client).testzip() is None


def test_the_page_of_a_dataset_has_dictionary_preview_and_structured_data(client, world):
    response = client.get("/data/adoption/")

    dataset = next(one for one in registry.datasets if one.name == "adoption")
    for column in dataset.columns:
        assert f"<code>{column.name}</code>" in response.text
    assert "2 rows" in response.text
    assert "2026-02-09" in response.text
    found = structured(response)
    assert found["@type"] == "Dataset"
    assert found["license"] == django_settings.OPEN_DATA_LICENCE["url"]
    assert found["distribution"][0]["contentUrl"] == f"{django_settings.PORTAL_URL}/data/adoption.csv"
    assert client.get("/data/nothing/").status_code == client.get("/data/nothing.csv").status_code == 404


def test_search_sitemap_and_footer_lead_to_the_catalogue(client, world):
    assert 'href="/data/"' in client.get("/search/", {"q": "download datasets"}).text
    sitemap = client.get("/sitemap.xml").text
    assert sitemap.count(f"<loc>{django_settings.PORTAL_URL}/data/</loc>") == 1
    assert f"<loc>{django_settings.PORTAL_URL}/data/projects/</loc>" in sitemap
    assert 'href="/data/"' in client.get("/priorities/").text


def test_another_licence_stands_everywhere(client, settings, world):
    settings.OPEN_DATA_LICENCE = {"id": "CC-BY-4.0", "name": "Creative Commons BY", "url": "https://cc.example/by/"}

    said = [client.get(path).text for path in ("/data/", "/data/projects/", "/data/datapackage.json", "/api/")]
    said.append(zip_of(client).read("LICENCE.txt").decode())

    for text in said:
        assert "https://cc.example/by/" in text
        assert "Open Government Licence" not in text
