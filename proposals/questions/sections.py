"""What every call asks, section by section, and what one call asks beside it.

A draft keeps what was typed exactly as typed, under the names below; nothing typed is ever refused by a save.
"""

from proposals import since_last_time
from proposals.models import CallQuestion
from proposals.questions.asking import LINE_LENGTH, Condition, Kind, Question, Rows, Section
from proposals.questions.choices import YES_NO

NOT_EVALUATED, EVALUATED = ("0", "1"), ("2", "3", "4", "5")  # levels of evidence
IF_DIGITAL = Condition("is_digital", ("yes",))
EVALUATIONS = Rows(
    name="evaluation",
    one="Evaluation",
    at_least=1,
    at_most=4,
    asked_if=Condition("evidence_level", EVALUATED),
    questions=(
        Question("setting", "Setting of care", Kind.CHOICE, choices="care_settings"),
        Question("where", "Where was it evaluated?", Kind.LINE, "Site and place", names_people=True,
                 enter="Enter where it was evaluated"),
        Question("from", "From", Kind.DATE, "For example, 1 4 2024", enter="Enter when the evaluation began"),
        Question("to", "To", Kind.DATE, "For example, 31 3 2025", enter="Enter when the evaluation ended"),
        Question("people", "How many people or cases?", Kind.WHOLE,
                 enter="Enter how many people or cases the evaluation covered"),
        Question("result", "What was the result?", hint="With numbers, before and after", word_limit=200,
                 enter="Describe the result"),
        Question("harms", "What harms did you look for, and what did you find?", word_limit=150,
                 enter="Say what harms you looked for and what you found"),
        Question("limits", "What did the evaluation not show?", word_limit=150,
                 enter="Say what the evaluation did not show"),
        Question("link", "Publication or NICE guidance", Kind.LINE, "Title or web address", is_required=False,
                 names_people=True),
        Question("file", "Report or paper", Kind.FILE, is_required=False, names_people=True),
    ),
)  # fmt: skip
ADOPTERS = Rows(
    name="adopter",
    one="Adopter",
    at_least=1,
    at_most=15,
    is_required=False,
    questions=(
        Question("system", "System", Kind.CHOICE, "The integrated care system that it works in", choices="systems"),
        Question("organisation", "Organisation", Kind.LINE, names_people=True, at_most=160),
        Question("stage", "How far are you?", Kind.CHOICE, choices="adoption_stages",
                 enter="Select how far you are with this adopter"),
        Question("sites", "How many of its sites?", Kind.WHOLE, "Wards, teams, homes or practices",
                 enter="Enter how many of its sites"),
        Question("by", "By when?", Kind.DATE, "For example, 31 3 2028", enter="Enter by when"),
    ),
)  # fmt: skip
BENEFITS = Rows(
    name="benefit",
    one="Promised benefit",
    at_least=1,
    at_most=6,
    questions=(
        Question("metric_name", "What you will measure", Kind.LINE, "For example, falls on the ward", at_most=120),
        Question("kind", "Kind of metric", Kind.CHOICE, choices="benefit_kinds"),
        Question("unit", "Unit", Kind.LINE, "For example, per 1,000 occupied bed days, or %", at_most=60),
        Question("direction", "Which way is better", Kind.CHOICE, choices="directions"),
        Question("baseline", "Where it is now", Kind.NUMBER, "A number, for example 6.6"),
        Question("aim", "Where you want it to be", Kind.NUMBER, "A number, for example 5"),
        Question("aim_on", "Date to reach it by", Kind.DATE, "For example, 31 3 2028"),
    ),
)
BUDGET = Rows(
    name="budget",
    one="Budget line",
    at_least=3,
    at_most=12,
    questions=(
        Question("description", "What it pays for", Kind.LINE, at_most=LINE_LENGTH),
        Question("year", "Year", Kind.CHOICE, "Leave it empty for year 1", choices="budget_years", is_required=False,
                 if_empty="Year 1"),
        Question("asked", "Asked of us, in pounds", Kind.MONEY),
        Question("matched", "From others or in kind, in pounds", Kind.MONEY, is_required=False),
    ),
)  # fmt: skip
SECTIONS = (
    Section(
        "about",
        "About the proposal",
        questions=(
            Question("title", "Title", Kind.LINE, "Up to 120 characters, without abbreviations", at_most=120),
            Question(
                "lay_summary",
                "Lay summary",
                hint="What you will do and why it matters, in words that anyone understands. "
                "If we fund your proposal, we publish this.",
                word_limit=150,
            ),
            Question(
                "organisation",
                "Lead organisation",
                Kind.CHOICE,
                "Leave it empty if yours is not in the list",
                choices="organisations",
                is_required=False,
                names_people=True,
            ),
            Question(
                "organisation_name",
                "Name of the lead organisation, if it is not in the list",
                Kind.LINE,
                is_required=False,
                names_people=True,
                at_most=160,
            ),
            Question(
                "partners",
                "Partner organisations",
                Kind.CHOICES,
                "Select all that have agreed to take part",
                choices="organisations",
                is_required=False,
                names_people=True,
            ),
            Question(
                "partner_roles",
                "What each partner will do",
                hint="Name here any partner who is not in the list",
                word_limit=150,
                is_required=False,
                names_people=True,
            ),
            Question(
                "care_settings",
                "Where care is given",
                Kind.CHOICES,
                choices="care_settings",
                enter="Select at least one setting of care",
            ),
            Question("problem", "What problem does it solve, and how big is it?", word_limit=200,
                     enter="Describe the problem and its size"),
            Question("innovation", "What is your innovation, and how does it work?", word_limit=250,
                     enter="Describe your innovation"),
        ),
        one_of=("organisation", "organisation_name"),
        one_of_problem="Select the lead organisation, or enter its name",
    ),
    Section(
        "priorities",
        "Who needs it",
        criterion="priorities",
        questions=(
            Question("priorities", "Which priorities does it serve?", Kind.CHOICES, choices="priorities",
                     enter="Select at least one priority"),
            Question(
                "who_asked",
                "Who needs this, and how do you know?",
                hint="Organisations that asked for it or committed people or money; plans that name it",
                word_limit=200,
                enter="Say who needs it and how you know",
            ),
        ),
    ),
    Section(
        "evidence",
        "Evidence that it works",
        "Tell us where it has worked, for whom, and what that did not show.",
        criterion="proven",
        questions=(
            Question("evidence_level", "Level of evidence", Kind.CHOICE, "The highest that you can show",
                     choices="evidence_levels", enter="Select the level of evidence"),
            Question("evidence_reason", "Why do you expect it to work?", word_limit=150,
                     hint="Where something like it has worked, or what it rests on",
                     enter="Say why you expect it to work", asked_if=Condition("evidence_level", NOT_EVALUATED)),
            Question("is_digital", "Is it digital?", Kind.CHOICE, "For example an app, a website or other software",
                     options=YES_NO, enter="Select whether it is digital"),
            Question("digital_tier", "Tier in the NICE evidence standards framework", Kind.CHOICE,
                     "The highest tier of what it does", choices="digital_tiers",
                     enter="Select the tier of your digital innovation", asked_if=IF_DIGITAL),
            Question("device_status", "If it is a device or digital: its class, marking and clinical safety standard",
                     word_limit=100, is_required=False),
        ),
        rows=EVALUATIONS,
        retired=(
            Question("evaluated_where", "Where was it evaluated?", Kind.LINE, is_required=False, names_people=True),
            Question("evaluated_when", "When was it evaluated?", Kind.LINE, is_required=False),
            Question("evaluated_people", "How many people or cases?", Kind.LINE, is_required=False),
            Question("evaluated_result", "What was the result?", is_required=False),
            Question("evaluated_harms", "What harms did you look for, and what did you find?", is_required=False),
            Question("evidence_limits", "What did the evaluation not show?", is_required=False),
            Question("evidence_link", "Publication or NICE guidance", Kind.LINE, is_required=False),
        ),
    ),
    Section(
        "spread",
        "How it will spread",
        criterion="spread",
        questions=(
            Question("sites_now", "Sites using it now", Kind.WHOLE, enter="Enter how many sites use it now"),
            Question("sites_in_12_months", "Sites in 12 months", Kind.WHOLE,
                     enter="Enter how many sites in 12 months"),
            Question("sites_in_24_months", "Sites in 24 months", Kind.WHOLE,
                     enter="Enter how many sites in 24 months"),
            Question("adopters", "Who will adopt it, and what will it cost them?", word_limit=200,
                     hint="List those you know below, system by system; here, say how you reach the others",
                     enter="Say who will adopt it", names_people=True),
            Question("fixed_parts", "What must stay the same, and what may be adapted?", word_limit=150,
                     enter="Say what must stay the same and what may be adapted"),
            Question("pathway_change", "Who must do something different on Monday morning?", word_limit=200,
                     enter="Say who must do something different"),
            Question("after_funding", "How will it go on after the funding?", word_limit=150,
                     enter="Say how it will go on after the funding"),
        ),
        rows=ADOPTERS,
    ),
    Section(
        "benefits",
        "Benefits you promise",
        "If we approve your proposal, each of these becomes a metric that you report.",
        criterion="benefits",
        questions=(
            Question("aim", "Your aim", hint="How much, by when, for whom", word_limit=100),
            Question("people_reached", "People reached in a year", Kind.WHOLE,
                     enter="Enter how many people it reaches in a year"),
            Question("value", "Why is it good value?", hint="Savings in money or time; who pays, and who gains",
                     word_limit=200, enter="Say why it is good value"),
        ),
        rows=BENEFITS,
    ),
    Section(
        "budget",
        "Budget",
        "Give the cost line by line. The portal adds it up.",
        criterion="benefits",
        questions=(
            Question("other_funders", "Who else funds it, or has been asked to?", word_limit=100, is_required=False,
                     names_people=True),
        ),
        rows=BUDGET,
    ),
    Section(
        "involvement",
        "Involving people",
        "Either of these can earn full marks. Answer at least one.",
        criterion="involvement",
        questions=(
            Question("involvement", "What changed because of what patients, service users and carers told you?",
                     hint="Their roles, how they are paid and supported", word_limit=200, is_required=False),
            Question(
                "underserved",
                "Which underserved communities will get a better service, and how will you know?",
                hint="For example, ethnic minority communities, people with a learning disability, or the most "
                "deprived fifth of the population",
                word_limit=200,
                is_required=False,
            ),
        ),
        one_of=("involvement", "underserved"),
        one_of_problem="Answer at least one of the two questions",
    ),
    Section(
        "growth",
        "Growth",
        criterion="growth",
        questions=(
            Question("growth", "What growth will it bring to the region?",
                     hint="Jobs, investment, contracts, with their source. If you expect none, say so: this is scored, "
                     "not required.", word_limit=200, enter="Say what growth it will bring, or that you expect none"),
        ),
    ),
    Section(
        "delivery",
        "Delivery and safety",
        questions=(
            Question("milestones", "Milestones", hint="What will be done by when", word_limit=200),
            Question("risks", "Main risks, and what you will do about them", word_limit=150,
                     enter="Describe the main risks"),
            Question("data_and_safety", "How will you protect data and keep people safe?", word_limit=150,
                     enter="Say how you will protect data and keep people safe"),
        ),
    ),
    Section("files", "Files", "You can add letters of support, papers or pictures.", is_required=False),
)  # fmt: skip
BY_SLUG = {section.slug: section for section in SECTIONS}


def sections_of(call, proposal=None) -> tuple[Section, ...]:
    """The sections of a call's form, or of one proposal in it: the one list that pages, actions and admin go by."""
    *common, files = SECTIONS
    more = (_own_section(call), since_last_time.section_for(proposal))
    return (*common, *(section for section in more if section), files)


def find(sections, slug) -> Section | None:
    return next((section for section in sections if section.slug == slug), None)


# What one call asks beside it -----------------------------------------------------------------------------------------
KINDS = {
    CallQuestion.Kind.SHORT_TEXT: Kind.LINE,
    CallQuestion.Kind.LONG_TEXT: Kind.TEXT,
    CallQuestion.Kind.NUMBER: Kind.NUMBER,
    CallQuestion.Kind.MONEY: Kind.MONEY,
    CallQuestion.Kind.DATE: Kind.DATE,
    CallQuestion.Kind.CHOICE: Kind.CHOICE,
    CallQuestion.Kind.CHOICES: Kind.CHOICES,
    CallQuestion.Kind.YES_NO: Kind.CHOICE,
    CallQuestion.Kind.FILE: Kind.FILE,
}
OWN = "call"  # slug of the section


def name_of(question_pk) -> str:
    """How answers to a call's own question are called."""
    return f"q-{question_pk}"


def _own_section(call) -> Section | None:
    own = tuple(own_question(one) for one in call.questions.all())
    if not own:
        return None
    is_required = any(question.is_required for question in own)
    return Section(OWN, "Questions of this call", questions=own, is_required=is_required)


def own_question(one: CallQuestion) -> Question:
    is_yes_no = one.kind == CallQuestion.Kind.YES_NO
    options = YES_NO if is_yes_no else tuple((text, text) for text in one.choices)
    verb = {Kind.CHOICE: "Choose an answer to", Kind.CHOICES: "Choose at least one answer to", Kind.FILE: "Add a file:"}
    kind = KINDS[one.kind]
    return Question(
        name_of(one.pk),
        one.text,
        kind,
        one.hint,
        word_limit=one.word_limit,
        is_required=one.is_required,
        options=options,
        enter=f"{verb.get(kind, 'Answer')} “{one.text}”",
        names_people=one.names_people,
        asked_if=Condition(name_of(one.shown_if_id), (one.shown_if_answer,)) if one.shown_if_id else None,
    )
