import datetime as dt

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from psc_portal.common import clock, guards, registry
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions, views
from psc_portal.content.models import Answer, Feedback, FeedbackSource
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


def typed(message, **changes):
    """What a person sends who has read the form."""
    with clock.at(clock.now() - dt.timedelta(minutes=1)):
        return {"message": message, "shown_at": guards.mark_of_now()} | changes


def test_feedback_works_without_an_account_and_without_a_name(client):
    response = client.post("/feedback/", typed("The chart is clear.", page="/metrics/PU1/"))

    feedback = Feedback.objects.get()
    assert response.url == f"/feedback/thanks/?reference={feedback.reference}"
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
    client.post("/feedback/", typed("Hello", page=page))

    assert Feedback.objects.get().page == ""


def test_an_nhs_number_is_refused_and_what_was_typed_stays(client):
    text = f"My mother, {NHS_NUMBER}, was not told."

    response = client.post("/feedback/", typed(text, name="Sam", email="sam@example.org"))

    page = response.content.decode()
    assert "what looks like an NHS number in: Your feedback" in page
    assert text in page and "sam@example.org" in page
    assert "<title>Error: Give feedback" in page
    assert not Feedback.objects.exists()


def test_empty_feedback_gets_a_sentence(client):
    page = client.post("/feedback/", typed("  ", email="not an address")).content.decode()

    assert "Answer the question: What do you want to tell us?" in page
    assert "enter an email address in the correct format" in page
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"website": "http://spam.example"}, "A box that nobody sees was filled in"),
        ({"shown_at": ""}, "faster than people write"),
        ({"shown_at": "1:forged"}, "faster than people write"),
        ({"shown_at": "now"}, "faster than people write"),
    ],
)
def test_what_looks_like_a_program_is_told_why_and_a_person_only_sends_it_again(client, changes, sentence):
    if changes.get("shown_at") == "now":
        changes = {"shown_at": guards.mark_of_now()}

    page = client.post("/feedback/", typed("Typed with care", **changes))
    stored = Feedback.objects.count()
    form = page.context["form"]
    again = {name: form[name].value() or "" for name in ("message", "website", "shown_at")}
    with clock.at(clock.now() + dt.timedelta(seconds=guards.QUICKEST + 1)):
        response = client.post("/feedback/", again)

    assert sentence in page.content.decode() and "Typed with care" in page.content.decode()
    assert (stored, response.status_code, Feedback.objects.get().message) == (0, 302, "Typed with care")


def test_the_same_feedback_sent_twice_is_kept_once(client):
    for _ in range(2):
        assert client.post("/feedback/", typed("The chart is clear.")).status_code == 302

    assert Feedback.objects.count() == 1


def test_too_much_feedback_from_one_address_is_refused_for_an_hour_and_the_text_stays(client):
    for number in range(views.FEEDBACK_AN_HOUR):
        client.post("/feedback/", typed(f"Number {number}"))

    response = client.post("/feedback/", typed("One too many"))

    assert response.status_code == 429
    assert "Wait an hour" in response.content.decode()
    assert "One too many" in response.content.decode()


def test_the_form_is_kept_by_no_cache(client):
    assert "no-store" in client.get("/feedback/")["Cache-Control"]


def test_staff_publish_an_answer_in_their_own_words_and_the_writer_gets_a_mail(client, client_as, staff):
    feedback = FeedbackFactory(name="Sam Writer", email="sam@example.org", message="Where is the plan?")

    response = client_as(staff).post(
        reverse("admin:content_feedback_answer", args=[feedback.pk]),
        {"you_said": "The plan was hard to find.", "we_did": "We put it on the home page.", "page": "/documents/"},
    )

    feedback.refresh_from_db()
    page = client.get("/feedback/answers/").content.decode()
    mail = OutboxMessage.objects.get(to=["sam@example.org"])
    assert (response.status_code, feedback.status) == (302, Status.ANSWERED)
    assert "The plan was hard to find." in page and "We put it on the home page." in page
    assert "Sam Writer" not in page and "Where is the plan?" not in page
    assert "We put it on the home page." in mail.body and feedback.reference in mail.body
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
    client = client_as(staff)
    client.post(reverse("admin:content_feedbacksource_add"), {"name": "Patient Senate", "is_in_use": "on"})
    source = FeedbackSource.objects.get(name="Patient Senate")

    client.post(
        reverse("admin:content_feedback_add"),
        {"source": source.pk, "source_note": "4 March 2026", "message": "Use fewer short forms."},
    )

    feedback = Feedback.objects.get()
    assert (feedback.source, feedback.source_note, feedback.source_words) == (source, "4 March 2026", "Patient Senate")


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

    with django_assert_num_queries(3):
        client.get("/feedback/answers/")


def test_every_status_is_in_the_table_of_transitions():
    assert set(Feedback.TRANSITIONS) == set(Status)


def test_a_number_that_is_none_of_the_nhs_can_be_explained_and_staff_see_why(client, client_as, staff):
    text = f"The pump with serial number {NHS_NUMBER} fails."

    refused = client.post("/feedback/", typed(text)).content.decode()
    client.post("/feedback/", typed(text, numbers_explained="The serial number of a pump"))

    feedback = Feedback.objects.get()
    page = client_as(staff).get(reverse("admin:content_feedback_change", args=[feedback.pk])).content.decode()
    assert "If it is none, say what it is" in refused
    assert feedback.message == text
    assert "The serial number of a pump" in page


def test_the_question_about_numbers_is_asked_only_of_those_who_wrote_one(client):
    page = client.post("/feedback/", typed("", email="x")).content.decode()

    assert "looks like an NHS number" not in page


def test_every_page_has_a_link_to_feedback_that_carries_the_page(client):
    assert "/feedback/?page=/documents/" in client.get("/documents/").content.decode()
    assert "<strong>/documents/</strong>" in client.get("/feedback/?page=/documents/").content.decode()


@pytest.mark.parametrize(
    "page",
    ["/events/places/0f8fad5b-d9cb-469f-a165-70867728950e/", "/admin/", "/no-such/page/here/", "/documents/\\evil"],
)
def test_an_address_that_is_private_or_opens_something_is_not_kept(client, page):
    client.post("/feedback/", typed("Hello", page=page))

    assert Feedback.objects.get().page == ""


def test_the_reference_shows_what_became_of_feedback_but_not_what_was_written(client, staff):
    feedback = FeedbackFactory(message="Where is the plan?", name="Sam Writer")
    url = f"/feedback/status/?reference={feedback.reference}"
    before = client.get(url).content.decode()
    actions.publish_answer(feedback=feedback, you_said="It was hidden.", we_did="We moved it.", by=staff)

    after = client.get(f"/feedback/status/?reference={feedback.reference.lower().replace('-', ' ')}").content.decode()

    assert "Nobody has looked at it yet" in before
    assert "We moved it." in after and "Answered in public" in after
    for page in (before, after):
        assert "Where is the plan?" not in page and "Sam Writer" not in page


def test_a_reference_that_does_not_exist_gets_a_sentence_and_stays_in_the_box(client):
    page = client.get("/feedback/status/?reference=F-22222222").content.decode()

    assert "There is no feedback with this reference" in page and "F-22222222" in page


def test_looking_up_many_references_from_one_address_is_stopped_for_an_hour(client):
    for _ in range(views.LOOK_UPS_AN_HOUR):
        client.get("/feedback/status/?reference=F-22222222")

    response = client.get(f"/feedback/status/?reference={FeedbackFactory().reference}")

    assert response.status_code == 429 and "Received" not in response.content.decode()


def test_a_closed_feedback_is_replied_to_once_and_not_published(client, staff):
    feedback = FeedbackFactory(email="sam@example.org", name="Sam Writer")

    actions.close_feedback(feedback=feedback, note="Not ours", reply="Please ask the hospital itself.", by=staff)
    with pytest.raises(ActionRefused):
        actions.close_feedback(feedback=feedback, note="Again", reply="Twice", by=staff)

    (mail,) = OutboxMessage.objects.filter(to=["sam@example.org"])
    page = client.get(f"/feedback/status/?reference={feedback.reference}").content.decode()
    assert "Please ask the hospital itself." in mail.body
    assert "Please ask the hospital itself." in page and "Not ours" not in page
    assert "Please ask the hospital" not in client.get("/feedback/answers/").content.decode()


def test_answers_are_found_by_what_they_are_about_and_by_words(client):
    AnswerFactory(page="/metrics/PU1/", you_said="The charts are hard to read.")
    AnswerFactory(page="/pledges/", you_said="The wall is too long.")
    AnswerFactory(page="", you_said="You are too far away.")

    def shown(query):
        page = client.get(f"/feedback/answers/{query}").content.decode()
        return [words for words in ("hard to read", "too long", "too far") if words in page]

    assert shown("?part=metrics") == ["hard to read"]
    assert shown("?part=work") == ["too far"]
    assert shown("?q=wall") == ["too long"]
    assert shown("?part=nonsense") == ["hard to read", "too long", "too far"]
    assert "No answer fits" in client.get("/feedback/answers/?q=zebra").content.decode()


def test_an_answer_about_a_page_is_shown_to_whoever_writes_about_that_page(client):
    AnswerFactory(page="/pledges/")

    assert "See what we have done about feedback on it" in client.get("/feedback/?page=/pledges/").content.decode()
    assert "See what we have done" not in client.get("/feedback/?page=/projects/").content.decode()


def test_an_answer_names_the_forum_through_which_it_was_heard(client):
    source = FeedbackSource.objects.create(name="Patient Senate")
    AnswerFactory(feedback__source=source)

    assert "Heard through: Patient Senate" in client.get("/feedback/answers/").content.decode()


def test_a_source_is_on_the_list_once_and_one_out_of_use_is_not_offered(client_as, staff):
    actions.add_source(name="Patient Senate", by=staff)
    old = actions.add_source(name="Old forum", is_in_use=False, by=staff)

    with pytest.raises(ActionRefused, match="on the list already"):
        actions.add_source(name="patient senate", by=staff)
    with pytest.raises(PermissionDenied):
        actions.edit_source(feedback_source=old, name="N", is_in_use=True, by=UserFactory())
    page = client_as(staff).get(reverse("admin:content_feedback_add")).content.decode()
    assert "Patient Senate" in page and "Old forum" not in page


def test_the_rate_limit_keeps_no_address(client):
    client.post("/feedback/", typed("Hello"), REMOTE_ADDR="203.0.113.77")

    kept = str(list(Feedback.objects.values())) + str(list(AuditEvent.objects.values()))
    assert "203.0.113.77" not in kept
