"""Consultations on the priorities: asked by staff, answered by anybody, moderated, and decided in public."""

import datetime as dt

from django.db import transaction

from projects import permissions
from projects.actions.storing import change, check, create, lock, require
from projects.models import Consultation, ConsultationAnswer, ConsultationQuestion, ConsultationResponse
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug
from psc_portal.common.templatetags.portal import uk_datetime

SENT_TWICE = dt.timedelta(minutes=10)  # the same answers within this time are one response


# Asking --------------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_consultation(*, title, summary, about, questions, opens_at, closes_at, by) -> Consultation:
    """A draft with its questions, a list of texts; nobody but staff sees it until it is published."""
    require(permissions.can_manage(by))
    consultation = create(
        Consultation,
        slug=unique_slug(Consultation, title),
        title=title,
        summary=summary,
        about=about,
        opens_at=opens_at,
        closes_at=closes_at,
        by=by,
    )
    _ask(consultation, questions)
    return consultation


@transaction.atomic
def edit_consultation(*, consultation, questions, by, **details) -> Consultation:
    """Change what is asked and when.

    Raises:
        ActionRefused: it has opened, so people are answering (only its closing can still be moved).
    """
    require(permissions.can_manage(by))
    stored = lock(consultation)
    if stored.status != Consultation.Status.DRAFT and clock.now() >= stored.opens_at:
        raise ActionRefused("This consultation has opened, so its questions stay. You can still give more time.")
    consultation = change(consultation, "edit_consultation", details, by=by)
    _ask(consultation, questions)
    return consultation


def _ask(consultation, questions: list[str]) -> None:
    if not questions:
        raise ActionRefused("Questions: write at least one, each in a line of its own.")
    refuse_nhs_numbers({"Questions": "\n".join(questions)})
    consultation.questions.all().delete()
    rows = [
        ConsultationQuestion(consultation=consultation, number=number, text=text)
        for number, text in enumerate(questions, 1)
    ]
    for row in rows:
        check(ConsultationQuestion, {"text": row.text})
    ConsultationQuestion.objects.bulk_create(rows)


@transaction.atomic
def publish_consultation(*, consultation, by) -> Consultation:
    """Let everybody see it. It opens and closes by the clock.

    Raises:
        ActionRefused: it would be closed already.
    """
    require(permissions.can_manage(by))
    if lock(consultation).closes_at <= clock.now():
        raise ActionRefused("Its closing time has passed. Change the time first.")
    consultation.change_status(Consultation.Status.PUBLISHED, by=by)
    audit.record("publish_consultation", consultation, by=by)
    return consultation


@transaction.atomic
def extend_consultation(*, consultation, closes_at, by) -> Consultation:
    """Give more time.

    Raises:
        ActionRefused: it would get less time than was promised, or it is decided.
    """
    require(permissions.can_manage(by))
    stored = lock(consultation)
    if stored.status != Consultation.Status.PUBLISHED:
        raise ActionRefused("Only a published consultation that is not decided can be given more time.")
    if closes_at <= max(stored.closes_at, clock.now()):
        raise ActionRefused(f"Give more time than there is: it closes on {uk_datetime(stored.closes_at)}.")
    return change(consultation, "extend_consultation", {"closes_at": closes_at}, by=by)


# Answering -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def respond(*, consultation, answers: dict[int, str], kind, name="", by=None) -> ConsultationResponse:
    """Keep what somebody answered; no account is needed. What comes after closing is kept too, as late.

    The clock is read while the row of the consultation is held, so nobody can close it or give it more time in
    between. Sent twice within `SENT_TWICE`, it is kept once.

    Raises:
        ActionRefused: it has not opened or is not public, nothing was answered, or a text holds what it must not.
    """
    stored = Consultation.objects.select_for_update(no_key=True).get(pk=consultation.pk)
    now = clock.now()
    if stored.status == Consultation.Status.DRAFT or stored.is_upcoming_at(now):
        raise ActionRefused(f"This consultation opens on {uk_datetime(stored.opens_at)}. Send your answers then.")
    questions = {question.pk: question for question in stored.questions.all()}
    given = {pk: text.strip() for pk, text in answers.items() if pk in questions and text.strip()}
    if not given:
        raise ActionRefused("Answer at least one question.")
    check(ConsultationResponse, {"kind": kind, "name": name})
    refuse_nhs_numbers({f"Question {questions[pk].number}": text for pk, text in given.items()} | {"Your name": name})
    if already := _same(stored, given, kind=kind, name=name, since=now - SENT_TWICE):
        return already
    response = ConsultationResponse.objects.create(
        consultation=stored, kind=kind, name=name, is_late=not stored.is_open_at(now), created_at=now
    )
    ConsultationAnswer.objects.bulk_create(
        ConsultationAnswer(response=response, question=questions[pk], text=text) for pk, text in given.items()
    )
    audit.record("respond", response, by=by, after={"consultation": stored.pk, "is_late": response.is_late})
    return response


def _same(consultation, given: dict[int, str], *, kind, name, since) -> ConsultationResponse | None:
    recent = consultation.responses.filter(kind=kind, name=name, created_at__gte=since).prefetch_related("answers")
    return next((one for one in recent if {row.question_id: row.text for row in one.answers.all()} == given), None)


# Moderating ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def show_response(*, consultation_response, by) -> ConsultationResponse:
    """Let everybody read it."""
    require(permissions.can_manage(by))
    consultation_response.change_status(ConsultationResponse.Status.SHOWN, by=by)
    audit.record("show_response", consultation_response, by=by)
    return consultation_response


@transaction.atomic
def withhold_response(*, consultation_response, withheld_because, by) -> ConsultationResponse:
    """Keep it and do not show it, with the reason: it names a person, insults, or is no answer."""
    require(permissions.can_manage(by))
    change(consultation_response, "withhold_response", {"withheld_because": withheld_because}, by=by)
    consultation_response.change_status(ConsultationResponse.Status.WITHHELD, by=by)
    return consultation_response


# Deciding ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def decide_consultation(
    *, consultation, what_was_said, what_was_decided, decided_on, priorities=(), by
) -> Consultation:
    """Publish what was said and what was decided, and which priorities came from it.

    Raises:
        ActionRefused: it has not closed, a response waits to be looked at, or the decision is dated wrongly.
    """
    require(permissions.can_manage(by))
    stored = lock(consultation)
    if stored.status == Consultation.Status.PUBLISHED and clock.now() < stored.closes_at:
        raise ActionRefused(f"It is open until {uk_datetime(stored.closes_at)}. Decide after that.")
    if waiting := stored.responses.waiting().count():
        raise ActionRefused(f"Look at every response first: {waiting} wait{'s' if waiting == 1 else ''}.")
    if not stored.closes_at.astimezone(clock.UK).date() <= decided_on <= clock.today():
        raise ActionRefused("The decision is dated between the day of closing and today. Change the date.")
    texts = {"what_was_said": what_was_said, "what_was_decided": what_was_decided}
    if not all(text.strip() for text in texts.values()):
        raise ActionRefused("Say both what was said and what was decided.")
    values = texts | {"decided_on": decided_on, "priorities": list(priorities)}
    change(consultation, "decide_consultation", values, by=by)
    consultation.change_status(Consultation.Status.DECIDED, by=by)
    return consultation
