import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from psc_portal.common import registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions, views
from psc_portal.content.models import Answer, Feedback
from tests.factories.accounts import UserFactory
from tests.factories.content import AnswerFactory, FeedbackFactory

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"
Status = Feedback.Status


@pytest.fixture(autouse=True)
def no_limits_from_other_tests():
    cache.clear()


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def test_feedback_works_without_an_account_and_without_a_name(client):
    response = client.post("/feedback/", {"message": "The chart is clear.", "page": "/metrics/PU1/"})

    feedback = Feedback.objects.get()
    assert response.url == "/feedback/thanks/"
    assert (feedback.message, feedback.page, feedback.name, feedback.email, feedback.status) == (
        "The chart is clear.",
        "/metrics/PU1/",
        "",
        "",
        Status.NEW,
    )


def test_the_form_knows_the_page_that_the_visitor_came_from(client):
    page = client.get("/feedback/", headers={"referer": "http://testserver/projects/?stage=x"}).content.decode()

    assert "<strong>/projects/</strong>" in page


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_forged_page_is_not_kept(client, page):
    client.post("/feedback/", {"message": "Hello", "page": page})

    assert Feedback.objects.get().page == ""


def test_an_nhs_number_is_refused_and_what_was_typed_stays(client):
    text = f"My mother, {NHS_NUMBER}, was not told."

    response = client.post("/feedback/", {"message": text, "name": "Sam", "email": "sam@example.org"})

    page = response.content.decode()
    assert "what looks like an NHS number in: Your feedback" in page
    assert text in page and "sam@example.org" in page
    assert "<title>Error: Give feedback" in page
    assert not Feedback.objects.exists()


def test_empty_feedback_gets_a_sentence(client):
    page = client.post("/feedback/", {"message": "  ", "email": "not an address"}).content.decode()

    assert "Answer the question: What do you want to tell us?" in page
    assert "enter an email address in the correct format" in page
    assert not Feedback.objects.exists()


def test_a_program_that_fills_in_every_box_learns_nothing_and_leaves_nothing(client):
    response = client.post("/feedback/", {"message": "Buy now", "website": "http://spam.example"})

    assert response.url == "/feedback/thanks/"
    assert not Feedback.objects.exists()


def test_the_same_feedback_sent_twice_is_kept_once(client):
    for _ in range(2):
        assert client.post("/feedback/", {"message": "The chart is clear."}).status_code == 302

    assert Feedback.objects.count() == 1


def test_too_much_feedback_from_one_address_is_refused_for_an_hour_and_the_text_stays(client):
    for number in range(views.FEEDBACK_AN_HOUR):
        client.post("/feedback/", {"message": f"Number {number}"})

    response = client.post("/feedback/", {"message": "One too many"})

    assert response.status_code == 429
    assert "Wait an hour" in response.content.decode()
    assert "One too many" in response.content.decode()


def test_the_form_is_kept_by_no_cache(client):
    assert "no-store" in client.get("/feedback/")["Cache-Control"]


def test_staff_publish_an_answer_in_their_own_words_and_the_writer_gets_a_mail(client, client_as, staff):
    feedback = FeedbackFactory(name="Sam Writer", email="sam@example.org", message="Where is the plan?")

    response = client_as(staff).post(
        reverse("admin:content_feedback_answer", args=[feedback.pk]),
        {"you_said": "The plan was hard to find.", "we_did": "We put it on the home page."},
    )

    feedback.refresh_from_db()
    page = client.get("/feedback/answers/").content.decode()
    mail = OutboxMessage.objects.get(to=["sam@example.org"])
    assert (response.status_code, feedback.status) == (302, Status.ANSWERED)
    assert "The plan was hard to find." in page and "We put it on the home page." in page
    assert "Sam Writer" not in page and "Where is the plan?" not in page
    assert "We put it on the home page." in mail.body
    assert [(change.from_status, change.to_status) for change in feedback.status_changes.all()] == [("new", "answered")]


def test_an_answer_that_names_the_writer_is_refused(staff):
    feedback = FeedbackFactory(name="Sam Writer")

    with pytest.raises(ActionRefused, match="name or e-mail address"):
        actions.publish_answer(feedback=feedback, you_said="sam writer could not find it.", we_did="Moved.", by=staff)


def test_feedback_is_answered_once(staff):
    feedback = AnswerFactory().feedback

    with pytest.raises(ActionRefused, match="Answered in public"):
        actions.publish_answer(feedback=feedback, you_said="A", we_did="B", by=staff)

    assert Answer.objects.count() == 1


def test_feedback_heard_elsewhere_is_recorded_by_staff_with_its_source(client_as, staff):
    client_as(staff).post(
        reverse("admin:content_feedback_add"),
        {"source": "forum", "source_note": "Patient Senate, 4 March 2026", "message": "Use fewer short forms."},
    )

    feedback = Feedback.objects.get()
    assert (feedback.source, feedback.source_note) == ("forum", "Patient Senate, 4 March 2026")


@pytest.mark.parametrize("action", [actions.triage_feedback, actions.close_feedback])
def test_nobody_but_staff_handles_feedback(client_as, action):
    feedback = FeedbackFactory()

    with pytest.raises(PermissionDenied):
        action(feedback=feedback, note="Mine", by=UserFactory())
    reviewer = client_as(UserFactory(reviewer=True))
    assert reviewer.get(reverse("admin:content_feedback_change", args=[feedback.pk])).status_code in {302, 404}


def test_new_feedback_waits_for_staff_only(staff):
    FeedbackFactory(page="/about/")
    FeedbackFactory(status=Status.CLOSED)

    def waiting(user):
        return [item.title for item in registry.waiting.collect(user) if item.section == "Feedback"]

    assert waiting(staff) == ["Feedback about /about/"]
    assert waiting(UserFactory()) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_answers_runs_a_constant_number_of_queries(client, django_assert_num_queries, rows):
    for _ in range(rows):
        AnswerFactory()
    client.get("/feedback/answers/")

    with django_assert_num_queries(2):
        client.get("/feedback/answers/")


def test_every_status_is_in_the_table_of_transitions():
    assert set(Feedback.TRANSITIONS) == set(Status)
