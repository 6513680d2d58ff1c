"""From the fit check into the form: what was answered goes along, and the form helps while it is filled in."""

from django.urls import reverse

from proposals import questions
from proposals.models import CallQuestion, Proposal
from psc_portal.common import clock
from tests.factories.proposals import CallFactory, CallQuestionFactory
from tests.functional.browsing import PHONE, day, fill, follow, press


class Story:
    def __init__(self):
        self.call = CallFactory(money_per_project=20000)
        self.digital = CallQuestionFactory(
            call=self.call, kind=CallQuestion.Kind.YES_NO, text="Is a pharmacist involved?"
        )
        self.which = CallQuestionFactory(
            call=self.call, text="Which pharmacy?", shown_if=self.digital, shown_if_answer="yes"
        )

    def section(self, page, slug):
        proposal = Proposal.objects.get(call=self.call)
        page.goto(reverse("proposals:draft_section", args=[self.call.slug, proposal.public_id, slug]))

    def name(self, question):
        return questions.name_of(question.pk)


def test_the_form_from_fit_check_to_budget(visit, make_person, log_in, look):
    story, person = Story(), make_person()
    page = visit()
    given_a_visitor_who_reads_the_blank_form(story, page, look)
    when_the_visitor_checks_the_fit_and_it_is_not_yet(story, page, look)
    when_the_visitor_checks_again_and_goes_on(story, page, look)
    when_the_visitor_signs_in_and_starts(story, page, person)
    then_the_answers_are_carried_over_and_can_be_changed(story, page, look)
    then_a_question_appears_only_after_its_answer(story, page, look)
    then_evaluations_are_asked_for_what_has_been_evaluated(story, page, look)
    then_words_are_counted_live_as_the_server_counts_them(story, page)
    then_the_budget_adds_up_live_and_after_saving(story, page, look)


def given_a_visitor_who_reads_the_blank_form(story, page, look):
    page.goto(story.call.get_absolute_url())
    follow(page, "Read or print the blank form")
    assert "Asked only if the answer to “Is a pharmacist involved?” is “Yes”." in page.locator("main").inner_text()
    look(page)


def when_the_visitor_checks_the_fit_and_it_is_not_yet(story, page, look):
    page.goto(story.call.get_absolute_url())
    follow(page, "Check in two minutes whether your idea fits")
    look(page)
    press(page, "See the result")
    assert page.title().startswith("Error: ")
    look(page)
    fill(page, fit_answers(story, evidence_level="1", adopters="nobody"))
    press(page, "See the result")
    text = page.locator("main").inner_text()
    assert "Not yet" in text
    assert "it has not been evaluated in at least one setting of care" in text
    assert "nobody has said yet that they would adopt it" in text
    look(page)


def when_the_visitor_checks_again_and_goes_on(story, page, look):
    follow(page, "Start the check again")
    fill(page, fit_answers(story))
    press(page, "See the result")
    assert page.locator("h1").inner_text() == "Likely"
    look(page)
    press(page, "Write a proposal with these answers")


def fit_answers(story, **changes):
    return {
        "priorities": [str(story.call.priorities.first().pk)],
        "asked_by": "several",
        "evidence_level": "3",
        "sites_now": "2",
        "adopters": "agreed",
        "aim_kind": "measured",
        "aim": "A quarter fewer falls by March 2028",
        "involves_people": "yes",
        "serves_underserved": "no",
        "growth": "no",
    } | changes


def when_the_visitor_signs_in_and_starts(story, page, person):
    assert "/accounts/login/" in page.url
    fill(page, {"login": person.email, "password": person.plain_password})
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()
    assert "Your answers from the fit check are carried over" in page.locator("main").inner_text()
    press(page, "Start now")


def then_the_answers_are_carried_over_and_can_be_changed(story, page, look):
    story.section(page, "spread")
    assert page.locator("[name=sites_now]").input_value() == "2"
    assert "From your fit check" in page.locator("main").inner_text()
    look(page)
    criterion, first = page.locator(".app-beside__criterion"), page.locator("[name=sites_now]")
    page.set_viewport_size({"width": PHONE, "height": 900})
    assert criterion.bounding_box()["y"] < first.bounding_box()["y"]
    fill(page, {"sites_now": "3"})
    press(page, "Save and come back later")
    story.section(page, "benefits")
    assert page.locator("[name=aim]").input_value() == "A quarter fewer falls by March 2028"


def then_a_question_appears_only_after_its_answer(story, page, look):
    story.section(page, questions.OWN)
    which = page.locator(f"[name='{story.name(story.which)}']")
    assert not which.is_visible()
    fill(page, {story.name(story.digital): "yes"})
    assert which.is_visible()
    fill(page, {story.name(story.which): "The one at the corner"})
    look(page)
    fill(page, {story.name(story.digital): "no"})
    assert not which.is_visible()
    press(page, "Save and come back later")
    kept = Proposal.objects.get(call=story.call).answers
    assert kept[story.name(story.which)] == "The one at the corner"


def then_evaluations_are_asked_for_what_has_been_evaluated(story, page, look):
    story.section(page, "evidence")
    where, tier = page.locator("[name='evaluation-1-where']"), page.locator("[name=digital_tier]").first
    assert (where.is_visible(), tier.is_visible()) == (True, False)  # level 3 came from the fit check
    fill(page, {"evidence_level": "0", "is_digital": "yes"})
    assert (where.is_visible(), tier.is_visible()) == (False, True)
    assert page.locator("[name=evidence_reason]").is_visible()
    look(page)
    fill(page, {"evidence_level": "3", "evaluation-1-from": day(clock.today())})
    look(page)
    press(page, "Save and continue")
    assert "Evaluation 1: Enter where it was evaluated" in page.locator("main").inner_text()
    look(page)


def then_words_are_counted_live_as_the_server_counts_them(story, page):
    story.section(page, "involvement")
    fill(page, {"involvement": "co-design well-known 3.5 " * 67})  # 201 words for the server, more for Intl.Segmenter
    status = page.locator("[data-module='nhsuk-character-count']", has=page.locator("[name=involvement]"))
    status.get_by_text("You have 1 word too many").first.wait_for()
    press(page, "Save and continue")
    assert "must be 200 words or fewer. It has 201 now, and your text is kept." in page.locator("main").inner_text()
    assert len(page.locator("[name=involvement]").input_value().split()) == 201


def then_the_budget_adds_up_live_and_after_saving(story, page, look):
    story.section(page, "budget")
    fill(page, {"budget-1-description": "Nurses", "budget-1-asked": "12,500", "budget-2-description": "Data"})
    fill(page, {"budget-2-asked": "£7,499.50", "budget-2-matched": "100", "budget-2-year": "2"})
    assert sums(page) == {
        "asked-1": "£12,500",
        "asked-2": "£7,499.50",
        "asked-all": "£19,999.50",
        "matched-2": "£100",
        "matched-all": "£100",
    }
    assert page.locator("[data-budget-note]").inner_text() == ""
    fill(page, {"budget-3-description": "Mats", "budget-3-asked": "10.10"})
    note = page.locator("[data-budget-note]").inner_text()
    assert "£9.60 more than one proposal can ask for" in note
    look(page)
    press(page, "Save and continue")
    assert "You ask for £20,009.60. Up to £20,000 is possible" in page.locator("main").inner_text()
    live = sums(page)
    no_script = page.context.browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = no_script.new_page()
    plain.goto(page.url)
    assert sums(plain) == live
    no_script.close()


def sums(page):
    cells = page.locator("[data-sum]")
    found = {cell.get_attribute("data-sum"): cell.inner_text() for cell in cells.all()}
    return {key: value for key, value in found.items() if value != "£0"}
