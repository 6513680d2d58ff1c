"""The demonstration's pledges: the network's own five, and invented ones of nine organisations in every state.

World.users holds no signatory for most of them; those made here have no password and cannot log in.
"""

import datetime as dt
import tomllib
from pathlib import Path
from typing import NamedTuple

from pledges import actions
from projects import actions as projects
from psc_portal.accounts.models import User
from psc_portal.common import clock

TEXTS = Path(__file__).with_suffix(".toml")
NETWORK = "emahsn"


class Plan(NamedTuple):
    organisation: str  # key of World.organisations
    signatory: tuple[str, str]  # name and role, published
    account: str  # key of World.users, or the name of a person made here
    published_days_ago: int
    updates: list[tuple[int, int, int]]  # (days ago, pledge, which text of [progress])
    metrics: dict[int, str] = {}  # pledge -> code of a metric
    local: list[str] = []  # slugs of priorities
    own_words: list[str] = []
    national: list[str] = ["Managing deterioration"]


PLANS = [
    Plan(NETWORK, ("Frances Albright", "Managing director"), "Frances Albright", 1000,
         [(600, 1, 0), (420, 2, 0), (300, 5, 0), (200, 4, 1), (60, 2, 1)],
         {1: "PU1", 2: "MEA1", 3: "CUL2", 5: "CUL1"}, ["older-people", "delirium", "transition-of-care"]),
    Plan("RWE", ("Priya Nair", "Medical director"), "signatory", 400,
         [(330, 1, 0), (300, 2, 0), (210, 3, 0), (150, 4, 0), (100, 5, 0), (90, 2, 1), (30, 1, 1)],
         {1: "OLD1", 2: "MEA1", 3: "CUL2"}, ["older-people", "delirium"]),
    Plan("RHA", ("Daniel Osei", "Director of nursing"), "Daniel Osei", 520,
         [(430, 1, 0), (340, 5, 0), (250, 3, 1), (120, 2, 0), (45, 4, 1)],
         {1: "RES1", 3: "EXP1"}, ["restraint", "suicide"]),
    Plan("RTG", ("Margaret Hale", "Chief nurse"), "Margaret Hale", 600,
         [(480, 1, 0), (400, 2, 0), (230, 5, 0)],
         {1: "PU1"}, ["pressure-ulcers", "healthcare-associated-infection"]),
    Plan("RWD", ("Robert Ekwueme", "Medical director"), "Robert Ekwueme", 800,
         [(700, 1, 0), (560, 2, 0), (430, 4, 0)],
         {2: "CUL1", 3: "EXP1"}, ["older-people"], ["Handover at night"]),
    Plan("RX9", ("Sunita Rao", "Director of quality"), "Sunita Rao", 90,
         [(20, 1, 0)], {2: "CUL2", 4: "TRA1"}, ["transition-of-care"], ["Long waits outside hospitals"], ["System safety"]),
    Plan("RP1", ("Helen Marsh", "Chief executive"), "Helen Marsh", 300,
         [(200, 1, 0), (140, 2, 0), (75, 3, 1)],
         {1: "SUI1", 3: "EXP1"}, ["suicide", "restraint"]),
    Plan("RY5", ("Owen Clarke", "Quality manager, for the board"), "member", 320,
         [(240, 1, 0), (165, 2, 0)], {1: "PU2"}, ["pressure-ulcers", "transition-of-care"]),
    Plan("RY8", ("Joanna Fielding", "Chief nurse"), "Joanna Fielding", 170, [], {}, ["pressure-ulcers", "older-people"]),
]  # fmt: skip
MERGED_INTO = "RY8"
MERGED = Plan("TVC", ("Edith Lowe", "Chief executive"), "Edith Lowe", 900, [(700, 1, 0), (500, 2, 0)], {1: "PU1"},
              ["pressure-ulcers", "older-people"])  # fmt: skip
IN_MODERATION = Plan("NR3", ("Callum Price", "Director of quality"), "Callum Price", 4, [], {},
                     ["pressure-ulcers", "older-people"])  # fmt: skip
RETURNED = Plan("RFS", ("Amara Diallo", "Patient safety analyst, for the board"), "owner", 12, [], {1: "OLD1"},
                ["older-people", "delirium"])  # fmt: skip
REASONS = (
    "Thank you, this is nearly there. Please name the person who signs: it should be somebody who speaks for the "
    "board, such as the chief executive. Under pledge 3, say how people will learn what you found."
)
DAYS_TO_WRITE, DAYS_TO_MODERATE = 20, 6


def make(world):
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    for position, plan in enumerate(PLANS):
        sign_up = _submit(world, plan, texts, position, days_ago=plan.published_days_ago + DAYS_TO_MODERATE)
        with clock.at(world.moment(days_ago=plan.published_days_ago)):
            _confirm_who_signs(world, sign_up)
            actions.publish_sign_up(sign_up=sign_up, by=world.users["staff"])
        _report(world, sign_up, plan, texts)
    _merge(world, texts)
    with clock.at(world.moment(days_ago=20)):
        actions.open_buddy(
            organisation=world.organisations["RWE"], offers=texts["plan"]["offers"], by=world.users["signatory"]
        )
    _submit(world, IN_MODERATION, texts, 1, days_ago=IN_MODERATION.published_days_ago, is_confirmed=False)
    returned = _submit(world, RETURNED, texts, 2, days_ago=RETURNED.published_days_ago)
    with clock.at(world.moment(days_ago=RETURNED.published_days_ago - DAYS_TO_MODERATE)):
        actions.return_sign_up(sign_up=returned, reasons=REASONS, by=world.users["staff"])


def _confirm_who_signs(world, sign_up):
    """Members of before, whose submission says that they sign, are confirmed by staff first."""
    for affiliation in sign_up.organisation.affiliations.filter(user=sign_up.signatory, signing="claimed"):
        projects.confirm_signatory(affiliation=affiliation, by=world.users["staff"])


def _merge(world, texts):
    """An invented organisation that signed, and has since become part of another."""
    staff, into = world.users["staff"], world.organisations[MERGED_INTO]
    with clock.at(world.moment(days_ago=960)):
        made = projects.create_organisation(
            name="Trent Vale Community Care (invented)", kind="charity", system=into.system, by=staff
        )
    world.organisations[MERGED.organisation] = made
    sign_up = _submit(world, MERGED, texts, 3, days_ago=MERGED.published_days_ago + DAYS_TO_MODERATE)
    with clock.at(world.moment(days_ago=MERGED.published_days_ago)):
        actions.publish_sign_up(sign_up=sign_up, by=staff)
    _report(world, sign_up, MERGED, texts)
    with clock.at(world.moment(days_ago=150)):
        projects.merge_organisations(
            organisation=made, successor=into, on=world.date(days_ago=150), reason=texts["plan"]["merged"], by=staff
        )


def statements_of(plan, texts, position):
    """Five statements: the network's own, or the library's with this organisation's words, no two alike in a row."""
    if plan.organisation == NETWORK:
        return [text.strip() for text in texts["network"]["statements"]]
    teams, people, focus = texts["words"][plan.organisation]
    statements = []
    for number in range(1, 6):
        choices = texts["answers"][str(number)]
        text = choices[(position + number) % len(choices)].strip()
        statements.append(_sentences(text, teams=teams, people=people, focus=focus))
    return statements


def _sentences(text, *, teams, people, focus):
    """The words in their places, with a capital letter where they begin a sentence and without one elsewhere."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        sentences = []
        for sentence in paragraph.split(". "):
            told = sentence.format(teams=teams, people=people[0].lower() + people[1:], focus=focus)
            sentences.append(told[0].upper() + told[1:])
        paragraphs.append(". ".join(sentences))
    return "\n\n".join(paragraphs)


def _submit(world, plan, texts, position, *, days_ago, is_confirmed=True):
    organisation = world.organisations[plan.organisation]
    with clock.at(world.moment(days_ago=days_ago + DAYS_TO_WRITE)):
        user = _signatory(world, plan, organisation, is_confirmed)
        sign_up = actions.start_sign_up(organisation=organisation, by=user)
    with clock.at(world.moment(days_ago=days_ago)):
        for number, text in enumerate(statements_of(plan, texts, position), start=1):
            metric = world.metrics.get(plan.metrics.get(number))
            actions.save_statement(sign_up=sign_up, number=number, text=text, metric=metric, by=user)
        must_do = ["safety-culture-and-leadership", "measurement"]
        actions.save_areas(
            sign_up=sign_up,
            priorities=[world.priorities[slug] for slug in must_do + plan.local],
            national=plan.national,
            own_words=plan.own_words,
            by=user,
        )
        starts = world.date(days_ago=days_ago).replace(day=1)
        actions.save_plan(
            sign_up=sign_up,
            board_approved_on=world.date(days_ago=days_ago + 5),
            plan_from=starts,
            plan_to=starts.replace(year=starts.year + 3) - dt.timedelta(days=1),
            own_page="",
            by=user,
        )
        aim, outline = texts["plan"]["aim"], texts["plan"]["outline"]
        focus = texts["words"].get(plan.organisation, ["", "", "avoidable harm"])[2]
        actions.save_drivers(
            sign_up=sign_up, aim=aim.format(focus=focus, year=starts.year + 3), outline=outline.strip(), by=user
        )
        name, role = plan.signatory
        actions.save_signatory(sign_up=sign_up, signatory_name=name, signatory_role=role, by=user)
        return actions.submit_sign_up(sign_up=sign_up, by=user)


def _signatory(world, plan, organisation, is_confirmed):
    if plan.account in world.users:
        return world.users[plan.account]
    first, last = plan.account.lower().split()
    user = User.objects.create_user(email=f"{first}.{last}@demo.example", full_name=plan.account, is_demonstration=True)
    affiliation = projects.claim_affiliation(organisation=organisation, role=plan.signatory[1], signs=True, by=user)
    if is_confirmed:
        projects.confirm_affiliation(affiliation=affiliation, by=world.users["staff"])
    return user


def _report(world, sign_up, plan, texts):
    teams, _, focus = texts["words"].get(plan.organisation, ["our partners' teams", "", "avoidable harm"])
    statements = {statement.pledge.number: statement for statement in sign_up.statements.select_related("pledge")}
    for days_ago, number, which in plan.updates:
        progress, what_changed, *reason = texts["progress"][str(number)][which]
        with clock.at(world.moment(days_ago=days_ago)):
            actions.post_progress(
                statement=statements[number],
                progress=progress,
                what_changed=what_changed.format(teams, "", focus),
                reason_stopped=reason[0] if reason else "",
                metric=statements[number].metric,
                by=sign_up.signatory,
            )
