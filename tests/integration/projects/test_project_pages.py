import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import actions
from projects.models import Project
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_kept_pages():
    cache.clear()


def page(client, url, status=200):
    response = client.get(url)
    assert response.status_code == status, url
    return response.content.decode()


# Priorities ----------------------------------------------------------------------------------------------------------
def test_the_must_do_topics_come_first_and_a_priority_without_project_says_so(client):
    PriorityFactory(title="Delirium", position=1)
    PriorityFactory(title="Measurement", position=50, must_do=True)

    html = page(client, "/priorities/")

    assert html.index("Measurement") < html.index("Delirium")
    assert html.count("No project yet") == 2


def test_a_priority_counts_only_the_projects_that_the_visitor_may_see(client, client_as):
    priority = PriorityFactory()
    ProjectFactory(priorities=[priority])
    ProjectFactory(priorities=[priority], is_public=False)

    assert "1 project" in page(client, "/priorities/")
    assert "2 projects" in page(client_as(UserFactory(staff=True)), "/priorities/")


def test_a_priority_shows_its_projects_by_stage_and_hides_what_is_not_public(client):
    priority = PriorityFactory(why_chosen="People asked.", source="The consultation")
    ProjectFactory(title="Seen", priorities=[priority])
    ProjectFactory(title="Hidden one", priorities=[priority], is_public=False)

    html = page(client, priority.get_absolute_url())

    assert "Seen" in html and "Set-up" in html and "The consultation" in html
    assert "Hidden one" not in html


def test_a_priority_with_many_projects_names_ten_a_stage_and_leads_to_all(client):
    priority = PriorityFactory(slug="falls")
    ProjectFactory.create_batch(11, priorities=[priority])

    html = page(client, priority.get_absolute_url())

    assert "All 11 projects at this stage" in html
    assert "priority=falls&amp;stage=set_up" in html


def test_a_past_priority_keeps_its_page_and_a_future_one_is_for_staff_alone(client, client_as):
    past = PriorityFactory(from_date=dt.date(2015, 4, 1), to_date=dt.date(2018, 3, 31))
    future = PriorityFactory(from_date=dt.date(2999, 1, 1))

    assert "no longer a priority" in page(client, past.get_absolute_url())
    page(client, future.get_absolute_url(), 404)
    page(client_as(UserFactory(staff=True)), future.get_absolute_url())


# Who sees a project --------------------------------------------------------------------------------------------------
def test_a_project_that_is_not_public_is_404_but_to_staff_and_its_lead(client, client_as):
    hidden, other = ProjectFactory(is_public=False, title="Hidden one"), ProjectFactory(is_public=False)
    staff, leader = UserFactory(staff=True), UserFactory()
    actions.add_project_lead(project=hidden, user=leader, by=staff)

    for someone in [client, client_as(UserFactory(reviewer=True)), client_as(UserFactory(lead=True))]:
        page(someone, hidden.get_absolute_url(), 404)
        assert "Hidden one" not in page(someone, "/projects/")
        assert "Hidden one" not in page(someone, "/projects/?q=hidden")
        assert "Hidden one" not in page(someone, "/search/?q=hidden")
    for someone in [client_as(staff), client_as(leader)]:
        assert "Hidden one" in page(someone, hidden.get_absolute_url())
        assert "Hidden one" in page(someone, "/projects/")
    page(client_as(leader), other.get_absolute_url(), 404)


def test_a_project_page_shows_a_stopped_projects_reason_history_cycles_and_adoption(client):
    project = ProjectFactory(what_did_not_work="The form was too long.")
    actions.change_stage(project=project, stage="testing", by=None)
    actions.add_pdsa_cycle(
        project=project, title="One ward", starts_on=dt.date(2026, 2, 1), plan="Try it for a week.", by=None
    )
    for month, stage in [(3, "testing"), (5, "stopped")]:
        actions.record_adoption(
            project=project,
            organisation=project.lead_organisation,
            stage=stage,
            since=dt.date(2026, month, 1),
            by=None,
        )
    actions.change_stage(
        project=project, stage="stopped", reason="Nobody had time.", reuse_advice="Keep the form.", by=None
    )

    html = page(client, project.get_absolute_url())

    for words in [
        "Nobody had time.",
        "The form was too long.",
        "Try it for a week.",
        "Testing from 1 March 2026",
        "Level 0 of 5",
        "1 May 2026",
    ]:
        assert words in html


def test_a_text_is_shown_as_text(client):
    project = ProjectFactory(title="<b>x</b>", lay_summary="<script>alert(1)</script> falls \ue000falls")

    for url in [project.get_absolute_url(), "/projects/", "/projects/?q=falls", "/search/?q=falls"]:
        html = page(client, url)
        assert "<script>alert" not in html and "<b>x" not in html


# The list ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def three_projects():
    delirium, falls = PriorityFactory(slug="delirium"), PriorityFactory(slug="older-people")
    lead, partner = OrganisationFactory(slug="lead"), OrganisationFactory(slug="partner")
    first = ProjectFactory(
        title="First",
        priorities=[delirium, falls],
        lead_organisation=lead,
        care_settings=["acute", "care_home"],
        evidence_level=3,
    )
    first.partners.set([partner])
    ProjectFactory(title="Second", priorities=[falls], lead_organisation=partner, care_settings=["acute"])
    actions.change_stage(project=ProjectFactory(title="Third", evidence_level=5), stage="testing", by=None)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["First", "Second", "Third"]),
        ("priority=delirium", ["First"]),
        ("priority=older-people", ["First", "Second"]),
        ("stage=testing", ["Third"]),
        ("setting=acute", ["First", "Second"]),
        ("setting=care_home", ["First"]),
        ("organisation=partner", ["First", "Second"]),
        ("organisation=lead", ["First"]),
        ("evidence=3", ["First", "Third"]),
        ("priority=older-people&evidence=3", ["First"]),
        ("stage=testing&setting=acute", []),
        ("q=second", ["Second"]),
    ],
)
def test_filters_of_the_project_list(client, three_projects, query, titles):
    response = client.get(f"/projects/?{query}")

    assert [project.title for project in response.context["page"]] == titles


def test_each_choice_says_how_many_projects_it_leaves_beside_the_other_filters(client, three_projects):
    fields = client.get("/projects/?setting=acute").context["form"].fields
    labels = {name: dict(field.choices) for name, field in fields.items() if name != "q"}

    assert labels["priority"]["older-people"].endswith("(2)")
    assert labels["stage"]["testing"] == "Testing (0)"
    assert labels["setting"]["care_home"] == "Care home (1)"
    assert labels["organisation"]["partner"].endswith("(2)")
    assert labels["evidence"]["3"].endswith("(1)")


def test_counts_do_not_tell_of_hidden_projects(client, client_as):
    ProjectFactory(is_public=False, care_settings=["hospice"], lead_organisation__name="Secret Partner")

    html = page(client, "/projects/")
    assert "Hospice (0)" in html and "Secret Partner" not in html
    assert "Hospice (1)" in page(client_as(UserFactory(staff=True)), "/projects/")


@pytest.mark.parametrize(
    "query",
    [
        "stage=xyz",
        "priority=no-such",
        "organisation=%00",
        "evidence=99",
        "setting=acute%27%20OR%201=1",
        "q=" + "x" * 5000,
    ],
)
def test_filter_nonsense_gets_a_sentence_and_shows_all(client, three_projects, query):
    response = client.get(f"/projects/?{query}")

    html = response.content.decode()
    assert response.status_code == 200
    assert "There is a problem" in html and "<title>Error: Projects" in html
    assert len(response.context["page"]) == 3


@pytest.mark.parametrize("query", ["q=a%00b", "q=%22unclosed", "q=%26%7C!", "q=the", "page=0", "page=xyz", "page=999"])
def test_odd_searches_and_page_numbers_are_answered(client, three_projects, query):
    assert client.get(f"/projects/?{query}").status_code == 200


def test_found_words_are_marked_and_stems_are_found(client):
    ProjectFactory(title="Falls on wards", lay_summary="When a person falls & nobody sees it.")

    html = page(client, "/projects/?q=falling")

    assert "<mark>Falls</mark> on wards" in html
    assert "<mark>falls</mark> &amp; nobody" in html


def test_a_word_in_the_title_ranks_above_one_in_the_text(client):
    ProjectFactory(title="A", lay_summary="About delirium.")
    ProjectFactory(title="Delirium")

    titles = [project.title for project in client.get("/projects/?q=delirium").context["page"]]

    assert titles == ["Delirium", "A"]


def test_why_a_project_stopped_is_found_by_search(client):
    project = ProjectFactory()
    actions.change_stage(
        project=project, stage="stopped", reason="Mattresses ran out.", reuse_advice="Count them.", by=None
    )

    assert project.title in page(client, "/projects/?q=mattress")


def test_pages_keep_the_filters(client):
    priority = PriorityFactory(slug="falls")
    ProjectFactory.create_batch(21, priorities=[priority])

    html = page(client, "/projects/?priority=falls&stage=set_up")

    assert "priority=falls&amp;stage=set_up&amp;page=2" in html


def test_an_empty_list_offers_a_way_on(client):
    html = page(client, "/projects/?q=nothing+like+this")

    assert "No project fits" in html and "see all projects" in html


@pytest.mark.parametrize(
    ("url", "at_most"),
    [
        ("/projects/?q=project", 5),
        ("/projects/", 5),
        ("/priorities/", 2),
        ("/priorities/one/", 12),
        ("/projects/p/", 20),
    ],
)
def test_pages_run_as_many_queries_for_three_rows_as_for_one(client, url, at_most):
    priority, organisations = PriorityFactory(slug="one"), OrganisationFactory.create_batch(3)

    def add(number):
        project = ProjectFactory(slug="p" if number == 0 else f"p{number}", priorities=[priority])
        project.partners.set([organisations[number]])
        actions.add_driver(project=project, level="primary", text="One", by=None)
        for subject in Project.objects.filter(slug="p"):
            actions.add_pdsa_cycle(project=subject, title="A", starts_on=dt.date(2026, 1, 1), plan="Try.", by=None)
            actions.record_adoption(project=subject, organisation=organisations[number], stage="in_use", by=None)

    def queries():
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            page(client, url)
        return len(captured)

    add(0)
    page(client, url)  # what is asked once in a process
    with_one = queries()
    add(1)
    add(2)

    assert queries() == with_one <= at_most


def test_priorities_stand_in_their_order_the_must_do_topics_first(client):
    for position, title in [(3, "Aspirin"), (1, "Zinc"), (2, "Morphine")]:
        PriorityFactory(title=title, position=position)
    PriorityFactory(title="Measurement", must_do=True, position=9)

    page = client.get("/priorities/")

    assert [priority.title for priority in page.context["must_do_topics"]] == ["Measurement"]
    assert [priority.title for priority in page.context["local_priorities"]] == ["Zinc", "Morphine", "Aspirin"]
