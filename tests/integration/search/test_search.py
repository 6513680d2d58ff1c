"""What is found, in which words, and by whom."""

import datetime as dt
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser

from projects.models import Project
from psc_portal.common import clock
from psc_portal.search import words
from psc_portal.search.finding import A_PAGE, kinds, search
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, SectionFactory, published_report
from tests.factories.content import AnswerFactory, EditionFactory, PageVersionFactory
from tests.factories.measurement import MetricFactory
from tests.factories.pledges import SignUpFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory
from tests.factories.proposals import CallFactory
from tests.factories.search import SynonymFactory

pytestmark = pytest.mark.django_db
VISITOR = AnonymousUser()


def found(text, user=VISITOR, **more):
    return [hit.url for hit in search(text, user=user, **more).hits]


def page_of(client, **query):
    return client.get(f"/search/?{urlencode(query)}").content.decode()


# What is found -------------------------------------------------------------------------------------------------------
def test_everything_public_is_found_by_its_words():
    priority = PriorityFactory(title="Zebra crossings")
    project = ProjectFactory(lay_summary="Zebras help.", priorities=[priority])
    call = CallFactory(about="We look for zebras.")
    metric = MetricFactory(name="Zebras seen")
    sign_up = SignUpFactory(published=True)
    sign_up.statements.filter(pledge__number=1).update(text="We promise zebras.")
    organisation = OrganisationFactory(name="Zebra Trust")
    page = PageVersionFactory(body="A page on zebras.").page
    edition = EditionFactory(body="A document on zebras.")
    AnswerFactory(we_did="We drew a zebra.")
    report = AnnualReportFactory()
    SectionFactory(report=report, text="A year of zebras.")
    published_report(report=report)

    result = search("zebra", user=VISITOR)

    assert {hit.kind for hit in result.hits} == {
        "priority", "project", "call", "metric", "pledge", "organisation", "page", "document", "answer", "report"
    }  # fmt: skip
    assert result.counts == dict.fromkeys({hit.kind for hit in result.hits}, 1)
    urls = {hit.url.split("#")[0] for hit in result.hits}
    for row in (priority, project, call, metric, sign_up, page, edition.document, report):
        assert row.get_absolute_url() in urls
    assert any(organisation.slug in url for url in urls)


def test_endings_of_words_do_not_matter_and_titles_come_first():
    second = ProjectFactory(title="Beds", lay_summary="Patients who fall are found at once.")
    first = ProjectFactory(title="Falling less often")

    assert found("falls") == [first.get_absolute_url(), second.get_absolute_url()]


def test_what_was_found_is_marked_and_nothing_else_is_markup():
    ProjectFactory(title="<b>Falls</b> & more", lay_summary="Some <script>alert('falls')</script> text about falls.")

    hit = search("falls", user=VISITOR).hits[0]

    assert hit.title == "&lt;b&gt;<mark>Falls</mark>&lt;/b&gt; &amp; more"
    assert "<mark>falls</mark>" in hit.snippet
    assert "<script" not in hit.snippet


def test_quotes_or_and_minus_work_as_on_the_web():
    both = ProjectFactory(title="Falls and delirium").get_absolute_url()
    falls = ProjectFactory(title="Falls in hospital").get_absolute_url()
    sepsis = ProjectFactory(title="Sepsis in hospital").get_absolute_url()

    assert set(found('"falls in hospital"')) == {falls}
    assert set(found("falls -delirium")) == {falls}
    assert set(found("delirium OR sepsis")) == {both, sepsis}
    assert set(found("falls hospital")) == {falls}


# Who finds what ------------------------------------------------------------------------------------------------------
def make_what_is_not_public():
    """One thing of each kind that holds the word and is not for visitors."""
    ProjectFactory(title="Secret zebra", is_public=False)
    PriorityFactory(title="Secret zebra to come", from_date=clock.today() + dt.timedelta(days=5))
    CallFactory(title="Secret zebra", draft=True)
    MetricFactory(name="Secret zebra", members_only=True)
    for status in ("draft", "submitted", "returned", "withdrawn"):
        sign_up = SignUpFactory(status=status)
        sign_up.statements.filter(pledge__number=1).update(text="Secret zebra.")
    tomorrow = clock.now() + dt.timedelta(days=1)
    PageVersionFactory(body="Secret zebra", publish_at=tomorrow)
    PageVersionFactory(body="Secret zebra", page__is_published=False)
    EditionFactory(body="Secret zebra", document__is_public=False)
    EditionFactory(body="Secret zebra", published_on=tomorrow.date())
    SectionFactory(text="Secret zebra")


def test_a_visitor_finds_nothing_that_is_not_public(client):
    make_what_is_not_public()
    words.learn_words()

    for text in ("zebra", "zebras", "secret zebra", "zebar", "seccret zebra lion", '"secret zebra"', "zeb"):
        hits = search(text, user=VISITOR).hits
        assert "zebra" not in "".join(hit.title + hit.snippet + hit.url for hit in hits).lower()
        assert "Secret" not in page_of(client, q=text)


def test_staff_find_what_they_may_see_before_it_is_public():
    make_what_is_not_public()

    hits = search("zebra", user=UserFactory(staff=True)).hits

    assert {"project", "priority", "metric"} <= {hit.kind for hit in hits}
    assert not {"pledge", "page", "report"} & {hit.kind for hit in hits}


def test_what_is_hidden_is_gone_from_the_search_at_once():
    project = ProjectFactory(title="Zebra")
    words.learn_words()
    assert found("zebra")

    Project.objects.filter(pk=project.pk).update(is_public=False)

    assert search("zebra", user=VISITOR).hits == []
    assert search("zebbra", user=VISITOR).hits == []  # nor does “did you mean” tell that there was one


# Filters and pages ---------------------------------------------------------------------------------------------------
def test_filters_by_kind_say_how_many_there_are(client):
    for _ in range(3):
        ProjectFactory(title="Zebra")
    MetricFactory(name="Zebra")

    html = page_of(client, q="zebra", kind="project")

    for words_shown in ('All <span class="app-kinds__count">(4)', 'Projects <span class="app-kinds__count">(3)'):
        assert words_shown in html
    assert "3 results" in html
    assert "Metric</strong>" not in html


def test_a_kind_that_there_is_not_shows_everything(client):
    ProjectFactory(title="Zebra")

    assert "1 result" in page_of(client, q="zebra", kind="nonsense")
    assert "1 result" in page_of(client, q="zebra", kind="metric")


def test_results_are_paged_and_each_is_on_one_page_only():
    for number in range(A_PAGE + 5):
        ProjectFactory(title=f"Zebra {number}")

    pages = [found("zebra", page=number) for number in (1, 2)]

    assert [len(page) for page in pages] == [A_PAGE, 5]
    assert not set(pages[0]) & set(pages[1])


@pytest.mark.parametrize("number", ["2", "99", "0", "-1", "x", "9" * 40])
def test_a_page_that_there_is_not_shows_one_that_there_is(client, number):
    for _ in range(A_PAGE + 1):
        ProjectFactory(title="Zebra")

    assert f"{A_PAGE + 1} results" in page_of(client, q="zebra", page=number)


@pytest.mark.parametrize("rows", [1, 30])
def test_a_search_runs_three_queries_however_much_it_finds(rows, django_assert_num_queries):
    for number in range(rows):
        ProjectFactory(title=f"Zebra {number}")
        MetricFactory(name=f"Zebra {number}")

    with django_assert_num_queries(3):
        search("zebra stripes OR zebra", user=VISITOR)


# No result without a way on ------------------------------------------------------------------------------------------
def test_a_mistyped_word_finds_what_was_meant(client):
    project = ProjectFactory(title="Pressure ulcers")
    words.learn_words()

    result = search("presure ulser", user=VISITOR)

    assert [hit.url for hit in result.hits] == [project.get_absolute_url()]
    assert result.instead == "pressure ulcers"
    html = page_of(client, q="presure ulser")
    assert "Did you mean" in html
    assert 'href="?q=pressure+ulcers"' in html


def test_words_that_stand_nowhere_together_find_what_has_some_of_them(client):
    project = ProjectFactory(title="Falls")
    place = OrganisationFactory(name="Lincolnshire Hospitals")

    result = search("falls near Lincoln", user=VISITOR)

    assert result.is_some_words
    assert {hit.url for hit in result.hits} >= {project.get_absolute_url()}
    assert any(place.slug in hit.url for hit in result.hits)
    assert "holds all the words" in page_of(client, q="falls near Lincoln")


def test_nothing_found_leads_on(client):
    html = page_of(client, q="xylophone")

    for address in ("/priorities/", "/projects/", "/metrics/", "/documents/", "/feedback/", "/contact/"):
        assert f'href="{address}"' in html
    assert "Nothing was found" in html


def test_an_empty_search_says_what_can_be_searched(client):
    html = page_of(client, q="  ")

    for many in ("priorities", "metrics", "documents"):
        assert many in html
    assert set(kinds()) >= {"priority", "project", "answer"}


ODD = [
    "x" * 10_000, "falls " * 2_000, "\0", "fa\0lls", "the of and", '"', '""', '"""', "-", "--", "- -", "OR", "-falls",
    "OR OR falls", "😀", "👩‍⚕️ falls", "' OR 1=1 --", "'; DROP TABLE projects_project; --", "%_", "%", "\\", "\\'",
    "a & b | !c:*", "falls:*A", "<->", "falls <2> beds", "()", "((falls)", "سلامة المرضى", "\u202efalls\u202c",
    "\ud800", "ﬃ", "{{ collaborative.name }}", "%(q)s", "%s", "<script>alert(1)</script>", "falls\nbeds\ttoo",
    "!" * 200, '"a b" ' * 50,
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_whatever_is_typed_is_answered(text, client):
    ProjectFactory(title="Falls")
    SynonymFactory()
    words.learn_words()
    typed = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    answer = client.get(f"/search/?{urlencode({'q': typed})}")

    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    search(text, user=VISITOR)


def test_a_search_is_bounded():
    asked = search(" ".join(f"word{number}" for number in range(500)), user=VISITOR).asked

    assert len(asked.text) <= 200
    assert len(asked.pieces) <= 16


def test_only_reading_is_allowed(client):
    assert client.post("/search/", {"q": "falls"}).status_code == 405
