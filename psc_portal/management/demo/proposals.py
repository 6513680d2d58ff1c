"""Three calls (decided, in review, open) and fifteen proposals in every state. Made up, lived through the real actions."""

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path

from projects.actions import publish_project
from projects.models import Project
from proposals import actions, questions
from proposals.models import Assignment, Review
from psc_portal.common import clock
from psc_portal.management.demo import around_proposals

TEXTS = Path(__file__).with_name("proposals.toml")
SAME_EVERYWHERE = {
    "is_digital": "no",
    "fixed_parts": "The check itself and the weekly look at the numbers stay the same. Who does it, and on which form, may change.",
    "after_funding": "Each team that joins agrees beforehand to carry the running cost from the second year.",
    "milestones": "Months 1 to 3: agree with teams and collect a baseline. Months 4 to 9: test and adapt. Months 10 to 18: spread, with a review every quarter.",
    "risks": "Staff leave or have no time: two people in each team are trained. The data arrive late: we collect small samples by hand.",
    "data_and_safety": "No patient data leave the organisation. Counts below 8 are not published. A clinical safety lead signs off each change.",
}
REASONS = {
    "priorities": ["No organisation says that it needs this.", "The need is named but not shown with figures.", "The need is shown, and two organisations have put in staff time."],
    "proven": ["This rests on a single case, and harms were not looked for.", "One site, before and after; the trend before is not shown.", "Results over time with a clear signal, and the limits are stated openly."],
    "spread": ["I cannot see who would adopt it next.", "Adopters are named, but what it costs them is not.", "Named adopters in several systems, and a plan for after the funding."],
    "benefits": ["The aim has no number and no baseline.", "There is an aim with a baseline, but nothing that watches for side effects.", "Baseline with data, a full family of metrics and honest costs."],
    "involvement": ["Nobody who uses the service was asked.", "People were asked once; I do not see what changed because of it.", "People who use the service have paid roles, and the plan changed because of them."],
    "growth": ["No growth is described, and this is said openly.", "A local firm is named, without figures.", "Jobs are estimated, with the method shown."],
}  # fmt: skip
FEEDBACK = {
    "priorities": "The link to the priority is clear. Letters from organisations that want to join would make it stronger.",
    "proven": "The panel trusts the results at your site. Show the months before the change too, so that a trend can be told from an effect.",
    "spread": "Say for each adopter what it costs them in the first year and who has agreed.",
    "benefits": "The aim is well put. Add a balancing metric, so that a side effect would be seen.",
    "involvement": "Tell us what changed because of what people said, and plan their time as paid time.",
    "growth": "No growth was expected and none was needed: this criterion carried little weight here.",
}
ELIGIBILITY = """\
The change has worked in at least one clinical setting.
An organisation that gives care leads it or is a partner.
The work is done in the region of this collaborative.
The money asked for is not more than the most for one proposal.
"""
MATERIAL = {
    "submitted",
    "withdrawn",
    "ineligible",
    "in_assessment",
    "at_panel",
    "approved",
    "approved_with_conditions",
    "reserve",
    "declined",
}


def make(world):
    texts = tomllib.loads(TEXTS.read_text())
    for plan in texts["call"]:
        call = _call(world, plan)
        world.calls[call.slug] = call
        proposals = [(_proposal(world, call, plan, one), one) for one in plan["proposal"]]
        if plan["state"] != "open":
            _assess(world, call, plan, proposals)
        if plan["state"] == "decided":
            _decide(world, call, plan, proposals)
        if plan["state"] == "open":
            submitted = next(proposal for proposal, _ in proposals if proposal.reference)
            around_proposals.ask_and_answer(world, submitted, plan["opened"] - 14)
            draft = next(proposal for proposal, one in proposals if one["state"] == "draft")
            around_proposals.write_together(world, draft, plan["opened"] - 9)
            around_proposals.try_again(world, call, plan["opened"] - 15)


def _hour(world, days_ago, hour) -> dt.datetime:
    return world.moment(days_ago=days_ago, hour=hour)


def _call(world, plan):
    staff = world.users["staff"]
    with clock.at(_hour(world, plan["opened"] + 14, 11)):
        call = actions.create_call(
            by=staff,
            title=plan["title"],
            summary=plan["summary"],
            about=plan["about"],
            eligibility=ELIGIBILITY,
            priorities=[world.priorities[slug] for slug in plan["priorities"]],
            opens_at=_hour(world, plan["opened"], 9),
            closes_at=_hour(world, plan["closed"], 17),
            reviews_due_on=world.date(days_ago=(plan["closed"] + plan["decided"]) // 2),
            decision_on=world.date(days_ago=plan["decided"]),
            money_total=Decimal(plan["money_total"]),
            money_per_project=Decimal(plan["money_per_project"]),
            reviews_wanted=3,
            lay_reviews_wanted=1,
            weights=dict(enumerate(plan["weights"], 1)),
        )
        around_proposals.ask_more(world, call, plan.get("question", []))
    with clock.at(_hour(world, plan["opened"] + 7, 15)):
        call = actions.publish_call(call=call, by=staff)
    if "extended" in plan:
        with clock.at(_hour(world, plan["closed"] + 3, 12)):
            actions.extend_call(
                call=call, by=staff, closes_at=_hour(world, plan["extended"], 17), reason=plan["extended_because"]
            )
        call.refresh_from_db()
    return call


def _proposal(world, call, plan, one):
    by = world.users[one["by"]]
    start = one.get("started", plan["opened"] - 5)
    answers = _answers(world, call, one)
    with clock.at(_hour(world, start, 10)):
        proposal = actions.start_proposal(call=call, by=by)
    wanted = one.get("sections", [section.slug for section in questions.SECTIONS])
    for number, section in enumerate(questions.SECTIONS):
        typed = {name: answers[name] for name in section.names() if name in answers}
        if section.slug in wanted and typed:
            with clock.at(_hour(world, start, 10) + dt.timedelta(minutes=20 * number)):
                proposal = actions.save_draft(
                    proposal=proposal, by=by, section=section, answers=typed, version=proposal.version
                )
    if one["state"] in MATERIAL:
        with clock.at(_hour(world, start - 2, 16)):
            proposal = actions.submit_proposal(proposal=proposal, by=by, interests=one.get("interests", ""))
    if one["state"] == "withdrawn":
        with clock.at(_hour(world, start - 4, 9)):
            actions.withdraw_proposal(proposal=proposal, by=by, reason=one["withdrawn_because"])
    return proposal


def _answers(world, call, one) -> dict:
    priorities = [world.priorities[slug] for slug in one["priorities"]]
    answers = SAME_EVERYWHERE | {name: value for name, value in one.items() if name in _NAMES}
    answers |= {
        "priorities": [str(priority.pk) for priority in priorities],
        "partners": [str(world.organisations[code].pk) for code in one.get("partner_codes", [])],
    }
    if "lead" in one:
        answers["organisation"] = str(world.organisations[one["lead"]].pk)
    if one.get("evaluated_months"):
        answers |= _evaluation(world, one)
    for number, row in enumerate(one.get("adopter", []), 1):
        typed = (*row[:4], _as_typed(world.date(days_ago=-row[4])))
        for question, value in zip(questions.ADOPTERS.questions, typed, strict=True):
            answers[f"adopter-{number}-{question.name}"] = str(value)
    for number, row in enumerate(one.get("benefit", []), 1):
        metric = {**row, "aim_on": _as_typed(world.date(days_ago=-row["in_days"]))}
        for question in questions.BENEFITS.questions:
            answers[f"benefit-{number}-{question.name}"] = str(metric[question.name])
    for number, row in enumerate(one.get("budget", []), 1):
        for name, value in zip(("description", "asked", "matched"), row, strict=False):
            answers[f"budget-{number}-{name}"] = str(value)
    return answers


def _evaluation(world, one) -> dict:
    """One evaluation, which ended half a year before the proposal was begun."""
    end = one.get("started", 420) + 180
    return {
        "evaluation-1-setting": one["care_settings"][0],
        "evaluation-1-where": one["evaluated_where"],
        "evaluation-1-from": _as_typed(world.date(days_ago=end + 30 * one["evaluated_months"])),
        "evaluation-1-to": _as_typed(world.date(days_ago=end)),
        "evaluation-1-people": one.get("evaluated_people", ""),
        "evaluation-1-result": one.get("evaluated_result", ""),
        "evaluation-1-harms": "We looked for delays, extra work and complaints. We found more time spent at the start of a shift, and nothing else.",
        "evaluation-1-limits": "It was not a controlled trial, and other improvement work went on at the same time.",
    }


_NAMES = {name for section in questions.SECTIONS for name in section.names()}


def _as_typed(date) -> str:
    return f"{date.day}/{date.month}/{date.year}"


# Screening and reviews ------------------------------------------------------------------------------------------------
def _assess(world, call, plan, proposals):
    staff = world.users["staff"]
    with clock.at(_hour(world, plan["assessed"], 9)):
        call = actions.start_assessment(call=call, by=staff)
    for proposal, one in proposals:
        if one["state"] in {"draft", "withdrawn", "submitted"}:
            continue
        with clock.at(_hour(world, plan["assessed"], 11)):
            is_eligible = one["state"] != "ineligible"
            actions.screen_proposal(
                proposal=proposal,
                by=staff,
                is_eligible=is_eligible,
                reason=one.get("ineligible_because", ""),
                what_to_do=one.get("ineligible_what_to_do", ""),
            )
        if is_eligible:
            _review(world, call, plan, proposal, one)
        if one["state"] == "at_panel":
            with clock.at(_hour(world, plan["assessed"] - 20, 10)):
                actions.send_to_panel(proposal=proposal, by=staff)
    if plan["state"] == "review":
        around_proposals.score_an_example(world, call, plan["assessed"] - 2)
        around_proposals.set_up_panel(world, call, plan["assessed"] - 10, world.date(days_ago=plan["panel"]))


def _review(world, call, plan, proposal, one):
    staff = world.users["staff"]
    criteria = list(call.criterion_set.criteria.all())
    plans = one.get("review", [])
    if not plans:
        return
    proposal.refresh_from_db()
    with clock.at(_hour(world, plan["assessed"] - 1, 14)):
        assignments = actions.assign_reviewers(
            proposal=proposal,
            by=staff,
            reviewers=[world.users[one["by"]] for one in plans],
            due_on=world.date(days_ago=plan["reviewed"]),
            accept_fewer=True,
        )
    for number, (assignment, review) in enumerate(zip(assignments, plans, strict=True)):
        days_ago = plan["assessed"] - 3 - 2 * number
        by = world.users[review["by"]]
        if review["does"] == "nothing":
            continue
        if review["does"] == "decline":
            with clock.at(_hour(world, days_ago, 10)):
                actions.decline_assignment(assignment=assignment, by=by, reason=review["because"])
            continue
        with clock.at(_hour(world, days_ago, 10)):
            assignment = actions.declare_interest(
                assignment=assignment,
                by=by,
                has_interest=review["does"] == "conflict",
                kind=review.get("kind", ""),
                explanation=review.get("because", ""),
            )
        if assignment.status == Assignment.Status.CLEARED and review.get("scores"):
            _score(world, assignment, review, criteria, by, days_ago)


def _score(world, assignment, review, criteria, by, days_ago):
    scores = {}
    for criterion, value in zip(criteria, review["scores"], strict=False):
        not_applicable = value < 0
        level = 2 if value >= 4 else 1 if value >= 2 else 0
        reason = "I cannot judge this one." if not_applicable else REASONS[criterion.code][level]
        scores[criterion.pk] = (None if not_applicable else value, not_applicable, reason)
    with clock.at(_hour(world, days_ago - 1, 19)):
        written = Review.objects.get(assignment=assignment)
        actions.write_review(
            review=written, by=by, scores=scores, comment=review.get("comment", ""), version=written.version,
            lock=review["does"] == "lock",
        )  # fmt: skip


# Decisions and letters ------------------------------------------------------------------------------------------------
def _decide(world, call, plan, proposals):
    staff = world.users["staff"]
    with clock.at(_hour(world, plan["panel"], 9)):
        actions.move_to_panel(call=call, by=staff, accept_fewer_reviews=True)
    around_proposals.set_up_panel(world, call, plan["panel"], world.date(days_ago=plan["panel"]))
    for proposal, one in proposals:
        if "reasons" not in one:
            continue
        with clock.at(_hour(world, plan["panel"], 15)):
            proposal.refresh_from_db()
            around_proposals.score_at_panel(world, proposal, one["reasons"])
            actions.decide(
                proposal=proposal, by=staff, outcome=one["state"], reasons=one["reasons"],
                conditions=one.get("conditions", ""), amount=proposal.amount_asked,
            )  # fmt: skip
        with clock.at(_hour(world, plan["decided"] + 1, 10)):
            actions.write_feedback(
                proposal=proposal,
                by=staff,
                comments={criterion.pk: FEEDBACK[criterion.code] for criterion in call.criterion_set.criteria.all()},
                opening="Thank you for your proposal, and for the time that your team put into it.",
                next_time=one.get("next_time", ""),
            )
    with clock.at(_hour(world, plan["panel"], 17)):
        actions.close_panel(call=call, by=staff)
    with clock.at(_hour(world, plan["decided"], 10)):
        actions.release_all_letters(call=call, by=staff)
        for project in Project.objects.filter(proposal__call=call).order_by("pk"):
            publish_project(project=project, by=staff)
            world.projects[project.slug] = project
    with clock.at(_hour(world, plan["decided"], 16)):
        actions.finish_call(call=call, by=staff)
