import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied

from projects import actions
from projects.models import Adoption, Affiliation, Project, ProjectLead
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def project():
    return ProjectFactory()


@pytest.fixture
def leader(project, staff):
    return actions.add_project_lead(project=project, user=UserFactory(), by=staff).user


def words(**changes):
    """The least that a new project needs."""
    return {
        "title": "Safer handover",
        "lay_summary": "What it is.",
        "aim": "More by next year.",
        "priorities": [PriorityFactory()],
        "lead_organisation": OrganisationFactory(),
    } | changes


def verbs():
    return [event.verb for event in AuditEvent.objects.order_by("pk")]


# Creating ------------------------------------------------------------------------------------------------------------
def test_create_project_makes_it_in_set_up_hidden_with_slug_and_audit_event(staff):
    lead, partner = OrganisationFactory.create_batch(2)

    project = actions.create_project(**words(lead_organisation=lead, partners=[partner, lead]), by=staff)

    assert (project.slug, project.status, project.is_public) == ("safer-handover", Project.Status.SET_UP, False)
    assert list(project.partners.all()) == [partner]
    assert verbs() == ["create_project"]
    assert AuditEvent.objects.get().after["lay_summary"] == "(3 words)"


def test_two_projects_of_one_title_get_two_slugs_and_a_reserved_word_is_none(staff):
    slugs = [actions.create_project(**words(title=title), by=staff).slug for title in ["Edit", "Falls", "Falls"]]

    assert slugs == ["edit-project", "falls", "falls-2"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"priorities": []}, "at least one priority"),
        ({"title": " "}, "Title: enter"),
        ({"title": "x" * 161}, "Title: use 160 characters"),
        ({"lay_summary": f"Mr A, {NHS_NUMBER}"}, "Lay summary"),
        ({"evidence_level": 6}, "Evidence level: choose"),
    ],
)
def test_create_project_refuses_bad_input_and_stores_nothing(staff, changes, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        actions.create_project(**words(**changes), by=staff)

    assert (Project.objects.count(), verbs()) == (0, [])


@pytest.mark.parametrize("who", [{}, {"reviewer": True}, {"lead": True}])
def test_only_programme_staff_create_projects(who):
    with pytest.raises(PermissionDenied):
        actions.create_project(**words(), by=UserFactory(**who))


# Editing -------------------------------------------------------------------------------------------------------------
def test_a_project_lead_edits_the_words_of_an_unpublished_project_but_not_its_facts(project, leader):
    type(project).objects.filter(pk=project.pk).update(is_public=False)
    project.refresh_from_db()
    actions.edit_project(project=project, aim="Fewer by May.", by=leader)

    with pytest.raises(PermissionDenied):
        actions.edit_project(project=project, aim="Fewer.", evidence_level=5, by=leader)
    project.refresh_from_db()
    assert (project.aim, project.evidence_level) == ("Fewer by May.", 0)


def test_who_no_longer_leads_edits_no_more(project, leader, staff):
    actions.end_project_lead(project=project, project_lead=project.leads.get(), by=staff)

    with pytest.raises(PermissionDenied):
        actions.edit_project(project=project, aim="Fewer by May.", by=leader)
    assert ProjectLead.objects.current().count() == 0


def test_a_lead_of_one_project_does_not_edit_another(leader):
    with pytest.raises(PermissionDenied):
        actions.edit_project(project=ProjectFactory(), aim="Mine.", by=leader)


def test_a_partner_that_becomes_the_lead_organisation_is_no_longer_a_partner(project, staff):
    first, second = project.lead_organisation, OrganisationFactory()
    actions.edit_project(project=project, partners=[first, second], by=staff)

    actions.edit_project(project=project, lead_organisation=second, by=staff)

    assert list(project.partners.all()) == []


def test_a_retitled_project_keeps_its_address(project, staff):
    slug = project.slug

    actions.edit_project(project=project, title="Another name", by=staff)

    project.refresh_from_db()
    assert (project.title, project.slug) == ("Another name", slug)


# Stages --------------------------------------------------------------------------------------------------------------
def test_stopping_keeps_the_reason_the_day_and_the_history(project, staff):
    actions.change_stage(project=project, stage="testing", by=staff)

    actions.change_stage(
        project=project, stage="stopped", reason="No time on the wards.", reuse_advice="Keep the form.", by=staff
    )

    project.refresh_from_db()
    assert (project.status, project.stopped_reason, project.ends_on) == (
        Project.Status.STOPPED,
        "No time on the wards.",
        clock.today(),
    )
    assert [str(change) for change in project.status_changes.all()] == ["set_up → testing", "testing → stopped"]


@pytest.mark.parametrize(
    ("stage", "reason", "advice", "sentence"),
    [
        ("stopped", " ", "Keep it.", "why it stops"),
        ("stopped", "No time.", " ", "another place could take"),
        ("stopped", f"Mrs B {NHS_NUMBER}", "Keep it.", "Why it stopped"),
        ("embedded", "", "", "cannot become"),
        ("xyz", "", "", "choose one"),
    ],
)
def test_a_stage_that_may_not_be_is_refused_and_changes_nothing(project, staff, stage, reason, advice, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        actions.change_stage(project=project, stage=stage, reason=reason, reuse_advice=advice, by=staff)

    project.refresh_from_db()
    assert (project.status, project.stopped_reason, list(project.status_changes.all())) == ("set_up", "", [])


def test_a_project_lead_does_not_move_the_stage(project, leader):
    with pytest.raises(PermissionDenied):
        actions.change_stage(project=project, stage="testing", by=leader)


def test_every_status_has_its_transitions():
    for model in [Project, Affiliation]:
        assert set(model.TRANSITIONS) == set(model.Status)


def test_a_stopped_project_cannot_be_hidden(project, staff):
    actions.change_stage(project=project, stage="stopped", reason="It did not help.", reuse_advice="Nothing.", by=staff)

    with pytest.raises(ActionRefused, match="stays public"):
        actions.hide_project(project=project, by=staff)


# Leads ---------------------------------------------------------------------------------------------------------------
def test_a_person_leads_a_project_once_at_a_time(project, leader, staff):
    with pytest.raises(ActionRefused, match="leads the project already"):
        actions.add_project_lead(project=project, user=leader, by=staff)

    actions.end_project_lead(project=project, project_lead=project.leads.get(), by=staff)
    actions.add_project_lead(project=project, user=leader, by=staff)
    assert ProjectLead.objects.current().get().user == leader


# Adoption and cycles -------------------------------------------------------------------------------------------------
def test_adoption_keeps_each_day_and_the_same_day_again_corrects_it(project, leader):
    organisation = OrganisationFactory()
    for stage in ["interested", "testing"]:
        actions.record_adoption(
            project=project, organisation=organisation, stage=stage, since=dt.date(2026, 3, 1), by=leader
        )
    actions.record_adoption(
        project=project, organisation=organisation, stage="in_use", since=dt.date(2026, 5, 1), by=leader
    )

    assert [(row.since.month, row.stage) for row in Adoption.objects.all()] == [(3, "testing"), (5, "in_use")]


def test_adoption_in_the_future_is_refused(project, leader):
    with pytest.raises(ActionRefused, match="future"):
        actions.record_adoption(
            project=project, organisation=OrganisationFactory(), stage="in_use", since=dt.date(2999, 1, 1), by=leader
        )


def test_cycles_are_numbered_within_their_project_and_completed_later(project, leader):
    cycle = {"starts_on": dt.date(2026, 3, 1), "plan": "Try it on one ward."}
    first = actions.add_pdsa_cycle(project=project, title="One", **cycle, by=leader)
    second = actions.add_pdsa_cycle(project=project, title="Two", **cycle, by=leader)

    actions.edit_pdsa_cycle(pdsa_cycle=first, happened="It worked.", learned="Go on.", act="adopt", by=leader)

    first.refresh_from_db()
    assert (first.number, second.number, first.act) == (1, 2, "adopt")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_on": dt.date(2026, 2, 1)}, "ends before it starts"),
        ({"act": "adopt"}, "what you learned"),
        ({"plan": ""}, "enter some text"),
        ({"learned": NHS_NUMBER}, "NHS number"),
    ],
)
def test_a_cycle_that_makes_no_sense_is_refused(project, leader, changes, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        actions.add_pdsa_cycle(
            **{"project": project, "title": "One", "starts_on": dt.date(2026, 3, 1), "plan": "Try it."} | changes,
            by=leader,
        )


def test_a_driver_hangs_only_on_one_of_its_own_project(project, leader):
    foreign = actions.add_driver(project=ProjectFactory(), level="primary", text="Elsewhere", by=None)

    with pytest.raises(ActionRefused, match="another project"):
        actions.add_driver(project=project, level="secondary", text="Here", parent=foreign, by=leader)


# Priorities ----------------------------------------------------------------------------------------------------------
def test_a_must_do_topic_can_be_edited_but_not_retired_or_hidden(staff):
    topic = PriorityFactory(must_do=True)

    actions.edit_priority(priority=topic, summary="Better words.", by=staff)

    for refused in [
        lambda: actions.retire_priority(priority=topic, to_date=clock.today(), by=staff),
        lambda: actions.edit_priority(priority=topic, from_date=dt.date(2999, 1, 1), by=staff),
        lambda: actions.edit_priority(priority=topic, kind="local", by=staff),
    ]:
        with pytest.raises(ActionRefused):
            refused()
    topic.refresh_from_db()
    assert (topic.summary, topic.is_current, topic.is_must_do) == ("Better words.", True, True)


def test_a_local_priority_is_retired_on_a_day_and_stays(staff):
    priority = PriorityFactory(from_date=dt.date(2020, 1, 1))

    actions.retire_priority(priority=priority, to_date=dt.date(2024, 3, 31), by=staff)

    priority.refresh_from_db()
    assert not priority.is_current
    assert verbs() == ["retire_priority"]


def test_two_priorities_of_one_name_are_refused_with_a_sentence(staff):
    actions.create_priority(title="Sepsis", summary="Early.", by=staff)

    with pytest.raises(ActionRefused, match="already a priority of this name"):
        actions.create_priority(title="Sepsis", summary="Again.", by=staff)


def test_a_priority_cannot_end_before_it_began(staff):
    priority = PriorityFactory(from_date=dt.date(2020, 1, 1))

    with pytest.raises(ActionRefused, match="last day is before the first"):
        actions.retire_priority(priority=priority, to_date=dt.date(2019, 3, 31), by=staff)


# Organisations -------------------------------------------------------------------------------------------------------
def test_a_renamed_organisation_keeps_its_address_and_is_found_by_its_former_name(staff):
    organisation = OrganisationFactory(name="United Hospitals")
    slug = organisation.slug

    actions.rename_organisation(organisation=organisation, name="United Teaching Trust", by=staff)

    organisation.refresh_from_db()
    assert (organisation.slug, organisation.former_names) == (slug, ["United Hospitals"])
    assert list(type(organisation).objects.matching("hospitals")) == [organisation]


def test_an_ods_code_belongs_to_one_organisation(staff):
    actions.create_organisation(name="One", ods_code="rx9", by=staff)

    with pytest.raises(ActionRefused, match="ODS code"):
        actions.create_organisation(name="Two", ods_code="RX9", by=staff)
    assert actions.create_organisation(name="Three", ods_code="", by=staff).ods_code is None


# Affiliations --------------------------------------------------------------------------------------------------------
def test_a_claim_is_confirmed_by_staff_and_the_person_gets_a_mail(staff):
    person, organisation = UserFactory(), OrganisationFactory()
    claim = actions.claim_affiliation(organisation=organisation, role="Nurse", by=person)
    assert list(type(organisation).objects.of_member(person)) == []

    actions.confirm_affiliation(affiliation=claim, by=staff)

    assert list(type(organisation).objects.of_member(person)) == [organisation]
    assert OutboxMessage.objects.get(kind="mail").to == [person.email]
    assert verbs() == ["create_affiliation", "affiliation_confirmed"]


@pytest.mark.parametrize("who", [{}, {"reviewer": True}, {"lead": True}])
def test_only_staff_confirm_and_nobody_confirms_their_own_claim(who, staff):
    claim = AffiliationFactory(status="claimed")
    own = AffiliationFactory(status="claimed", user=staff)

    for affiliation, by in [(claim, UserFactory(**who)), (claim, claim.user), (own, staff)]:
        with pytest.raises(PermissionDenied):
            actions.confirm_affiliation(affiliation=affiliation, by=by)


def test_a_second_claim_to_one_organisation_is_refused(staff):
    claim = AffiliationFactory(status="claimed")

    with pytest.raises(ActionRefused, match="already said"):
        actions.claim_affiliation(organisation=claim.organisation, role="Nurse", by=claim.user)


def test_a_declined_claim_can_be_made_again_but_not_confirmed(staff):
    claim = AffiliationFactory(status="claimed")
    actions.decline_affiliation(affiliation=claim, by=staff)

    with pytest.raises(ActionRefused, match="cannot become"):
        actions.confirm_affiliation(affiliation=claim, by=staff)
    actions.claim_affiliation(organisation=claim.organisation, role="Nurse", by=claim.user)
    assert Affiliation.objects.claimed().count() == 1


def test_an_ended_affiliation_is_no_membership_and_only_self_or_staff_end_it(staff):
    affiliation = AffiliationFactory()
    with pytest.raises(PermissionDenied):
        actions.end_affiliation(affiliation=affiliation, by=UserFactory())

    actions.end_affiliation(affiliation=affiliation, by=affiliation.user)

    assert (affiliation.status, affiliation.to_date) == (Affiliation.Status.ENDED, clock.today())
    assert list(Affiliation.objects.current()) == []


def test_a_closed_organisation_cannot_be_claimed():
    closed = OrganisationFactory(closed_on=dt.date(2020, 1, 1))

    with pytest.raises(ActionRefused, match="has closed"):
        actions.claim_affiliation(organisation=closed, role="Nurse", by=UserFactory())
