"""The demonstration's consultations: one decided, one closed, one open, one to come. All answers are invented."""

from projects import actions
from projects.models import ConsultationResponse
from psc_portal.common import clock

Kind = ConsultationResponse.Kind
DECIDED = {
    "title": "Which topics should we work on first?",
    "summary": "Partners, patients and the public said which harm they want to see less of.",
    "about": "Two topics are set for every collaborative in England: safety culture and leadership, and measurement. "
    "Beside them we can choose our own.\n\nWe asked what matters most here, and to whom.",
    "questions": [
        "Which harm should we work on first, and why?",
        "Whom does it hit hardest?",
        "What has been tried near you, and what came of it?",
    ],
}
CLOSED = {
    "title": "How should we choose which projects to spread?",
    "summary": "We asked how proven an idea must be before we ask every organisation to take it up.",
    "about": "Some ideas work on one ward and not on the next. We want to agree what must be known before we spread one.",
    "questions": ["What would convince you to take up somebody else's idea?", "What would put you off?"],
}
OPEN = {
    "title": "Our priorities for the next two years",
    "summary": "Tell us which of our priorities to keep, which to end and what is missing.",
    "about": "We look at our local priorities every two years. The two national must-do topics stay. Everything else can "
    "change: a topic can end because care has become safer, or because others now lead on it.\n\nWe will publish every "
    "answer that names no patient, and say what we decided and why.",
    "questions": [
        "Which of our local priorities should we keep, and which should end?",
        "What is missing?",
        "What should we measure to know that care has become safer for you?",
    ],
}
COMING = {
    "title": "How open should our data be?",
    "summary": "We want to show more values for single organisations. What helps you, and what would harm?",
    "about": "Today most charts show the whole region. We want to hear from organisations and from the public before we "
    "show more.",
    "questions": ["Which values would you want to see for your own hospital or service?", "What worries you?"],
}
SAID = (
    "Most answers named falls, pressure ulcers and moves between hospital, home and care home. Carers wrote most about "
    "moves: nobody told them what had changed. Some trusts asked us to choose fewer topics and to stay with them longer."
)
DECISION = (
    "We took up transition of care and older people as local priorities, and kept pressure ulcers. We did not take up "
    "waiting times: others lead on them. We will look at the list again every two years."
)
TO_DECIDED = [  # who, the name shown, days ago, an answer to each question
    (Kind.PERSON, "", 1180, ["Falls. My mother was never the same.", "People who live alone.", ""]),
    (Kind.PERSON, "A carer from Sleaford", 1175, ["Moving between hospital and home.", "Carers.", "A phone call the day after."]),
    (Kind.ORGANISATION, "A care home group", 1170, ["Pressure ulcers on arrival.", "People who cannot turn by themselves.", "Photos with the letter."]),
]  # fmt: skip
TO_OPEN = [
    (Kind.PERSON, "", 9, ["Keep falls, the work near us has only begun.", "Hearing loss: many alarms are never heard.", "How often I am told what is planned."]),
    (Kind.ORGANISATION, "A patients' group in Lincoln", 6, ["Keep delirium.", "Sepsis after birth.", ""]),
]  # fmt: skip


def make(world):
    decided = _ask(world, DECIDED, opens=1200, closes=1150)
    _answer(world, decided, TO_DECIDED)
    _decide(world, decided)
    closed = _ask(world, CLOSED, opens=60, closes=12)
    _answer(
        world,
        closed,
        [(Kind.PERSON, "A ward sister", 40, ["Data over time, and the name of somebody to ring.", "Posters."])],
    )
    current = _ask(world, OPEN, opens=14, closes=-35)
    _answer(world, current, TO_OPEN)
    _wait(world, current)
    _ask(world, COMING, opens=-20, closes=-60)


def _ask(world, texts, *, opens, closes):
    with clock.at(world.moment(days_ago=max(3, opens + 10))):
        consultation = actions.create_consultation(
            opens_at=world.moment(days_ago=opens, hour=9),
            closes_at=world.moment(days_ago=closes, hour=17),
            by=world.users["staff"],
            **texts,
        )
        return actions.publish_consultation(consultation=consultation, by=world.users["staff"])


def _respond(world, consultation, kind, name, days_ago, texts):
    questions = consultation.questions.all()
    with clock.at(world.moment(days_ago=days_ago, hour=14)):
        return actions.respond(
            consultation=consultation,
            answers={question.pk: text for question, text in zip(questions, texts, strict=True)},
            kind=kind,
            name=name,
        )


def _answer(world, consultation, rows):
    """Answers that staff looked at the day after."""
    for kind, name, days_ago, texts in rows:
        response = _respond(world, consultation, kind, name, days_ago, texts)
        with clock.at(world.moment(days_ago=days_ago - 1)):
            actions.show_response(consultation_response=response, by=world.users["staff"])


def _wait(world, consultation):
    """One answer that staff have still to look at."""
    _respond(world, consultation, Kind.PERSON, "", 1, ["End nothing.", "", "Whether staff may speak up."])


def _decide(world, consultation):
    with clock.at(world.moment(days_ago=1100)):
        actions.decide_consultation(
            consultation=consultation,
            what_was_said=SAID,
            what_was_decided=DECISION,
            decided_on=clock.today(),
            priorities=[world.priorities[slug] for slug in ("transition-of-care", "older-people", "pressure-ulcers")],
            by=world.users["staff"],
        )
