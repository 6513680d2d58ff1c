"""The network's own five pledges keep every commitment of the page that this portal replaces, in our own words.

Left: what was committed, told briefly. Right: where our words say it.
"""

import tomllib

import pytest

from pledges.models import WORDS_MAX, WORDS_MIN
from pledges.words import word_count
from psc_portal.management.demo import pledges as demo

COMMITMENTS = [
    (1, "reduce avoidable harm in the NHS by half", "help the NHS in the East Midlands to cut avoidable harm by half"),
    (1, "make goals and plans public", "We publish our goals and our plans"),
    (1, "developed locally", "We make those plans here in the region"),
    (1, "reflecting the local priorities", "they follow the local priorities"),
    (1, "set by partners and stakeholders", "that our partners and stakeholders have set"),
    (1, "developed through consultation", "The plans grew out of consultation"),
    (1, "and engagement with patients and public", "We asked our patients and the public"),
    (2, "more resilient to risks", "our organisation to withstand risk better"),
    (2, "act on the feedback from patients", "We act on what patients tell us"),
    (
        2,
        "constantly measure and monitor how safe services are",
        "measure and monitor all the time how safe our services",
    ),
    (2, "continually seek feedback from patients and public", "We keep asking patients and the public what they think"),
    (2, "through a number of fora", "in several forums"),
    (2, "and the Patient Senate", "through the Patient Senate"),
    (2, "measure the hard to measure", "measure what is hard to measure"),
    (2, "the impact of harm on patients", "what harm does to patients"),
    (2, "on relatives and carers", "to their relatives and carers"),
    (2, "including our staff", "to our own staff"),
    (2, "focus on measurement for improvement", "We measure in order to improve"),
    (2, "work with partners and stakeholders", "Together with our partners and stakeholders"),
    (2, "to demonstrate success", "we show what has worked"),
    (
        3,
        "be transparent about progress on safety issues",
        "We tell people openly how far we have come with patient safety",
    ),
    (
        3,
        "support staff to be candid with patients and families",
        "we support staff to be candid with patients and their",
    ),
    (3, "if something goes wrong", "When something goes wrong"),
    (3, "by publishing best practice", "we publish best practice"),
    (3, "support organisations to focus on improvement", "we help organisations to concentrate on improvement"),
    (3, "publish data relevant to the collaborative", "we publish the data that matters to the Patient Safety"),
    (3, "acknowledge the human factors that affect safety", "human factors"),
    (3, "acknowledge professional issues", "professional issues affect safety"),
    (3, "translate research into practice", "turning research into everyday practice"),
    (4, "take a leading role in local collaborative learning", "We take a leading part in helping local organisations"),
    (4, "improvements across all local services", "all the local services that patients use get better"),
    (4, "set up a local Patient Safety Collaborative", "We have set up a Patient Safety Collaborative"),
    (4, "endeavour to support all organisations", "It does its best to support all organisations"),
    (4, "partners and stakeholders", "partners and stakeholders"),
    (4, "to improve patient safety", "to make patients safer"),
    (4, "to learn from incidents", "to learn from incidents"),
    (4, "to promote a safety culture", "to build a culture of safety"),
    (4, "an environment that supports continual learning", "offer a place where learning never stops"),
    (4, "work with the regional lead for the campaign", "We work with our regional lead for Sign up to Safety"),
    (4, "cohesively", "pull in the same direction"),
    (4, "in partnership", "we act as partners"),
    (5, "help people understand why things go wrong", "We help people to understand why things go wrong"),
    (5, "and how to put them right", "how to put them right"),
    (5, "give staff the time and support to improve", "We give staff the time and the support to make care better"),
    (5, "celebrate the progress", "we celebrate the progress they make"),
    (5, "work with partners and stakeholders", "With our partners and stakeholders"),
    (5, "develop capacity in safety science", "we build the capacity"),
    (5, "develop capability in safety science", "the skills for safety science"),
    (5, "publish best practice", "We publish best practice"),
    (5, "create learning events to share improvements", "we hold learning events where improvements are shared"),
    (5, "support experts to improve patient safety", "We support experts in their work to make patients safer"),
    (5, "recognise the contribution of all staff", "we recognise what every single member of staff adds to it"),
]


@pytest.fixture(scope="module")
def texts():
    return tomllib.loads(demo.TEXTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("number", "commitment", "our_words"), COMMITMENTS)
def test_no_commitment_of_the_old_page_is_left_out(texts, number, commitment, our_words):
    assert our_words in texts["network"]["statements"][number - 1], commitment


def test_every_statement_of_the_demonstration_has_the_length_that_the_portal_asks_for(texts):
    plans = [*demo.PLANS, demo.IN_MODERATION, demo.RETURNED]

    for position, plan in enumerate(plans):
        statements = demo.statements_of(plan, texts, position)
        assert len(statements) == 5
        assert all(WORDS_MIN <= word_count(text) <= WORDS_MAX for text in statements)
        assert not any("{" in text for text in statements)
