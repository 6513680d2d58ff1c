"""The parts of a report in their order, with a word to whoever writes each one."""

from psc_portal.annual_report.models import Section

Kind = Section.Kind

BEFORE_PRIORITIES = [
    (Kind.FOREWORD, "Two or three paragraphs by the chair: what changed for patients this year, and what did not."),
    (Kind.YEAR_IN_NUMBERS, "The portal fills in the numbers. Say in a sentence or two what they mean."),
    (Kind.WHO_WE_ARE, "Who the collaborative is, who leads it, who holds it to account."),
]
PRIORITY_GUIDANCE = (
    "The portal fills in projects, metrics and charts. Write what was done with whom, what was learned, what did not "
    "work, and what comes next. Say “while” or “after”, not “because of”, unless the evidence is strong."
)
AFTER_PRIORITIES = [
    (Kind.CASE_STUDIES, "Only with consent, or so told that nobody can be recognised."),
    (Kind.PLEDGES, "The portal lists who has pledged and how fresh each one's news is. Add what stands out."),
    (Kind.CALLS, "The portal fills in received, eligible and funded proposals. Add what the calls were for."),
    (Kind.INVOLVEMENT, "What patients and the public asked for, and what changed because of it."),
    (Kind.INEQUALITIES, "Which gaps you looked at, what you found, what you did."),
    (Kind.CAPABILITY, "Who was trained in what, and what they do with it."),
    (Kind.SPREAD, "Where working ideas have been taken up, and where they have not."),
    (Kind.MONEY, "Income, spending by priority, grants, and help in kind."),
    (Kind.FORWARD_PLAN, "What comes next year, with dates."),
    (Kind.THANKS, "Who made it possible."),
    (Kind.METRICS, "The portal lists every metric with its latest value, variation and target. Add what to beware of."),
    (Kind.GLOSSARY, "The portal lists the words that the report uses. Nothing need be added."),
    (Kind.CONTACTS, "The portal gives the collaborative's own addresses. Add others if they help."),
]
GUIDANCE = dict([*BEFORE_PRIORITIES, (Kind.PRIORITY, PRIORITY_GUIDANCE), *AFTER_PRIORITIES])


def sections(report, priorities) -> list[Section]:
    """Unsaved sections of a new report: one for each part, and a chapter for each priority, must-do topics first."""
    parts = [Section(kind=kind, heading=kind.label) for kind, _ in BEFORE_PRIORITIES]
    parts += [Section(kind=Kind.PRIORITY, priority=priority, heading=priority.title) for priority in priorities]
    parts += [Section(kind=kind, heading=kind.label) for kind, _ in AFTER_PRIORITIES]
    for position, section in enumerate(parts, start=1):
        section.report, section.position = report, position
    return parts
