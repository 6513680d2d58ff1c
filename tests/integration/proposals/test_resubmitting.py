"""Using the text of an earlier proposal in a later call, and what its reviewers see of that."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.urls import reverse

from projects.models import Priority
from proposals import actions, questions, readings, since_last_time
from proposals.models import Attachment, CallQuestion, Proposal
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory
from tests.factories.proposals import CallFactory, ProposalFactory, complete_answers, review_of
from tests.unit.common.test_uploads import pdf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def declined(**values) -> Proposal:
    """A proposal that was declined and told so, with feedback on each criterion."""
    proposal, staff = ProposalFactory(at_panel=True, call__at_panel=True, **values), UserFactory(staff=True)
    review_of(proposal, scores=[1] * 6, locked=True)
    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="The costs are unclear.")
    comments = {one.pk: f"Advice on {one.code}." for one in proposal.call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=proposal, by=staff, comments=comments, next_time="Show all costs.")
    actions.release_feedback(proposal=proposal, by=staff, reason="The others follow.")
    return Proposal.objects.get(pk=proposal.pk)


def again(earlier, call=None) -> Proposal:
    call = call or CallFactory(priorities=list(earlier.call.priorities.all()))
    return actions.resubmit_proposal(proposal=earlier, call=call, by=earlier.applicant)


def submitted_again(earlier, call=None, **changes) -> Proposal:
    draft = again(earlier, call)
    advice = since_last_time.advice_on(earlier)
    told = {one.name: f"We did what you said on {one.name}." for one in advice} | {one.met: "partly" for one in advice}
    draft.answers = draft.answers | told | changes
    draft.save()
    actions.submit_proposal(proposal=draft, by=draft.applicant)
    return Proposal.objects.get(pk=draft.pk)


def test_a_resubmission_begins_with_the_old_text_and_leaves_the_old_one_as_it_was():
    earlier = declined()
    before = Proposal.objects.filter(pk=earlier.pk).values().get()

    draft = again(earlier)

    assert (draft.status, draft.earlier, draft.title) == ("draft", earlier, earlier.title)
    assert (draft.answers, draft.left_out) == (earlier.answers, [])
    assert [version.answers for version in draft.versions.all()] == [draft.answers]
    assert Proposal.objects.filter(pk=earlier.pk).values().get() == before


def test_priorities_and_questions_that_the_new_call_lacks_are_left_out_and_named():
    kept, gone = PriorityFactory(title="Falls"), PriorityFactory(title="Sepsis")
    old = CallFactory(at_panel=True, priorities=[kept, gone])
    same = {"kind": "short_text", "text": "Who is your sponsor?"}
    sponsor = CallQuestion.objects.create(call=old, position=1, **same)
    animal = CallQuestion.objects.create(call=old, position=2, kind="short_text", text="Which animal?")
    earlier = declined(call=old)
    earlier.answers |= {questions.name_of(sponsor.pk): "Dr Shah", questions.name_of(animal.pk): "A fox"}
    earlier.save()
    call = CallFactory(priorities=[kept])
    there = CallQuestion.objects.create(call=call, position=5, **same)

    draft = again(earlier, call)

    assert draft.answers["priorities"] == [str(kept.pk)]
    assert draft.answers[questions.name_of(there.pk)] == "Dr Shah"
    assert "A fox" not in draft.answers.values()
    assert "“Which animal?”" in draft.left_out[0]
    assert "“Sepsis”" in draft.left_out[1]
    assert Priority.objects.filter(title="Sepsis").exists()


def test_files_are_copied_so_that_removing_one_leaves_the_other():
    earlier = declined()
    for name, scan in (("letter.pdf", "clean"), ("bad.pdf", "infected")):
        file = Attachment(proposal=earlier, name=name, kind="pdf", size=4, uploaded_by=earlier.applicant,
                          uploaded_at=clock.now(), scan_status=scan)  # fmt: skip
        file.file.save(name, ContentFile(b"%PDF"), save=False)
        file.save()

    draft = again(earlier)
    copy = draft.attachments.get()
    actions.remove_attachment(attachment=copy, by=draft.applicant)

    original = earlier.attachments.get(name="letter.pdf")
    assert (copy.name, copy.file.name != original.file.name) == ("letter.pdf", True)
    assert original.file.read() == b"%PDF"
    assert original.removed_at is None
    assert draft.left_out == ["the file “bad.pdf”, in which a virus was found"]


def with_file(earlier, name, content=None, **values) -> Attachment:
    file = Attachment(proposal=earlier, name=name, kind="pdf", size=4, uploaded_by=earlier.applicant,
                      uploaded_at=clock.now(), **values)  # fmt: skip
    file.file.save(name, ContentFile(pdf() if content is None else content), save=False)
    file.save()
    return file


def test_a_copy_into_a_blind_call_has_its_neutral_copy_or_stays_behind():
    earlier = declined()
    with_file(earlier, "letter.pdf")
    with_file(earlier, "broken.pdf", b"%PDF-")

    draft = again(earlier, CallFactory(is_blind=True, priorities=list(earlier.call.priorities.all())))

    copy = draft.attachments.get()
    assert (copy.name, copy.neutral_file.read()[:5]) == ("letter.pdf", b"%PDF-")
    assert draft.left_out == [
        "the file “broken.pdf”, which could not be freed of its document properties, and this call hides who applies"
    ]


@pytest.mark.parametrize(
    ("was", "has_scanner", "becomes"),
    [
        ("waiting", True, "waiting"),
        ("not_scanned", True, "waiting"),
        ("waiting", False, "waiting"),
        ("not_scanned", False, "not_scanned"),
        ("clean", True, "clean"),
    ],
)
def test_a_copy_waits_for_a_scan_of_its_own_unless_it_was_found_clean(settings, was, has_scanner, becomes):
    settings.CLAMD_URL = "unix:/nowhere/clamd.sock" if has_scanner else ""
    earlier = declined()
    with_file(earlier, "letter.pdf", scan_status=was, scanned_at=clock.now() if was == "clean" else None)

    copy = again(earlier).attachments.get()

    assert copy.scan_status == becomes
    jobs = OutboxMessage.objects.filter(task="proposals.scan_attachment").values_list("arguments", flat=True)
    assert list(jobs) == ([[copy.pk]] if becomes == "waiting" else [])


def test_files_go_to_the_same_question_and_those_that_nobody_asks_for_or_can_read_are_named():
    old = CallFactory(at_panel=True)
    asked = {"kind": "file", "text": "Your letter of support"}
    letter = CallQuestion.objects.create(call=old, position=1, **asked)
    chart = CallQuestion.objects.create(call=old, position=2, kind="file", text="Your chart")
    earlier = declined(call=old)
    with_file(earlier, "letter.pdf", question=questions.name_of(letter.pk))
    with_file(earlier, "chart.pdf", question=questions.name_of(chart.pk))
    with_file(earlier, "large.pdf", scan_status="unscannable")
    for number in range(5):
        with_file(earlier, f"{number}.pdf")
    call = CallFactory(priorities=list(old.priorities.all()))
    there = CallQuestion.objects.create(call=call, position=1, **asked)

    draft = again(earlier, call)

    copied = dict(draft.attachments.values_list("name", "question"))
    assert copied == {"letter.pdf": questions.name_of(there.pk)} | {f"{number}.pdf": "" for number in range(5)}
    assert draft.left_out == [
        "the file “chart.pdf”, which answers a question that this call does not ask",
        "the file “large.pdf”, which could not be scanned for viruses",
    ]


def test_clicking_twice_gives_one_draft():
    earlier = declined()
    call = CallFactory()

    assert again(earlier, call) == again(earlier, call)
    assert earlier.resubmissions.count() == 1


@pytest.mark.parametrize("status", ["submitted", "in_assessment", "at_panel", "approved"])
def test_a_proposal_on_its_way_or_approved_is_not_resubmitted(client_as, status):
    earlier = ProposalFactory(submitted=True, status=status)

    with pytest.raises(ActionRefused, match="still on its way"):
        again(earlier, CallFactory())
    url = reverse("proposals:proposal_resubmit", args=[earlier.address])
    assert client_as(earlier.applicant).get(url).status_code == 404


def test_a_decision_that_is_not_released_cannot_be_told_from_whether_resubmitting_is_offered(client_as):
    earlier = ProposalFactory(declined=True, call__at_panel=True)
    earlier.decisions.create(outcome="declined", reasons="No.", decided_by=UserFactory(), decided_at=clock.now())

    page = client_as(earlier.applicant).get(earlier.get_absolute_url()).content.decode()

    assert "Use this text in a later call" not in page
    with pytest.raises(ActionRefused):
        again(earlier, CallFactory())


def test_only_the_applicant_resubmits_and_only_into_an_open_call():
    earlier = declined()

    with pytest.raises(PermissionDenied):
        actions.resubmit_proposal(proposal=earlier, call=CallFactory(), by=UserFactory())
    for trait in ("upcoming", "closed", "decided"):
        with pytest.raises(ActionRefused, match="not open"):
            again(earlier, CallFactory(**{trait: True}))


def test_the_form_asks_what_was_done_about_each_piece_of_advice():
    earlier = declined()
    draft = again(earlier)

    section = questions.find(questions.sections_of(draft.call, draft), since_last_time.SLUG)

    names = [question.name for question in section.questions]
    assert len(names) == 14
    assert (names[:2], names[-1]) == (["since-priorities-met", "since-priorities"], "since-next-time")
    assert "Advice on priorities." in section.questions[0].hint
    assert questions.find(questions.sections_of(draft.call), since_last_time.SLUG) is None
    with pytest.raises(ActionRefused, match="14 answers are missing"):
        actions.submit_proposal(proposal=draft, by=draft.applicant)


def test_after_ineligibility_or_withdrawal_the_form_asks_what_changed():
    staff = UserFactory(staff=True)
    refused, withdrawn = ProposalFactory(submitted=True), ProposalFactory(submitted=True)
    actions.screen_proposal(proposal=refused, by=staff, is_eligible=False, reason="No partner.")
    actions.withdraw_proposal(proposal=withdrawn, by=withdrawn.applicant, reason="No staff.")

    asked = []
    for earlier in (refused, withdrawn):
        draft = again(Proposal.objects.get(pk=earlier.pk))
        asked.append([one.name for one in since_last_time.section_for(draft).questions])

    assert asked == [["since-eligibility-met", "since-eligibility"], ["since-changed"]]


def test_a_draft_is_begun_and_its_new_section_opened_in_the_browser(client_as):
    earlier, call = declined(), CallFactory()
    client = client_as(earlier.applicant)
    url = reverse("proposals:proposal_resubmit", args=[earlier.address])

    offered = client.get(url).content.decode()
    begun = client.post(url, {"call": call.pk}, follow=True)
    draft = earlier.resubmissions.get()
    section = client.get(reverse("proposals:draft_section", args=[call.slug, draft.public_id, since_last_time.SLUG]))

    assert call.title in offered
    assert "Not taken along: the priority" in begun.content.decode()
    assert "Advice on proven" in section.content.decode()


def test_reviewers_see_what_changed_and_what_was_done_and_not_the_earlier_scores(client_as):
    earlier = declined()
    proposal = submitted_again(earlier, problem="About 500 falls a year in our hospital.")
    Proposal.objects.filter(pk=proposal.pk).update(status="in_assessment")
    type(proposal.call).objects.filter(pk=proposal.call_id).update(status="assessment")
    review = review_of(proposal)

    since = readings.since_last_time_of(Proposal.objects.get(pk=proposal.pk))
    page = client_as(review.reviewer).get(reverse("admin:proposals_review_score", args=[review.pk])).content.decode()

    changed = {one.label: one.pieces for _title, several in since.sections for one in several}
    assert [(piece.change, piece.text) for piece in next(iter(changed.values()))] == [
        ("same", "About"), ("removed", " 400"), ("added", " 500"), ("same", " falls a year in our hospital."),
    ]  # fmt: skip
    assert len(changed) == 1
    assert since.advice[0][1:] == ("Partly met", "We did what you said on since-priorities.")
    assert page.count("<strong>Partly met.</strong> What was done:") == len(since.advice)
    assert "This is a resubmission" in page
    assert "Advice on proven." in page
    for secret in ("Reason of", "The costs are unclear."):
        assert secret not in page
    assert f">{earlier.reviews.get().reviewer.full_name}<" not in page


def test_blind_reviewers_see_no_names_of_either_text(client_as):
    old, new = OrganisationFactory(name="Trent Street Surgery"), OrganisationFactory(name="Soar Valley Hospice")
    call = CallFactory(is_blind=True)
    earlier = declined()
    earlier.answers = complete_answers(earlier.call, old, problem=f"Falls at {old.name}.")
    earlier.organisation = old
    earlier.save()
    answers = complete_answers(call, new, problem=f"Falls at {new.name}, once {old.name}.")
    answers["since-proven"] = f"{earlier.applicant.full_name} did it."
    proposal = submitted_again(earlier, call, **answers)

    blind = readings.since_last_time_of(proposal, blind=True)
    seen = readings.since_last_time_of(proposal)

    words = [" ".join(piece.text for _t, many in one.sections for row in many for piece in row.pieces)
             for one in (blind, seen)]  # fmt: skip
    told = [" ".join(answer for _advice, _met, answer in one.advice) for one in (blind, seen)]
    assert [earlier.applicant.full_name in text for text in told] == [False, True]
    assert [name in words[0] for name in (old.name, new.name)] == [False, False]
    assert [name in words[1] for name in (old.name, new.name)] == [True, True]


def test_a_first_proposal_has_no_earlier_one_to_compare_with():
    assert readings.since_last_time_of(ProposalFactory(submitted=True)) is None
