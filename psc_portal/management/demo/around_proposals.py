"""Around the made-up proposals: an example to score first, the panel, questions and answers, a second attempt."""

import datetime as dt
from decimal import Decimal

from proposals import actions, readings
from proposals.models import Proposal
from psc_portal.common import clock

EXAMPLE = {
    "title": "A falls check at the front door",
    "text": """**What it is.** A nurse asks three questions of everyone over 65 who comes to the emergency department. Two yeses lead to a yellow wristband and a bed near the desk.

**Where it has worked.** One department, before and after: 5.9 falls per 1,000 attendances in 2023, 4.8 in 2024. Nobody looked at the months in between.

**Who would adopt it.** Two departments say that they are interested. What it costs them is not said.

**Who was asked.** A patients' group read the three questions and changed one of them.""",
    "afterword": "Most of us score the evidence 2: one site, before and after, with the trend before left out. Interest is not yet adoption.",
}  # fmt: skip
EXAMPLE_SCORES = {"reviewer": (3, 2, 2, 3, 3, 1), "reviewer2": (4, 2, 1, 3, 2, 0), "reviewer3": (3, 4, 2, 2, 4, None)}
EXAMPLE_REASONS = "As I read it, compared with what each level says."
PANEL = ("staff", "reviewer", "reviewer2", "reviewer3")
QUESTION = "Two of our wards belong to another trust. May one proposal name two lead organisations?"
ANSWER = "Name one lead, which holds the money, and name the other as a partner."


def score_an_example(world, call, days_ago) -> None:
    """The reviewers of a call score an example before their reviews."""
    with clock.at(world.moment(days_ago=days_ago, hour=9)):
        example = actions.add_example(call=call, by=world.users["staff"], **EXAMPLE)
    criteria = list(call.criterion_set.criteria.all())
    for key, values in EXAMPLE_SCORES.items():
        scores = {
            criterion.pk: (value, value is None, EXAMPLE_REASONS)
            for criterion, value in zip(criteria, values, strict=True)
        }
        with clock.at(world.moment(days_ago=days_ago, hour=17)):
            actions.score_example(calibration_example=example, by=world.users[key], scores=scores)


def set_up_panel(world, call, days_ago, held_on) -> None:
    with clock.at(world.moment(days_ago=days_ago, hour=9)):
        actions.set_up_panel(
            call=call,
            by=world.users["staff"],
            held_on=held_on,
            chair=world.users["staff"],
            members=[world.users[key] for key in PANEL],
            quorum=3,
        )


def score_at_panel(world, proposal, reasons) -> None:
    """The panel's own score: where the reviews' mean stands, in half points."""
    line = next(line for line in readings.ranking(proposal.call) if line.proposal == proposal)
    score = (line.mean * 2).quantize(Decimal(1)) / 2
    actions.score_at_panel(proposal=proposal, by=world.users["staff"], score=score, reason=reasons)


def ask_and_answer(world, proposal, days_ago) -> None:
    """A question of the team, its answer, and the answer published for everyone."""
    staff = world.users["staff"]
    asked = world.moment(days_ago=days_ago, hour=9)
    with clock.at(asked):
        message = actions.ask_programme(proposal=proposal, by=proposal.applicant, text=QUESTION)
    with clock.at(asked + dt.timedelta(hours=5)):
        actions.answer_message(message=message, by=staff, text=f"{ANSWER} Your partner section is right as it is.")
        actions.publish_answer(
            by=staff, question="May one proposal name two lead organisations?", answer=ANSWER, message=message
        )


def try_again(world, call, days_ago) -> Proposal:
    """A declined proposal becomes a draft of the open call, with its text and the advice it got."""
    declined = Proposal.objects.filter(status=Proposal.Status.DECLINED).exclude(call=call).order_by("pk").first()
    with clock.at(world.moment(days_ago=days_ago, hour=11)):
        return actions.resubmit_proposal(proposal=declined, call=call, by=declined.applicant)


def ask_more(world, call, plans) -> None:
    """Questions of the call's own; `only_if` names the answer to the one before."""
    before = None
    for plan in plans:
        only_if = plan.pop("only_if", "")
        before = actions.add_question(
            call=call,
            by=world.users["staff"],
            is_required=False,
            shown_if=before if only_if else None,
            shown_if_answer=only_if,
            **plan,
        )


def write_together(world, proposal, days_ago) -> None:
    """Somebody else may write in a draft too."""
    other = world.users["innovator2"]
    with clock.at(world.moment(days_ago=days_ago, hour=12)):
        invited = actions.invite_collaborator(proposal=proposal, by=proposal.applicant, email=other.email, role="edit")
    with clock.at(world.moment(days_ago=days_ago - 1, hour=8)):
        actions.accept_collaboration(collaborator=invited, by=other)
