"""Public consultations: who may answer when, what everybody reads, and that nothing is lost."""

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.urls import reverse

from projects import actions
from projects.models import Consultation, ConsultationResponse
from psc_portal.common import clock, guards, public_pages
from psc_portal.common.models import AuditEvent
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import ConsultationFactory, PriorityFactory

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"
QUESTIONS = ["What matters?", "What is missing?"]


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def answer(consultation, text="Falls", **values):
    question = consultation.questions.first()
    return actions.respond(consultation=consultation, answers={question.pk: text}, **{"kind": "person"} | values)


def sent(**values):
    with clock.at(clock.now() - dt.timedelta(seconds=60)):
        shown_at = guards.mark_of_now()
    return {"question_1": "Falls", "question_2": "", "kind": "person", "name": "", "shown_at": shown_at} | values


def url(consultation, page="consultation_respond"):
    return reverse(f"projects:{page}", args=[consultation.slug])


def text_of(response) -> str:
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


# Asking --------------------------------------------------------------------------------------------------------------
def test_a_consultation_is_written_published_and_found(client, client_as, staff):
    now = clock.now()
    client_as(staff).post(
        reverse("admin:projects_consultation_add"),
        {
            "title": "Our priorities", "summary": "What matters?", "about": "Why we ask.",
            "questions": "\n".join(QUESTIONS), "opens_at": (now - dt.timedelta(hours=1)).isoformat(),
            "closes_at": (now + dt.timedelta(days=9)).isoformat(),
        },
    )  # fmt: skip
    consultation = Consultation.objects.get()
    assert client.get(consultation.get_absolute_url()).status_code == 404

    actions.publish_consultation(consultation=consultation, by=staff)

    assert [question.text for question in consultation.questions.all()] == QUESTIONS
    assert "Our priorities" in text_of(client.get(reverse("projects:consultation_list")))
    assert "What is missing?" in text_of(client.get(consultation.get_absolute_url()))


def test_questions_stay_once_people_can_answer(staff):
    consultation = ConsultationFactory()

    with pytest.raises(ActionRefused, match="give more time"):
        actions.edit_consultation(consultation=consultation, questions=["Another?"], title="New", by=staff)

    assert [question.text for question in consultation.questions.all()] == QUESTIONS


def test_a_consultation_gets_more_time_and_never_less(staff):
    consultation = ConsultationFactory()
    later = consultation.closes_at + dt.timedelta(days=1)

    actions.extend_consultation(consultation=consultation, closes_at=later, by=staff)
    with pytest.raises(ActionRefused, match="more time than there is"):
        actions.extend_consultation(consultation=consultation, closes_at=later - dt.timedelta(hours=1), by=staff)

    assert Consultation.objects.get().closes_at == later


@pytest.mark.parametrize(
    ("hours", "stage"), [(-1, "Upcoming"), (0, "Open"), (1, "Open"), (48, "Closed"), (50, "Closed")]
)
def test_the_clock_opens_and_closes_it_in_python_and_sql_alike(hours, stage):
    opens_at = clock.now()
    consultation = ConsultationFactory(opens_at=opens_at, closes_at=opens_at + dt.timedelta(hours=48))
    moment = opens_at + dt.timedelta(hours=hours)

    with clock.at(moment):
        assert consultation.stage == stage
    assert Consultation.objects.open_at(moment).exists() == (stage == "Open") == consultation.is_open_at(moment)


# Answering -----------------------------------------------------------------------------------------------------------
def test_anybody_answers_without_an_account_and_it_is_shown_once_staff_have_looked(client, staff):
    consultation = ConsultationFactory()

    response = client.post(url(consultation), sent(name="A carer"))

    assert response.url == url(consultation, "consultation_thanks")
    assert client.get(response.url).status_code == 200
    kept = ConsultationResponse.objects.get()
    assert (kept.name, kept.is_late, [row.text for row in kept.answers.all()]) == ("A carer", False, ["Falls"])
    assert "A carer" not in text_of(client.get(consultation.get_absolute_url()))

    actions.show_response(consultation_response=kept, by=staff)

    text = text_of(client.get(consultation.get_absolute_url()))
    assert "A carer" in text
    assert "1 answer of people and 0 of organisations" in text


def test_what_was_typed_survives_every_refusal(client):
    consultation = ConsultationFactory()

    for values, sentence in (
        ({"question_1": f"Ask {NHS_NUMBER}"}, "NHS number"),
        ({"question_1": "", "name": "Kept words"}, "Answer at least one question."),
        ({"website": "http://spam.example", "question_1": "Kept words"}, "nobody sees"),
    ):
        response = client.post(url(consultation), sent(**values))
        assert sentence in text_of(response), values
        assert (values.get("name") or values["question_1"]) in response.content.decode()
    assert not ConsultationResponse.objects.exists()


def test_an_answer_that_comes_after_closing_is_kept_as_late_and_shown_to_its_author(client):
    consultation = ConsultationFactory(closed=True)

    response = client.post(url(consultation), sent(question_1="Written on the train <b>"))

    text = response.content.decode()
    assert "Written on the train &lt;b&gt;" in text
    assert "Your answers came after closing" in text
    kept = ConsultationResponse.objects.get()
    assert (kept.is_late, kept.status) == (True, "waiting")


def test_the_clock_is_read_when_the_answer_is_stored_not_when_the_form_was_opened(client):
    consultation = ConsultationFactory()
    opened = client.get(url(consultation))

    with clock.at(consultation.closes_at):
        late = answer(consultation)
    with clock.at(consultation.closes_at - dt.timedelta(seconds=1)):
        in_time = answer(consultation, "Delirium")

    assert opened.status_code == 200
    assert (late.is_late, in_time.is_late) == (True, False)


def test_nothing_can_be_answered_before_it_opens_and_a_draft_is_not_there(client):
    for trait in ("upcoming", "draft"):
        consultation = ConsultationFactory(**{trait: True})
        assert client.get(url(consultation)).status_code == 404
        assert client.post(url(consultation), sent()).status_code == 404
        with pytest.raises(ActionRefused, match="opens on"):
            answer(consultation)


def test_the_same_answers_sent_twice_are_kept_once():
    consultation = ConsultationFactory()

    assert answer(consultation) == answer(consultation)
    assert answer(consultation, "Other words") != answer(consultation, name="Somebody")
    assert ConsultationResponse.objects.count() == 3


def test_answers_to_questions_of_another_consultation_are_not_taken():
    consultation, other = ConsultationFactory(), ConsultationFactory()

    with pytest.raises(ActionRefused, match="at least one"):
        actions.respond(consultation=consultation, answers={other.questions.first().pk: "x"}, kind="person")


def test_too_many_answers_from_one_address_have_to_wait(client):
    cache.clear()
    consultation = ConsultationFactory()

    statuses = [client.post(url(consultation), sent(question_1=f"Answer {n}")).status_code for n in range(11)]

    assert statuses == [302] * 10 + [429]
    assert ConsultationResponse.objects.count() == 10


def test_the_audit_trail_keeps_no_name_and_no_words_of_an_answer():
    answer(ConsultationFactory(), "Secret words", name="Secret name")

    event = AuditEvent.objects.get(verb="respond")
    assert "Secret" not in str(event.after)


# Moderating and deciding ---------------------------------------------------------------------------------------------
def test_only_staff_see_and_moderate_answers(client_as, staff):
    response = answer(ConsultationFactory(), "Nurse Smith is bad")
    page = reverse("admin:projects_consultationresponse_change", args=[response.pk])

    assert client_as(UserFactory()).get(page).status_code in (302, 404)
    assert client_as(UserFactory(reviewer=True)).get(page).status_code == 404
    assert "Nurse Smith is bad" in client_as(staff).get(page).content.decode()

    actions.withhold_response(consultation_response=response, withheld_because="It names a nurse.", by=staff)

    response.refresh_from_db()
    assert (response.status, response.withheld_because) == ("withheld", "It names a nurse.")


def test_what_was_said_and_decided_is_published_and_linked_with_its_priorities(client, staff):
    consultation = ConsultationFactory(closed=True)
    priority = PriorityFactory(title="Falls")
    details = {"consultation": consultation, "decided_on": clock.today(), "priorities": [priority], "by": staff}
    texts = {"what_was_said": "Most named falls.", "what_was_decided": "We work on falls."}
    response = answer(consultation)

    with pytest.raises(ActionRefused, match="1 waits"):
        actions.decide_consultation(**details, **texts)
    actions.show_response(consultation_response=response, by=staff)
    with pytest.raises(ActionRefused, match="both"):
        actions.decide_consultation(**details, **texts | {"what_was_said": " "})
    actions.decide_consultation(**details, **texts)

    page = client.get(consultation.get_absolute_url())
    assert "Most named falls." in text_of(page)
    assert priority.get_absolute_url() in page.content.decode()
    assert consultation.get_absolute_url() in client.get(priority.get_absolute_url()).content.decode()


def test_an_open_consultation_cannot_be_decided(staff):
    consultation = ConsultationFactory()

    with pytest.raises(ActionRefused, match="It is open until"):
        actions.decide_consultation(
            consultation=consultation, what_was_said="x", what_was_decided="y", decided_on=clock.today(), by=staff
        )


def test_a_kept_page_is_made_anew_when_it_opens_or_closes(client, settings, monkeypatch):
    settings.KEEP_PUBLIC_PAGES = True
    kept_for = []
    monkeypatch.setattr(public_pages.cache, "set", lambda key, value, timeout: kept_for.append(timeout))
    ConsultationFactory(closes_at=clock.now() + dt.timedelta(seconds=20), slug="soon")

    client.get("/consultations/")
    client.get("/consultations/soon/")

    assert [0 < seconds <= 20 for seconds in kept_for] == [True, True]


@pytest.mark.parametrize("number", [1, 3])
def test_the_pages_of_consultations_ask_as_often_for_many_as_for_one(
    client, staff, number, django_assert_max_num_queries
):
    consultation = ConsultationFactory()
    for n in range(number):
        ConsultationFactory()
        actions.show_response(consultation_response=answer(consultation, f"Answer {n}"), by=staff)

    with django_assert_max_num_queries(3):
        client.get("/consultations/")
    with django_assert_max_num_queries(8):
        client.get(consultation.get_absolute_url())


def test_staff_are_told_what_waits_for_them(client_as, staff):
    consultation = ConsultationFactory(closed=True, title="Which topics?")
    response = answer(consultation)
    assert "1 answer to look at" in client_as(staff).get("/my/").content.decode()

    actions.show_response(consultation_response=response, by=staff)

    assert "publish what was decided" in client_as(staff).get("/my/").content.decode()
