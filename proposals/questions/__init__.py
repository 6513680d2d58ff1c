"""What a proposal asks, what counts as an answer, and how answers are read, shown and put together.

A draft keeps what was typed exactly as typed, by the names of the questions; nothing typed is ever refused by a save.
What stands in the way of submitting is found here, in sentences, and the values are read here once a draft is
submitted. Which questions there are depends on the call and the proposal: `sections_of` is the one list to go by.
"""

from proposals.questions.asking import (
    CARRIED_OVER,
    Condition,
    Kind,
    Question,
    Rows,
    Section,
    is_answered,
    is_carried_over,
    words,
)
from proposals.questions.blank import Blank, BlankSection, blank_form, condition_of
from proposals.questions.choices import Choices
from proposals.questions.merging import Clash, merge
from proposals.questions.reading import (
    Progress,
    Read,
    advice,
    budget_by_year,
    budget_totals,
    over_limit,
    pounds,
    progress,
    read,
    with_files,
)
from proposals.questions.sections import (
    ADOPTERS,
    BENEFITS,
    BUDGET,
    BY_SLUG,
    EVALUATIONS,
    OWN,
    SECTIONS,
    find,
    name_of,
    own_question,
    sections_of,
)
from proposals.questions.showing import (
    Answer,
    Shown,
    as_text,
    budget_table,
    names_told,
    shown,
    shown_of,
    shown_totals,
    systems_named,
    texts,
)

__all__ = [
    "ADOPTERS",
    "BENEFITS",
    "BUDGET",
    "BY_SLUG",
    "CARRIED_OVER",
    "EVALUATIONS",
    "OWN",
    "SECTIONS",
    "Answer",
    "Blank",
    "BlankSection",
    "Choices",
    "Clash",
    "Condition",
    "Kind",
    "Progress",
    "Question",
    "Read",
    "Rows",
    "Section",
    "Shown",
    "advice",
    "as_text",
    "blank_form",
    "budget_by_year",
    "budget_table",
    "budget_totals",
    "condition_of",
    "find",
    "is_answered",
    "is_carried_over",
    "merge",
    "name_of",
    "names_told",
    "over_limit",
    "own_question",
    "pounds",
    "progress",
    "read",
    "sections_of",
    "shown",
    "shown_of",
    "shown_totals",
    "systems_named",
    "texts",
    "with_files",
    "words",
]
