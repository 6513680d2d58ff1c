"""A consultation in a real browser: answered without JavaScript and by keyboard alone, moderated, decided and read."""

from projects.models import Consultation, ConsultationResponse
from psc_portal.common import clock
from tests.factories.projects import ConsultationFactory, PriorityFactory
from tests.functional.browsing import DESKTOP, PHONE, day, fill, follow, overflow, press, tab_to


def test_a_consultation_from_the_first_answer_to_the_decision(visit, axe, stack, make_person, log_in):
    consultation = ConsultationFactory(slug=f"journey-{clock.now():%H%M%S%f}", title="What should come first?")
    priority = PriorityFactory(title=f"Sleep {clock.now():%H%M%S}", slug=f"sleep-{clock.now():%H%M%S%f}")
    stack.forget_kept_pages()
    when_a_visitor_answers_without_javascript(visit, consultation)
    when_another_answers_by_keyboard_alone(visit, axe, consultation)
    staff = visit()
    log_in(staff, make_person(staff=True))
    when_staff_show_the_answers(staff, axe, consultation)
    when_it_closes_and_staff_decide(staff, axe, consultation, priority)
    then_everybody_reads_what_was_decided(visit, axe, consultation, priority)


def when_a_visitor_answers_without_javascript(visit, consultation):
    page = visit(PHONE, java_script_enabled=False)
    page.goto("/consultations/")
    follow(page, consultation.title)
    follow(page, "Answer the questions")
    fill(page, {"name": "A porter"})
    page.wait_for_timeout(2500)  # nobody answers faster
    press(page, "Send my answers")
    assert "Answer at least one question" in page.locator("main").inner_text()
    assert page.locator("[name=name]").input_value() == "A porter"
    fill(page, {"question_1": "Sleep at night."})
    page.wait_for_timeout(2500)
    press(page, "Send my answers")
    assert "Thank you for your answers" in page.locator("main").inner_text()


def when_another_answers_by_keyboard_alone(visit, axe, consultation):
    page = visit()
    page.goto(f"/consultations/{consultation.slug}/respond/")
    for width in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        axe(page)
    tab_to(page, page.locator("[name=question_2]"))
    page.keyboard.type("Quiet shoes.")
    tab_to(page, page.get_by_role("button", name="Send my answers"))
    page.wait_for_timeout(2500)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    axe(page)


def when_staff_show_the_answers(page, axe, consultation):
    for response in ConsultationResponse.objects.filter(consultation=consultation):
        page.goto(f"/admin/projects/consultationresponse/{response.pk}/change/")
        axe(page, stock_admin=True)
        follow(page, "Show it to everybody")
        press(page, "Show it to everybody")


def when_it_closes_and_staff_decide(page, axe, consultation, priority):
    Consultation.objects.filter(pk=consultation.pk).update(closes_at=clock.now())
    page.goto(f"/admin/projects/consultation/{consultation.pk}/change/")
    follow(page, "Publish what was said and decided")
    fill(
        page,
        {
            "what_was_said": "Most named sleep.",
            "what_was_decided": "We work on sleep.",
            "decided_on": day(clock.today()),
            "priorities": [str(priority.pk)],
        },
    )
    axe(page)
    press(page, "Publish what was said and decided")


def then_everybody_reads_what_was_decided(visit, axe, consultation, priority):
    page = visit()
    page.goto(f"/consultations/{consultation.slug}/")
    text = page.locator("main").inner_text()
    for words in ("Most named sleep.", "We work on sleep.", "A porter", "Sleep at night.", "Quiet shoes."):
        assert words in text
    for width in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        axe(page)
    follow(page, priority.title)
    assert "What is missing" in page.locator("main").inner_text()
    assert consultation.title in page.locator("main").inner_text()
    axe(page)
