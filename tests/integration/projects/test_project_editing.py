import datetime as dt

import pytest
from django.contrib import admin
from django.urls import reverse

from projects import actions
from projects.models import Affiliation, Organisation, Priority, Project, System
from psc_portal.common import registry
from tests.factories.accounts import UserFactory
from tests.factories.projects import (
    AffiliationFactory,
    OrganisationFactory,
    PriorityFactory,
    ProjectFactory,
    SystemFactory,
)

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def project():
    return ProjectFactory(aim="More by May.")


@pytest.fixture
def lead_client(project, staff, client_as):
    return client_as(actions.add_project_lead(project=project, user=UserFactory(), by=staff).user)


def edit_url(project, rest=""):
    return f"{project.get_absolute_url()}edit/{rest}"


def html_of(response):
    return response.content.decode()


# Two people at once --------------------------------------------------------------------------------------------------
def test_the_second_of_two_writers_sees_both_texts_and_covers_up_nothing(lead_client, project, staff):
    page = lead_client.get(edit_url(project))
    texts = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    actions.edit_project(project=project, aim="Theirs: more by June.", by=staff)

    refused = lead_client.post(edit_url(project), texts | {"aim": "Mine: more by July."})

    project.refresh_from_db()
    assert project.aim == "Theirs: more by June."
    assert "Mine: more by July." in html_of(refused)
    assert "Theirs: more by June." in html_of(refused)

    again = {name: refused.context["form"][name].value() or "" for name in refused.context["form"].fields}
    assert lead_client.post(edit_url(project), again).status_code == 302
    assert project.proposed_changes.get().after["aim"] == "Mine: more by July."


def test_saving_twice_with_a_double_click_is_no_conflict(lead_client, project):
    page = lead_client.get(edit_url(project))
    texts = {name: page.context["form"][name].value() or "" for name in page.context["form"].fields}
    texts |= {"aim": "More by July."}

    assert lead_client.post(edit_url(project), texts).status_code == 302
    assert lead_client.post(edit_url(project), texts).status_code == 302


# The edit pages ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rest", ["", "cycle/", "cycle/1/", "adoption/"])
def test_edit_pages_are_for_staff_and_leads_of_that_project(client, client_as, lead_client, staff, project, rest):
    for subject in [project, other := ProjectFactory()]:
        actions.add_pdsa_cycle(project=subject, title="A", starts_on=dt.date(2026, 1, 1), plan="Try.", by=None)

    assert client.get(edit_url(project, rest)).status_code == 302
    for someone in [UserFactory(), UserFactory(reviewer=True), UserFactory(lead=True)]:
        assert client_as(someone).get(edit_url(project, rest)).status_code == 404
    assert lead_client.get(edit_url(other, rest)).status_code == 404
    assert lead_client.post(edit_url(other, rest)).status_code == 404
    for allowed in [lead_client, client_as(staff)]:
        assert allowed.get(edit_url(project, rest)).status_code == 200


def test_a_lead_changes_the_words_and_nothing_else_comes_through(lead_client, project):
    Project.objects.filter(pk=project.pk).update(is_public=False)
    words = {"lay_summary": "New summary.", "aim": "New aim.", "result": "", "what_did_not_work": "Posters."}

    response = lead_client.post(
        edit_url(project), words | {"title": "Mine", "is_public": "", "status": "embedded", "evidence_level": 5}
    )

    assert response.status_code == 302
    before = (project.title, False, project.status, project.evidence_level)
    project.refresh_from_db()
    assert (project.title, project.is_public, project.status, project.evidence_level) == before
    assert (project.aim, project.what_did_not_work) == ("New aim.", "Posters.")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"aim": f"For {NHS_NUMBER}"}, "NHS number in: Aim"),
        ({"aim": ""}, "Enter aim"),
        ({"aim": "word " * 81}, "use 80 words or fewer"),
        ({"aim": "a\0b"}, "Null characters"),
    ],
)
def test_a_refused_change_keeps_what_was_typed(lead_client, project, words, sentence):
    typed = {"lay_summary": "Typed with care.", "aim": "x", "result": "", "what_did_not_work": "Posters."} | words

    response = lead_client.post(edit_url(project), typed)

    html = html_of(response)
    assert response.status_code == 200
    assert sentence in html and "Typed with care." in html and "Posters." in html
    assert "<title>Error:" in html
    project.refresh_from_db()
    assert project.aim == "More by May."


def test_a_lead_adds_a_cycle_and_completes_it_later(lead_client, project):
    started = {"title": "One ward", "starts_on": "2026-03-01", "plan": "Try it.", "prediction": "", "act": ""}
    lead_client.post(edit_url(project, "cycle/"), started)

    done = started | {"happened": "It worked.", "learned": "Go on.", "act": "adopt", "ends_on": "2026-03-14"}
    lead_client.post(edit_url(project, "cycle/1/"), done)

    cycle = project.pdsa_cycles.get()
    assert (cycle.number, cycle.act, cycle.ends_on) == (1, "adopt", dt.date(2026, 3, 14))
    assert "One ward" in html_of(lead_client.get(edit_url(project)))


def test_a_cycle_that_ends_before_it_starts_is_refused_with_the_text_kept(lead_client, project):
    response = lead_client.post(
        edit_url(project, "cycle/"),
        {"title": "One ward", "starts_on": "2026-03-01", "ends_on": "2026-02-01", "plan": "Try it on ward 7."},
    )

    assert "ends before it starts" in html_of(response) and "Try it on ward 7." in html_of(response)


def test_a_cycle_of_another_project_is_not_found_under_this_one(lead_client, project):
    actions.add_pdsa_cycle(project=ProjectFactory(), title="A", starts_on=dt.date(2026, 1, 1), plan="Try.", by=None)

    assert lead_client.get(edit_url(project, "cycle/1/")).status_code == 404


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"organisation": 999999}, "organisation"),
        ({"organisation": "x' OR 1=1"}, "organisation"),
        ({"stage": "everywhere"}, "Choose"),
        ({"since": "2999-01-01"}, "or earlier"),
        ({"since": "soon"}, "must include"),
    ],
)
def test_forged_or_wrong_adoption_is_refused_with_a_sentence(lead_client, project, change, sentence):
    row = {"organisation": OrganisationFactory().pk, "stage": "in_use", "since": "2026-03-01", "note": ""}

    response = lead_client.post(edit_url(project, "adoption/"), row | change)

    assert response.status_code == 200 and sentence in html_of(response)
    assert project.adoptions.count() == 0


def test_a_lead_records_adoption(lead_client, project):
    organisation = OrganisationFactory()

    response = lead_client.post(
        edit_url(project, "adoption/"),
        {"organisation": organisation.pk, "stage": "in_use", "since": "2026-03-01", "note": "Two wards"},
        follow=True,
    )

    assert organisation.name in html_of(response)
    assert project.adoptions.get().stage == "in_use"


# My organisations ----------------------------------------------------------------------------------------------------
def test_a_person_claims_an_organisation_and_staff_see_it_waiting(client_as, staff):
    person, organisation = UserFactory(full_name="Nora Bell"), OrganisationFactory(name="Northern Trust")

    response = client_as(person).post(
        "/my/affiliations/", {"organisation": organisation.pk, "role": "Nurse"}, follow=True
    )

    assert "Claimed, not confirmed" in html_of(response)
    titles = [item.title for item in registry.waiting.collect(staff)]
    assert "Nora Bell says that they belong to Northern Trust" in titles
    for other in [person, UserFactory(lead=True), UserFactory(reviewer=True)]:
        assert "Nora Bell says that they belong to Northern Trust" not in [
            item.title for item in registry.waiting.collect(other)
        ]


def test_my_page_says_where_ones_organisation_stands(staff):
    claim = AffiliationFactory(status="claimed", organisation__name="Northern Trust")

    notes = {item.title: item.note for item in registry.waiting.collect(claim.user)}
    assert "not confirmed" in notes["Northern Trust"]
    assert "Say which organisation you belong to" in [item.title for item in registry.waiting.collect(UserFactory())]
    assert "Say which organisation you belong to" not in [item.title for item in registry.waiting.collect(staff)]


def test_a_second_claim_is_refused_and_keeps_the_role(client_as):
    claim = AffiliationFactory(status="claimed")

    response = client_as(claim.user).post(
        "/my/affiliations/", {"organisation": claim.organisation.pk, "role": "Typed role"}
    )

    assert "already said" in html_of(response) and "Typed role" in html_of(response)


def test_nobody_sees_or_ends_anothers_affiliation(client, client_as):
    affiliation = AffiliationFactory(organisation__name="Their Trust")
    url = reverse("projects:affiliation_end", args=[affiliation.pk])

    assert client.get("/my/affiliations/").status_code == 302
    assert (client_as(UserFactory()).get(url).status_code, client_as(UserFactory()).post(url).status_code) == (404, 404)
    assert "Their Trust" not in html_of(client_as(UserFactory()).get("/my/affiliations/")).split("<form")[0]
    affiliation.refresh_from_db()
    assert affiliation.status == Affiliation.Status.CONFIRMED


def test_ending_ones_affiliation_asks_first_and_a_second_time_is_a_sentence(client_as):
    affiliation = AffiliationFactory()
    client = client_as(affiliation.user)
    url = reverse("projects:affiliation_end", args=[affiliation.pk])

    assert "no longer belong" in html_of(client.get(url))
    client.post(url)
    again = client.post(url, follow=True)

    affiliation.refresh_from_db()
    assert affiliation.status == Affiliation.Status.ENDED
    assert "cannot become" in html_of(again)


# Admin ---------------------------------------------------------------------------------------------------------------
def admin_url(row, verb="change"):
    return reverse(f"admin:projects_{row._meta.model_name}_{verb}", args=[row.pk])


def rows():
    return [
        SystemFactory(),
        OrganisationFactory(),
        AffiliationFactory(status="claimed"),
        PriorityFactory(),
        ProjectFactory(),
    ]


def test_every_admin_page_opens_for_staff_and_is_404_or_log_in_for_others(client_as, staff):
    subjects = rows()
    urls = [admin_url(row) for row in subjects]
    for row in subjects:
        page = admin.site._registry[type(row)]
        urls.append(reverse(f"admin:projects_{row._meta.model_name}_changelist"))
        urls += [page.verb_url(one, row) for one in page.verbs]
        urls += [reverse(f"admin:projects_{row._meta.model_name}_add")] if page.add else []
    staff_client, reviewer, person = client_as(staff), client_as(UserFactory(reviewer=True)), client_as(UserFactory())

    for url in urls:
        assert staff_client.get(url).status_code == 200, url
        assert reviewer.get(url).status_code == 404, url
        assert person.get(url).status_code in {302, 403, 404}, url


def test_staff_add_edit_move_and_publish_a_project_in_the_admin(client_as, staff):
    client, priority, organisation = client_as(staff), PriorityFactory(), OrganisationFactory()
    words = {"title": "Safer handover", "lay_summary": "What.", "aim": "More.", "evidence_level": "2"}
    words |= {"priorities": [priority.pk], "lead_organisation": organisation.pk, "care_settings": ["acute"]}

    client.post(reverse("admin:projects_project_add"), words | {"origin": "core"})
    project = Project.objects.get()
    client.post(admin_url(project, "edit"), words | {"title": "Safer handovers"})
    client.post(admin_url(project, "publish"))
    client.post(admin_url(project, "stage"), {"stage": "testing", "reason": ""})

    project.refresh_from_db()
    page = html_of(client.get(admin_url(project)))
    assert "Acute hospital" in page and f"Testing, by {staff.full_name}" in page
    assert (project.title, project.slug, project.status, project.is_public, project.care_settings) == (
        "Safer handovers",
        "safer-handover",
        Project.Status.TESTING,
        True,
        ["acute"],
    )


def test_stopping_without_reason_in_the_admin_is_a_sentence(client_as, staff, project):
    response = client_as(staff).post(admin_url(project, "stage"), {"stage": "stopped", "reason": ""})

    assert response.status_code == 200 and "Say why it stops" in html_of(response)


def test_a_stage_that_cannot_be_reached_is_not_offered_nor_taken(client_as, staff, project):
    response = client_as(staff).post(admin_url(project, "stage"), {"stage": "embedded"})

    assert response.status_code == 200
    project.refresh_from_db()
    assert project.status == Project.Status.SET_UP


def test_staff_add_and_end_a_project_lead_in_the_admin(client_as, staff, project):
    client, person = client_as(staff), UserFactory()

    client.post(admin_url(project, "add-lead"), {"user": person.pk, "role": "Falls lead"})
    row = project.leads.get()
    assert row.role == "Falls lead"
    client.post(admin_url(project, "end-lead"), {"project_lead": row.pk})

    row.refresh_from_db()
    assert row.to_date is not None
    assert not Project.objects.led_by(person).exists()


def test_staff_edit_a_must_do_topic_but_are_not_offered_to_retire_it(client_as, staff):
    topic, client = PriorityFactory(must_do=True), client_as(staff)
    words = {"title": topic.title, "summary": "Better.", "position": 1, "from_date": "2014-10-14"}

    client.post(admin_url(topic, "edit"), words)

    topic.refresh_from_db()
    assert topic.summary == "Better."
    assert "/retire/" not in html_of(client.get(admin_url(topic)))
    assert "stays a priority" in html_of(client.post(admin_url(topic, "retire"), {"to_date": "2026-03-01"}))
    assert client.get(reverse("admin:projects_priority_delete", args=[topic.pk])).status_code in {403, 404}


def test_staff_add_rename_and_confirm_in_the_admin(client_as, staff):
    client = client_as(staff)
    client.post(reverse("admin:projects_system_add"), {"code": "q1", "name": "A system"})
    client.post(
        reverse("admin:projects_organisation_add"),
        {"name": "Old Name", "kind": "trust", "ods_code": "r1", "system": System.objects.get().pk},
    )
    organisation = Organisation.objects.get()
    client.post(admin_url(organisation, "rename"), {"name": "New Name"})
    claim = AffiliationFactory(status="claimed", organisation=organisation)
    client.post(admin_url(claim, "confirm"))

    organisation.refresh_from_db()
    claim.refresh_from_db()
    assert (organisation.name, organisation.former_names, organisation.ods_code) == ("New Name", ["Old Name"], "R1")
    assert (claim.status, claim.confirmed_by) == (Affiliation.Status.CONFIRMED, staff)


def test_a_new_local_priority_comes_from_the_admin(client_as, staff):
    client_as(staff).post(
        reverse("admin:projects_priority_add"),
        {"title": "Sepsis", "summary": "Early.", "position": 5, "from_date": "2026-04-01"},
    )

    assert (Priority.objects.get().slug, Priority.objects.get().kind) == ("sepsis", "local")


# Thread, search ------------------------------------------------------------------------------------------------------
def steps(thread):
    return {step.kind: [item.title for item in step.items] for step in thread if step.items}


def test_the_thread_joins_priority_and_project_both_ways_and_hides_what_is_not_public(staff):
    priority = PriorityFactory(title="Falls")
    project = ProjectFactory(title="Handrails", priorities=[priority])
    ProjectFactory(title="Hidden", priorities=[priority], is_public=False)
    visitor = UserFactory()

    assert steps(registry.thread_of("priority", priority.pk, user=visitor))["project"] == ["Handrails"]
    assert steps(registry.thread_of("priority", priority.pk, user=staff))["project"] == ["Handrails", "Hidden"]
    assert steps(registry.thread_of("project", project.pk, user=visitor))["priority"] == ["Falls"]
    known = {"priority": [priority.pk], "project": [project.pk]}
    assert steps(registry.thread_of("metric", 1, user=visitor, known=known)) == {
        "priority": ["Falls"],
        "project": ["Handrails"],
    }


def test_the_site_search_finds_priorities_projects_and_organisations(client):
    PriorityFactory(title="Delirium", summary="Sudden confusion.")
    ProjectFactory(title="Delirium screen")
    OrganisationFactory(name="Teaching Trust", slug="teaching", former_names=["Delirium Hospital"])

    html = html_of(client.get("/search/?q=delirium")).replace("<mark>", "").replace("</mark>", "")

    assert "/priorities/" in html and "Delirium screen" in html
    assert "/projects/?organisation=teaching" in html and "Formerly Delirium Hospital" in html
