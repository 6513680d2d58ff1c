"""What one call asks beside the common questions: the staff editor, and the questions in the form."""

import html
import io

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from proposals import actions, questions, since_last_time
from proposals.models import Attachment, CallQuestion
from psc_portal.common.models import AuditEvent
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, CallQuestionFactory, ProposalFactory, complete_answers, review_of

pytestmark = pytest.mark.django_db
Kind = CallQuestion.Kind


@pytest.fixture
def staff(client_as):
    return client_as(UserFactory(staff=True))


def list_url(call):
    return reverse("admin:proposals_call_questions", args=[call.pk])


def section_url(proposal, slug=questions.OWN):
    return reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, slug])


def typed(**changes):
    return {"text": "Which wards?", "kind": "short_text", "is_required": "on"} | changes


def texts(call):
    return list(call.questions.values_list("position", "text"))


def png(name="letter.png"):
    kept = io.BytesIO()
    Image.new("RGB", (4, 4)).save(kept, "PNG")
    return SimpleUploadedFile(name, kept.getvalue(), "image/png")


def draft_with(*specs, **kwargs):
    """A draft in a call that asks these: (kind, further fields); `shown_if` by place in the list."""
    proposal = ProposalFactory(**kwargs)
    made = []
    for kind, values in specs:
        values = dict(values)
        if "shown_if" in values:
            values["shown_if"] = made[values["shown_if"]]
        made.append(CallQuestionFactory(call=proposal.call, kind=kind, **values))
    return proposal, [questions.name_of(one.pk) for one in made]


# The editor -----------------------------------------------------------------------------------------------------------
def test_staff_add_edit_reorder_and_remove_the_questions_of_a_draft_call(staff):
    call = CallFactory(draft=True)
    add = reverse("admin:proposals_call_add_question", args=[call.pk])

    staff.post(add, typed())
    staff.post(add, typed(text="Is a pharmacist involved?", kind="yes_no"))
    staff.post(add, typed(text="Which settings?", kind="choices", choices="Wards\n\nCare homes\n", is_required=""))
    first, second, third = call.questions.all()
    staff.post(reverse("admin:proposals_callquestion_edit", args=[first.pk]), typed(text="Which two wards?"))
    staff.post(reverse("admin:proposals_callquestion_move_down", args=[first.pk]))
    staff.post(reverse("admin:proposals_callquestion_move_up", args=[third.pk]))
    answer = staff.post(reverse("admin:proposals_callquestion_remove", args=[second.pk]))

    assert answer.url == list_url(call)
    assert texts(call) == [(1, "Which settings?"), (2, "Which two wards?")]
    assert (third.choices, third.is_required) == (["Wards", "Care homes"], False)
    page = staff.get(list_url(call)).content.decode()
    assert "Wards · Care homes" in page
    verbs = list(AuditEvent.objects.filter(verb__endswith="question").values_list("verb", flat=True).order_by("pk"))
    assert verbs == [*["add_question"] * 3, "edit_question", "move_question", "move_question", "remove_question"]


def test_a_question_can_depend_on_one_answer_to_an_earlier_question(staff):
    call = CallFactory(draft=True)
    earlier = CallQuestionFactory(call=call, kind=Kind.YES_NO, text="Is it digital?")

    staff.post(
        reverse("admin:proposals_call_add_question", args=[call.pk]),
        typed(text="Which tier?", asked_if=f"{earlier.pk}|yes"),
    )

    later = call.questions.last()
    assert (later.shown_if, later.shown_if_answer) == (earlier, "yes")
    assert "Only if 1. “Is it digital?” is “Yes”" in staff.get(list_url(call)).content.decode()
    edit = staff.get(reverse("admin:proposals_callquestion_edit", args=[later.pk])).content.decode()
    assert f'<option value="{earlier.pk}|yes" selected>' in edit
    assert str(later.pk) + "|" not in edit


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "choice", "choices": "Only one"}, "at least two different answers"),
        ({"kind": "choices", "choices": "A\nA"}, "at least two different answers"),
        ({"kind": "choice", "choices": "A\nA\nB"}, "Two of the answers to choose from are the same"),
        ({"kind": "choice", "choices": "\n".join(map(str, range(21)))}, "up to 20 answers"),
        ({"kind": "long_text", "word_limit": "0"}, "Most words must be 10 or more"),
        ({"text": "  "}, "Enter question"),
        ({"text": "What is asked already?"}, "is asked twice"),
        ({"asked_if": "999|yes"}, "Choose from the list"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_and_what_was_typed_stays(staff, change, sentence):
    call = CallFactory(draft=True)
    CallQuestionFactory(call=call, text="What is asked already?")

    page = staff.post(
        reverse("admin:proposals_call_add_question", args=[call.pk]), typed(hint="My hint", **change)
    ).content.decode()

    assert sentence in page
    assert "My hint" in page
    assert call.questions.count() == 1


def test_a_condition_is_not_broken_by_moving_changing_or_removing_the_question_it_hangs_on():
    call = CallFactory(draft=True)
    staff = UserFactory(staff=True)
    earlier = CallQuestionFactory(call=call, kind=Kind.CHOICE, choices=["A", "B"], text="A or B?")
    later = CallQuestionFactory(call=call, shown_if=earlier, shown_if_answer="A", text="Why A?")

    for refused, sentence in [
        (lambda: actions.move_question(call_question=later, by=staff, step=-1), "does not come before it"),
        (lambda: actions.move_question(call_question=earlier, by=staff, step=1), "does not come before it"),
        (lambda: actions.remove_question(call_question=earlier, by=staff), "is asked only for a certain answer"),
        (
            lambda: actions.edit_question(
                call_question=earlier, by=staff, text="A?", kind=Kind.CHOICE, choices=["B", "C"]
            ),
            "which question 1 does not offer",
        ),
        (
            lambda: actions.edit_question(
                call_question=earlier, by=staff, text="A?", kind=Kind.YES_NO, shown_if=later, shown_if_answer="A"
            ),
            "does not come before it",
        ),
        (
            lambda: actions.edit_question(call_question=earlier, by=staff, text="A?", kind=Kind.SHORT_TEXT),
            "can only depend on a question with answers",
        ),
    ]:
        with pytest.raises(ActionRefused, match=sentence):
            refused()

    earlier.refresh_from_db()
    assert (texts(call), earlier.kind) == ([(1, "A or B?"), (2, "Why A?")], Kind.CHOICE)


def test_the_questions_of_a_published_call_are_frozen(staff):
    call = CallFactory(upcoming=True)
    question = CallQuestionFactory(call=call, text="Which wards?")

    page = staff.get(list_url(call)).content.decode()
    for verb in ("edit", "move_up", "remove"):
        staff.post(reverse(f"admin:proposals_callquestion_{verb}", args=[question.pk]), typed(text="Other"))
    added = staff.post(reverse("admin:proposals_call_add_question", args=[call.pk]), typed(text="More"), follow=True)

    assert "its questions are frozen" in page
    assert "Add a question" not in page
    assert "its questions are frozen" in added.content.decode()
    assert texts(call) == [(1, "Which wards?")]


@pytest.mark.parametrize("trait", [{"reviewer": True}, {"lead": True}, {}])
def test_only_staff_reach_the_editor(client_as, trait):
    user = UserFactory(**trait)
    client, question = client_as(user), CallQuestionFactory(call=CallFactory(draft=True))

    for address in (
        list_url(question.call),
        reverse("admin:proposals_call_add_question", args=[question.call.pk]),
        reverse("admin:proposals_callquestion_edit", args=[question.pk]),
    ):
        assert client.get(address).status_code in (302, 404)
    with pytest.raises(PermissionDenied):
        actions.add_question(call=question.call, by=user, text="Mine", kind=Kind.SHORT_TEXT)


def test_the_editor_takes_equally_many_queries_for_1_and_3_questions(staff, queries_of):
    call = CallFactory(draft=True)

    def one_more():
        CallQuestionFactory(call=call, kind=Kind.YES_NO)

    one_more()
    with_one = queries_of(staff, [list_url(call)])
    one_more()
    CallQuestionFactory(call=call, shown_if=call.questions.first(), shown_if_answer="yes")

    assert queries_of(staff, [list_url(call)]) == with_one


# In the form ----------------------------------------------------------------------------------------------------------
def test_every_kind_of_question_is_asked_saved_checked_and_read(client_as):
    proposal, names = draft_with(
        (Kind.SHORT_TEXT, {"text": "Which wards?", "hint": "<b>Names</b>"}),
        (Kind.LONG_TEXT, {"text": "Why these?", "word_limit": 10}),
        (Kind.NUMBER, {"text": "How many beds?"}),
        (Kind.MONEY, {"text": "What did it cost?"}),
        (Kind.DATE, {"text": "Since when?"}),
        (Kind.CHOICE, {"text": "Day or night?", "choices": ["Day", "Night"]}),
        (Kind.CHOICES, {"text": "Which shifts?", "choices": ["Early", "Late", "Night"]}),
        (Kind.YES_NO, {"text": "Is a pharmacist involved?"}),
    )
    wards, why, beds, cost, since, part, shifts, pharmacist = names
    client = client_as(proposal.applicant)
    url = section_url(proposal)

    wrong = client.post(
        url, {wards: "", why: "word " * 11, beds: "many", cost: "a lot", f"{since}_day": "31", "version": "1"}
    ).content.decode()
    answers = {wards: "A and B", why: "They are short of staff.", beds: "28.5", cost: "£1,200", part: "Night",
               shifts: ["Early", "Night"], pharmacist: "yes", "version": "2",
               f"{since}_day": "1", f"{since}_month": "4", f"{since}_year": "2025"}  # fmt: skip
    right = client.post(url, answers)
    copy = client.get(reverse("proposals:proposal_copy", args=[proposal.address])).content.decode()

    for sentence in ("Answer “Which wards?”", "must be 10 words or fewer. It has 11 now", "must be a number",
                     "must be an amount", "must be a real date", "Choose an answer to “Day or night?”"):  # fmt: skip
        assert sentence in wrong
    assert "&lt;b&gt;Names" in wrong
    assert right.status_code == 302
    for text in ("A and B", "28.5", "£1,200", "1 April 2025", "Night", "Early, Night", "Yes"):
        assert text in copy
    assert "Questions of this call" in copy


def test_what_is_not_asked_is_not_required_not_read_and_not_shown_but_kept(client_as):
    proposal, (digital, tier, why) = draft_with(
        (Kind.YES_NO, {"text": "Is it digital?"}),
        (Kind.CHOICE, {"text": "Which tier?", "choices": ["A", "B"], "shown_if": 0, "shown_if_answer": "yes"}),
        (Kind.SHORT_TEXT, {"text": "Why B?", "shown_if": 1, "shown_if_answer": "B"}),
    )
    client = client_as(proposal.applicant)

    def post(**answers):
        proposal.refresh_from_db()
        return client.post(section_url(proposal), {"version": proposal.version} | answers)

    def read():
        return client.get(reverse("proposals:proposal_copy", args=[proposal.address])).content.decode()

    missing = post(**{digital: "yes", tier: "B"}).content.decode()
    post(**{digital: "yes", tier: "B", why: "It guides care"})
    assert "It guides care" in read()
    left_out = post(**{digital: "no", tier: "B", why: "It guides care"})

    assert "Answer “Why B?”" in missing
    assert left_out.status_code == 302
    assert "It guides care" not in read()
    assert "Which tier?" not in read()
    proposal.refresh_from_db()
    assert proposal.answers[why] == "It guides care"
    form = client.get(section_url(proposal)).content.decode()
    assert "It guides care" in form
    assert "Asked only if the answer to “Is it digital?” is “Yes”." in form
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)


def test_a_number_of_a_patient_in_an_answer_that_is_not_asked_any_more_is_still_refused():
    proposal, (digital, why) = draft_with(
        (Kind.YES_NO, {"text": "Is it digital?"}),
        (Kind.SHORT_TEXT, {"text": "Why?", "shown_if": 0, "shown_if_answer": "yes"}),
    )
    proposal.answers |= {digital: "no", why: "943 476 5919"}
    proposal.save()

    with pytest.raises(ActionRefused, match="“Why\\?” \\(not asked any more, but kept\\)"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)


def test_a_required_question_of_the_call_stands_in_the_way_of_submitting():
    proposal, (name,) = draft_with((Kind.SHORT_TEXT, {"text": "Which wards?"}))

    with pytest.raises(ActionRefused, match="1 answer is missing"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.answers[name] = "A and B"
    proposal.save()
    assert actions.submit_proposal(proposal=proposal, by=proposal.applicant).reference


def test_a_file_answers_a_question_is_replaced_and_taken_out(client_as):
    proposal, (name,) = draft_with((Kind.FILE, {"text": "Letter of the board"}))
    client, url = client_as(proposal.applicant), section_url(proposal)

    missing = client.post(url, {"version": "1"}).content.decode()
    wrong = client.post(url, {"version": "1", name: SimpleUploadedFile("macro.exe", b"MZ")}).content.decode()
    first = client.post(url, {"version": "1", name: png("first.png")})
    client.post(url, {"version": "1", name: png("second.png")})
    page = client.get(url).content.decode()
    copy = client.get(reverse("proposals:proposal_copy", args=[proposal.address])).content.decode()
    beside = client.get(reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id]))

    assert "Add a file: “Letter of the board”" in missing
    assert "“macro.exe” is not of a type" in wrong
    assert first.status_code == 302
    assert [file.name for file in Attachment.objects.current()] == ["second.png"]
    assert "Now: second.png" in page
    file = Attachment.objects.current().get()
    assert file.question == name
    assert copy.count(f'<a href="{file.get_absolute_url()}">second.png</a>') == 1
    assert "second.png" not in beside.content.decode()
    client.post(url, {"version": "1", f"{name}-remove": "on"})
    assert not Attachment.objects.current().exists()


def test_a_file_sent_as_the_answer_to_a_question_for_text_is_not_kept(client_as):
    proposal, (name,) = draft_with((Kind.SHORT_TEXT, {"text": "Who leads it?"}))
    client, url = client_as(proposal.applicant), section_url(proposal)

    client.post(url, {"version": "1", name: png("name.png")})
    with pytest.raises(ActionRefused, match="was not added: no file is asked for there"):
        actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png("name.png"), question=name)

    assert not Attachment.objects.exists()
    assert client.get(proposal.get_absolute_url()).status_code == 200


def test_a_blind_reader_sees_no_answer_or_file_that_names_people(client_as):
    proposal, (named, other, letter) = draft_with(
        (Kind.SHORT_TEXT, {"text": "Who leads it?", "names_people": True}),
        (Kind.SHORT_TEXT, {"text": "Which wards?"}),
        (Kind.FILE, {"text": "Letter"}),
        in_assessment=True,
        call__in_assessment=True,
        call__is_blind=True,
    )
    proposal.answers |= {
        named: "Dr Zebra",
        other: "Ward seven",
        "adopter-1-system": "QT1",
        "adopter-1-organisation": "Zebra Hospital",
    }
    proposal.save()
    Attachment.objects.create(
        proposal=proposal, question=letter, file=png(), name="Zebra.png", kind="png", size=4,
        uploaded_by=proposal.applicant, uploaded_at=proposal.created_at,
    )  # fmt: skip
    reviewer = review_of(proposal).reviewer

    page = client_as(reviewer).get(proposal.get_absolute_url()).content.decode()

    assert "Ward seven" in page
    assert "Zebra" not in page


def test_the_blank_form_shows_every_question_beside_its_criterion_before_any_account(client):
    call = CallFactory()

    page = html.unescape(client.get(reverse("proposals:call_form", args=[call.slug])).content.decode())

    for section in questions.SECTIONS:
        assert section.title in page
        for question in [*section.questions, *(section.rows.questions if section.rows else ())]:
            assert question.label in page
    for weight in call.weights.all():
        assert weight.criterion.title in page and f"{weight.weight}%" in page
        assert all(level.text in page for level in weight.criterion.levels.all())


def test_a_section_shows_its_criterion_weight_and_levels_and_growth_says_that_it_is_scored_not_required(client_as):
    draft = ProposalFactory()
    weight = draft.call.weights.get(criterion__code="growth")

    address = reverse("proposals:draft_section", args=[draft.call.slug, draft.public_id, "growth"])
    page = html.unescape(client_as(draft.applicant).get(address).content.decode())

    assert f"Weight: {weight.weight}%" in page
    assert all(level.text in page for level in weight.criterion.levels.all())
    assert "this is scored, not required" in page


def test_the_task_list_tells_complete_begun_untouched_and_optional_sections_apart(client_as):
    draft = ProposalFactory()
    draft.answers |= {"problem": "", "growth": ""}
    draft.save()

    page = client_as(draft.applicant).get(reverse("proposals:draft", args=[draft.call.slug, draft.public_id]))
    tasks = {task["title"]["text"]: task["status"] for task in page.context["tasks"]}

    assert tasks["Involving people"] == {"text": "Completed"}
    assert tasks["About the proposal"]["tag"]["text"] == "In progress"
    assert tasks["Growth"]["tag"]["text"] == "Not started"
    assert tasks["Files"]["tag"]["text"] == "Optional"


def test_the_blank_form_shows_the_call_s_own_questions_with_their_conditions(client):
    call = CallFactory()
    digital = CallQuestionFactory(call=call, kind=Kind.YES_NO, text="Is it digital?")
    CallQuestionFactory(
        call=call, kind=Kind.LONG_TEXT, word_limit=80, text="How safe is it?", shown_if=digital, shown_if_answer="yes",
        is_required=False,
    )  # fmt: skip

    page = client.get(reverse("proposals:call_form", args=[call.slug])).content.decode()

    assert "Questions of this call" in page
    assert "How safe is it?</strong> (optional)" in page
    assert "Text of up to 80 words" in page
    assert "Asked only if the answer to “Is it digital?” is “Yes”." in page


def test_a_call_without_questions_of_its_own_has_no_such_section(client_as):
    proposal = ProposalFactory()

    answer = client_as(proposal.applicant).get(section_url(proposal))

    assert answer.status_code == 404


def test_the_pages_of_the_form_take_equally_many_queries_for_1_and_3_questions(client_as, queries_of):
    proposal, _names = draft_with((Kind.YES_NO, {}))
    client = client_as(proposal.applicant)
    args = [proposal.call.slug, proposal.public_id]
    pages = [
        section_url(proposal),
        reverse("proposals:draft", args=args),
        reverse("proposals:draft_check", args=args),
        reverse("proposals:call_form", args=args[:1]),
    ]

    with_one = queries_of(client, pages)
    for _ in range(2):
        CallQuestionFactory(call=proposal.call, kind=Kind.CHOICE, choices=["A", "B"])

    assert queries_of(client, pages) == with_one
    assert with_one[section_url(proposal)] <= 10


def test_old_drafts_keep_and_show_what_was_answered_under_earlier_names(client_as):
    proposal = ProposalFactory()
    proposal.answers = complete_answers(proposal.call) | {
        "evaluated_where": "Ward seven of the old form",
        "evaluated_when": "April 2024 to March 2025",
    }
    proposal.save()
    client = client_as(proposal.applicant)

    form = client.get(section_url(proposal, "evidence")).content.decode()
    copy = client.get(reverse("proposals:proposal_copy", args=[proposal.address])).content.decode()

    for page in (form, copy):
        assert "Ward seven of the old form" in page
        assert "April 2024 to March 2025" in page
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)


def test_answers_to_own_questions_and_to_those_of_a_second_attempt_are_saved_while_they_are_typed(client_as):
    earlier = ProposalFactory(submitted=True, status="withdrawn")
    proposal, (name,) = draft_with((Kind.SHORT_TEXT, {}), earlier=earlier, applicant=earlier.applicant)
    again = questions.find(questions.sections_of(proposal.call, proposal), since_last_time.SLUG)
    asked = next(again.names())
    client = client_as(proposal.applicant)

    for section, answer in ((questions.OWN, name), (again.slug, asked)):
        url = reverse("proposals:draft_autosave", args=[proposal.call.slug, proposal.public_id, section])
        assert client.post(url, {"base": "{}", answer: "Typed"}).status_code == 200

    proposal.refresh_from_db()
    assert (proposal.answers[name], proposal.answers[asked]) == ("Typed", "Typed")
