"""What a lead proposes for a public page, what staff answer, and the words that are pointed out."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from projects import actions
from projects.models import ProposedChange
from psc_portal.common import registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import ProjectFactory

pytestmark = pytest.mark.django_db
Status = ProposedChange.Status
TEXTS = {"lay_summary": "What it is.", "aim": "Fewer by May.", "result": "", "what_did_not_work": ""}


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def project():
    return ProjectFactory(aim="More by May.", lay_summary="What it is.", evidence_level=2)


@pytest.fixture
def lead(project, staff):
    return actions.add_project_lead(project=project, user=UserFactory(), by=staff).user


def url(name, project, *rest):
    return reverse(f"projects:{name}", args=[project.slug, *rest])


def admin_url(change, verb):
    return reverse(f"admin:projects_proposedchange_{verb}", args=[change.pk])


def html_of(response):
    return response.content.decode()


# Texts ---------------------------------------------------------------------------------------------------------------
def test_a_leads_words_wait_and_the_public_page_stays(client_as, lead, project):
    client = client_as(lead)

    response = client.post(url("project_edit", project), TEXTS, follow=True)

    change = project.proposed_changes.get()
    public = html_of(Client().get(project.get_absolute_url()))
    assert (change.status, change.before["aim"], change.after["aim"]) == ("waiting", "More by May.", "Fewer by May.")
    assert "More by May." in public and "Fewer by May." not in public
    assert "Waiting for approval" in html_of(response) and "Fewer by May." in html_of(response)
    assert OutboxMessage.objects.filter(subject__startswith="A change to check").count() == 1


def test_staff_read_old_beside_new_and_approve_what_they_read(client_as, lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)
    client = client_as(staff)

    page = client.get(admin_url(change, "approve"))
    seen = page.context["form"]["seen"].value()
    client.post(admin_url(change, "approve"), {"seen": seen})

    assert "<del>" in html_of(page) and "<ins>" in html_of(page)
    project.refresh_from_db()
    assert project.aim == "Fewer by May."
    assert "Fewer by May." in html_of(Client().get(project.get_absolute_url()))
    assert OutboxMessage.objects.get(subject__startswith="Your change is public").to == [lead.email]


def test_what_was_changed_after_staff_read_it_is_not_approved_unread(lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)
    seen = change.mark_beside({name: getattr(project, name) for name in change.after})
    actions.propose_texts(project=project, aim="None by May.", by=lead)

    with pytest.raises(ActionRefused, match="Read both again"):
        actions.approve_change(proposed_change=change, seen=seen, by=staff)

    project.refresh_from_db()
    assert project.aim == "More by May."


def test_approving_keeps_what_staff_changed_elsewhere_meanwhile(lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)
    actions.edit_project(project=project, lay_summary="Better words.", by=staff)

    actions.approve_change(proposed_change=change, by=staff)

    project.refresh_from_db()
    assert (project.aim, project.lay_summary) == ("Fewer by May.", "Better words.")


def test_a_returned_change_keeps_its_words_and_its_reason_and_is_sent_again(client_as, lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)

    client_as(staff).post(admin_url(change, "return"), {"reason": "Say for whom."})

    client = client_as(lead)
    page = html_of(client.get(url("project_edit", project)))
    assert "Say for whom." in page and "Fewer by May." in page
    assert "Say for whom." in OutboxMessage.objects.get(subject__startswith="Your change came back").body
    client.post(url("project_edit", project), TEXTS | {"aim": "Fewer falls for patients by May."})
    change.refresh_from_db()
    assert (change.status, change.after["aim"]) == ("waiting", "Fewer falls for patients by May.")


def test_sending_back_needs_a_reason(client_as, lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)

    with pytest.raises(ActionRefused, match="why it goes back"):
        actions.return_change(proposed_change=change, reason=" ", by=staff)

    change.refresh_from_db()
    assert change.status == Status.WAITING


def test_a_double_click_sends_one_change_and_one_mail(client_as, lead, project):
    client = client_as(lead)
    typed = TEXTS | {"seen": project.edit_mark}

    assert client.post(url("project_edit", project), typed).status_code == 302
    assert client.post(url("project_edit", project), typed).status_code == 302

    assert project.proposed_changes.count() == 1
    assert OutboxMessage.objects.filter(subject__startswith="A change to check").count() == 1


def test_a_change_that_says_the_same_is_a_sentence(client_as, lead, project):
    response = client_as(lead).post(url("project_edit", project), TEXTS | {"aim": "More by May."})

    assert "shows already" in html_of(response)


def test_a_change_is_taken_back_and_stays_on_record(client_as, lead, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)

    client_as(lead).post(url("change_withdraw", project, change.pk))

    change.refresh_from_db()
    assert (change.status, change.after["aim"]) == ("withdrawn", "Fewer by May.")


@pytest.mark.parametrize("who", ["nobody", "stranger", "lead of another", "reviewer"])
def test_others_neither_see_nor_touch_a_proposed_change(client_as, lead, staff, project, who):
    change = actions.propose_texts(project=project, aim="Secretly fewer.", by=lead)
    other = ProjectFactory()
    users = {
        "stranger": UserFactory(),
        "lead of another": actions.add_project_lead(project=other, user=UserFactory(), by=staff).user,
        "reviewer": UserFactory(reviewer=True),
    }
    client = client_as(users[who]) if who in users else Client()

    for address in [url("project_edit", project), url("drivers_edit", project), admin_url(change, "approve")]:
        assert "Secretly" not in html_of(client.get(address))
    client.post(url("change_withdraw", project, change.pk))
    client.post(url("change_withdraw", other, change.pk))
    client.post(admin_url(change, "approve"), {})

    change.refresh_from_db()
    assert change.status == Status.WAITING


def test_a_lead_does_not_approve_their_own(lead, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)

    for action, more in [(actions.approve_change, {}), (actions.return_change, {"reason": "No."})]:
        with pytest.raises(PermissionDenied):
            action(proposed_change=change, by=lead, **more)


def test_staff_edit_straight_and_leads_of_an_unpublished_project_too(lead, staff, project):
    actions.edit_project(project=project, aim="By staff.", by=staff)
    with pytest.raises(PermissionDenied):
        actions.edit_project(project=project, aim="By lead.", by=lead)
    actions.hide_project(project=project, by=staff)

    actions.edit_project(project=project, aim="By lead.", by=lead)

    project.refresh_from_db()
    assert project.aim == "By lead."


def test_both_sides_see_on_their_page_what_waits(lead, staff, project):
    change = actions.propose_texts(project=project, aim="Fewer by May.", by=lead)

    def sections(user):
        return {item.section: item.note for item in registry.waiting.collect(user)}

    assert "Changes to approve" in sections(staff)
    assert sections(lead)["Your proposed changes"] == "Waiting for approval"
    actions.return_change(proposed_change=change, reason="Say for whom.", by=staff)
    assert "Say for whom." in sections(lead)["Your proposed changes"]
    assert "Changes to approve" not in sections(staff)


# Words that claim a cause --------------------------------------------------------------------------------------------
def test_a_claim_beyond_the_evidence_is_pointed_out_and_can_be_kept(client_as, lead, project):
    client = client_as(lead)
    typed = TEXTS | {"result": "The check led to fewer falls."}

    warned = client.post(url("project_edit", project), typed)

    html = html_of(warned)
    assert not project.proposed_changes.exists()
    assert "“led to” claims more than evidence level 2 carries" in html and "“after”" in html
    assert "The check led to fewer falls." in html and 'name="keep_words"' in html
    assert client.post(url("project_edit", project), typed | {"keep_words": "on"}).status_code == 302
    assert project.proposed_changes.get().after["result"] == "The check led to fewer falls."


def test_no_box_is_shown_where_nothing_is_claimed(client_as, lead, project):
    client = client_as(lead)

    assert 'name="keep_words"' not in html_of(client.get(url("project_edit", project)))
    refused = client.post(url("project_edit", project), TEXTS | {"result": "After it there were fewer.", "aim": ""})
    assert 'name="keep_words"' not in html_of(refused)


def test_staff_see_at_approval_which_words_claim_a_cause(client_as, lead, staff, project):
    change = actions.propose_texts(project=project, result="It proved that huddles work.", by=lead)

    assert "“proved” claims more than" in html_of(client_as(staff).get(admin_url(change, "approve")))


def test_the_admin_warns_by_the_level_that_is_typed(client_as, staff, project):
    address = reverse("admin:projects_project_edit", args=[project.pk])
    typed = TEXTS | {
        "title": project.title,
        "result": "Fewer because of the check.",
        "evidence_level": 2,
        "lead_organisation": project.lead_organisation_id,
        "priorities": [project.priorities.get().pk],
    }
    client = client_as(staff)

    assert "“because of” claims more than evidence level 2" in html_of(client.post(address, typed))
    assert client.post(address, typed | {"evidence_level": 4}).status_code == 302


# The driver diagram --------------------------------------------------------------------------------------------------
def add(client, project, level, **box):
    return client.post(url("driver_add", project, level), box)


def test_a_lead_draws_a_diagram_and_it_is_public_when_staff_approve(client_as, lead, staff, project):
    client = client_as(lead)
    add(client, project, "primary", text="Risk found early")
    add(client, project, "primary", text="Risk acted on")
    add(client, project, "secondary", text="Everyone is asked", parent="n1", also=["n2"])
    client.post(url("driver_move", project, "n2", "up"))
    change = project.proposed_changes.get()
    assert (change.status, project.drivers.count()) == ("draft", 0)

    client.post(url("drivers_send", project))
    page = html_of(client_as(staff).get(admin_url(change, "approve")))
    change.refresh_from_db()
    actions.approve_change(proposed_change=change, by=staff)

    assert "Everyone is asked, under “Risk found early”" in page
    rows = list(project.drivers.values_list("text", "parent__text", "also_serves__text"))
    assert rows == [
        ("Risk acted on", None, None),
        ("Risk found early", None, None),
        ("Everyone is asked", "Risk found early", "Risk acted on"),
    ]
    html = html_of(Client().get(project.get_absolute_url()))
    assert html.index("Risk acted on") < html.index("Risk found early") and 'class="app-drivers"' in html


def test_staff_change_move_and_remove_boxes_at_once(client_as, staff, project):
    client = client_as(staff)
    for text in ("First", "Second"):
        add(client, project, "primary", text=text)
    first, second = [f"d{pk}" for pk in project.drivers.values_list("pk", flat=True)]

    client.post(url("driver_change", project, second), {"text": "Second, better"})
    client.post(url("driver_move", project, second, "up"))
    client.post(url("driver_move", project, first, "remove"))

    assert list(project.drivers.values_list("text", flat=True)) == ["Second, better"]
    assert not project.proposed_changes.exists()


def test_a_box_that_carries_others_is_not_removed(client_as, staff, project):
    client = client_as(staff)
    add(client, project, "primary", text="First")
    first = f"d{project.drivers.get().pk}"
    add(client, project, "secondary", text="Under it", parent=first)

    response = client.post(url("driver_move", project, first, "remove"), follow=True)

    assert "Move or remove what hangs under it first" in html_of(response) and project.drivers.count() == 2


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ({"text": ""}, "Enter words in the box"),
        ({"text": "x" * 201}, "200 characters"),
        ({"text": "For 943 476 5919"}, "NHS number in: Words"),
    ],
)
def test_a_refused_box_keeps_what_was_typed(client_as, staff, project, box, sentence):
    response = add(client_as(staff), project, "primary", **box)

    assert sentence in html_of(response) and box["text"] in html_of(response)


def test_addresses_of_boxes_that_are_not_there_are_not_found(client_as, staff, project):
    client = client_as(staff)

    for address in [
        url("driver_add", project, "tertiary"),
        url("driver_add", project, "secondary"),  # there is nothing yet that it could hang under
        url("driver_change", project, "d1"),
    ]:
        assert client.get(address).status_code == 404
    assert client.post(url("driver_move", project, "d1", "sideways")).status_code == 404
    assert client.get(url("driver_move", project, "d1", "up")).status_code == 405


def test_the_drawing_carries_no_style_and_no_mark_up_of_its_authors(client_as, staff, project):
    add(client_as(staff), project, "primary", text="<script>x</script> & “" + "long " * 20)

    html = html_of(Client().get(project.get_absolute_url()))

    drawing = html[html.index("<svg", html.index("driver diagram")) :].split("</svg>")[0]
    assert "<script" not in drawing and "style=" not in drawing and drawing.count("<text") > 4
