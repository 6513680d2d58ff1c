import datetime as dt
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from proposals import actions, questions
from proposals.models import Attachment, DraftVersion, Proposal
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of

pytestmark = pytest.mark.django_db
ABOUT = questions.BY_SLUG["about"]


def png(name="chart.png"):
    kept = io.BytesIO()
    Image.new("RGB", (4, 4)).save(kept, "PNG")
    return SimpleUploadedFile(name, kept.getvalue(), "image/png")


def section_url(proposal, slug="about"):
    return reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, slug])


def new_draft(**kwargs):
    return ProposalFactory(answers={}, version=0, title="", **kwargs)


# Drafts ---------------------------------------------------------------------------------------------------------------
def test_an_innovator_starts_a_draft_saves_it_and_comes_back(client_as):
    call, user = CallFactory(), UserFactory()
    client = client_as(user)

    started = client.post(reverse("proposals:apply", args=[call.slug]))
    proposal = Proposal.objects.get()
    saved = client.post(section_url(proposal), {"title": "Half a title", "version": "0", "later": "1"}, follow=True)
    page = client.get(section_url(proposal)).content.decode()

    assert started.url == reverse("proposals:draft", args=[call.slug, proposal.public_id])
    assert "In progress" in saved.content.decode()
    assert 'value="Half a title"' in page
    assert (proposal.applicant, DraftVersion.objects.get().answers["title"]) == (user, "Half a title")


@pytest.mark.parametrize("trait", ["upcoming", "closed", "in_assessment"])
def test_a_draft_cannot_be_started_in_a_call_that_is_not_open(client_as, trait):
    call = CallFactory(**{trait: True})

    answer = client_as(UserFactory()).post(reverse("proposals:apply", args=[call.slug]), follow=True)

    assert "This call is not open" in answer.content.decode()
    assert not Proposal.objects.exists()


def test_a_text_over_its_limit_is_refused_politely_and_kept(client_as):
    proposal = new_draft()
    text = "word " * 160

    answer = client_as(proposal.applicant).post(section_url(proposal), {"lay_summary": text, "version": "0"})

    page = answer.content.decode()
    proposal.refresh_from_db()
    assert "must be 150 words or fewer. It has 160 now, and your text is kept." in page
    assert "<title>Error: " in page
    assert page.count("word word") >= 1
    assert proposal.answers["lay_summary"].split() == text.split()


def test_every_kind_of_nonsense_typed_is_kept_and_shown_again(client_as):
    proposal = new_draft()
    typed = {
        "aim": "943 476 5919",
        "people_reached": "a few hundred",
        "value": "<script>alert(1)</script>",
        "benefit-1-metric_name": "Falls",
        "benefit-1-baseline": "about six",
        "benefit-1-aim_on_day": "31",
        "benefit-1-aim_on_month": "2",
        "benefit-1-aim_on_year": "2028",
        "version": "0",
    }
    client = client_as(proposal.applicant)

    first = client.post(section_url(proposal, "benefits"), typed).content.decode()
    again = client.get(section_url(proposal, "benefits")).content.decode()

    for page in (first, again):
        for text in ("943 476 5919", "a few hundred", "&lt;script&gt;alert(1)", "about six", 'value="2028"'):
            assert text in page
        assert "<script>alert" not in page
    assert "must be a real date" in first
    assert "must be a number" in first


def test_a_draft_can_be_saved_after_the_call_has_closed_and_says_not_submitted(client_as):
    proposal = ProposalFactory(call__closed=True)
    client = client_as(proposal.applicant)

    client.post(section_url(proposal), {"title": "Too late", "version": "1", "later": "1"})
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "not submitted, the call has closed" in client.get(reverse("my")).content.decode()
    submitted = client.post(
        reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id]), {"declares": "on"}
    )

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Too late"
    assert "Not submitted: the call has closed" in page
    assert "Your text is kept as not submitted" in submitted.content.decode()
    assert proposal.status == Proposal.Status.DRAFT


def test_two_tabs_that_change_different_answers_both_win(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)

    client.post(section_url(proposal), {"title": "First tab", "version": "0", "later": "1"})
    client.post(section_url(proposal), {"title": "", "problem": "Second tab", "version": "0", "later": "1"})

    proposal.refresh_from_db()
    assert (proposal.answers["title"], proposal.answers["problem"]) == ("First tab", "Second tab")


def test_two_tabs_that_change_the_same_answer_show_both_texts_and_overwrite_neither(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    client.post(section_url(proposal), {"problem": "Text of the first tab", "version": "0", "later": "1"})

    clash = client.post(section_url(proposal), {"problem": "Text of the second tab", "version": "0"})

    page = clash.content.decode()
    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "Text of the first tab"
    assert "Text of the first tab" in page
    assert page.count("Text of the second tab") == 2
    client.post(section_url(proposal), {"problem": "Both together", "version": "1", "later": "1"})
    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "Both together"


def test_posted_names_that_the_section_does_not_ask_for_are_ignored():
    proposal = new_draft()

    actions.save_draft(
        proposal=proposal, by=proposal.applicant, section=ABOUT, version=0,
        answers={"title": "Mine", "status": "approved", "growth": "Not of this section"},
    )  # fmt: skip

    proposal.refresh_from_db()
    assert (proposal.answers, proposal.status) == ({"title": "Mine"}, "draft")


def test_each_save_is_kept_as_a_version():
    proposal = new_draft()
    for number, title in enumerate(("One", "Two", "Two")):
        actions.save_draft(
            proposal=proposal, by=proposal.applicant, section=ABOUT, version=min(number, 2), answers={"title": title}
        )

    assert list(DraftVersion.objects.values_list("number", "answers__title")) == [(2, "Two"), (1, "One")]


def test_the_rows_of_the_budget_grow_and_add_up(client_as):
    proposal = new_draft()
    data = {"version": "0"}
    for number, asked in enumerate(("12,500", "£99.50", "1000"), 1):
        data |= {f"budget-{number}-description": f"Line {number}", f"budget-{number}-asked": asked}
    client = client_as(proposal.applicant)

    more = client.post(section_url(proposal, "budget"), {"version": "0", "budget-1-description": "Line", "more": "1"})
    data["version"] = "1"
    done = client.post(section_url(proposal, "budget"), data)
    page = client.get(section_url(proposal, "budget")).content.decode()

    assert more.url == section_url(proposal, "budget") + "#budget-3"
    assert done.url == section_url(proposal, "involvement")
    assert "£13,599.50" in page
    assert 'name="budget-4-asked"' in page


def test_two_clicks_on_the_beginning_are_one_draft_and_later_a_second_can_be_begun(client_as):
    call, user = CallFactory(), UserFactory()
    client, url = client_as(user), reverse("proposals:apply", args=[call.slug])

    first, second = client.post(url), client.post(url)
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        later = client.post(url)

    assert (first.url == second.url, first.url == later.url) == (True, False)
    assert Proposal.objects.count() == 2


def test_a_submitted_proposal_can_no_longer_be_written():
    proposal = ProposalFactory(submitted=True)

    with pytest.raises(ActionRefused, match="can no longer be changed"):
        actions.save_draft(
            proposal=proposal, by=proposal.applicant, section=ABOUT, answers={"title": "Other"}, version=1
        )

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Fewer falls on the ward"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("submitted", "This proposal is “submitted” and can no longer be changed. To change it, withdraw it and write"),
        ("withdrawn", "can no longer be changed. You can write a new one while the call is open."),
    ],
)
def test_a_file_that_comes_too_late_is_refused_without_talk_of_text_that_is_kept(status, said):
    proposal = ProposalFactory(submitted=True, status=status)

    with pytest.raises(ActionRefused) as refusal:
        actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png("chart.png"))

    assert said in str(refusal.value)
    assert "What you typed" not in str(refusal.value)


def test_a_sign_that_the_database_cannot_hold_is_left_out_of_what_is_saved(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)

    saved = client.post(section_url(proposal), {"version": "0", "title": "Fewer\0 falls", "priorities": "1\0"})
    client.post(section_url(proposal) + "autosave/", {"base": "{}", "lay_summary": "On\0 the ward"})

    proposal.refresh_from_db()
    assert saved.status_code in (200, 302)
    assert (proposal.title, proposal.answers["lay_summary"]) == ("Fewer falls", "On the ward")


def test_the_second_of_two_clicks_on_withdraw_finds_it_withdrawn_with_the_first_reason(client_as):
    proposal = new_draft()
    client, url = client_as(proposal.applicant), reverse("proposals:proposal_withdraw", args=[proposal.address])

    client.post(url, {"reason": "We found other money."})
    again = client.post(url, {"reason": "Another reason."}, follow=True).content.decode()

    proposal.refresh_from_db()
    assert "This proposal is withdrawn already." in again
    assert proposal.withdrawal_reason == "We found other money."
    with pytest.raises(ActionRefused, match="withdrawn already"):
        actions.withdraw_proposal(proposal=proposal, by=proposal.applicant, reason="Another.")


def test_check_your_answers_names_what_is_missing_with_links_and_submits_what_is_complete(client_as):
    proposal = ProposalFactory()
    proposal.answers |= {"title": "", "benefit-1-aim": "lots"}
    proposal.save()
    client = client_as(proposal.applicant)
    url = reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])

    page = client.get(url).content.decode()
    undeclared = client.post(url, {"interests": "My sister sells the mats"}).content.decode()

    assert f'<a href="{section_url(proposal)}#id_title">Enter title</a>' in page
    assert "Promised benefit 1: Where you want it to be must be a number" in page
    assert "2 answers must be given or changed" in page
    assert "Tick the box to make the declaration" in undeclared
    assert "My sister sells the mats" in undeclared
    assert "My sister sells the mats" in client.get(url).content.decode()  # kept, though it was not declared


def test_files_sent_after_a_colleague_submitted_are_refused_by_name(client_as):
    proposal = ProposalFactory()
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])
    page = client_as(proposal.applicant).post(url, {"file": png()}, follow=True).content.decode()

    assert "can no longer be changed" in page and "Not added: “chart.png”." in page
    assert not Attachment.objects.exists()


# Files ----------------------------------------------------------------------------------------------------------------
def test_a_file_is_kept_privately_under_a_random_name_and_sent_as_an_attachment(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])

    client.post(url, {"file": png("my chart.png")})
    file = Attachment.objects.get()
    answer = client.get(file.get_absolute_url())

    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    assert (file.name, file.kind, "my chart" in file.file.name) == ("my chart.png", "png", False)
    assert answer["Content-Disposition"] == 'attachment; filename="my chart.png"'
    client.post(reverse("proposals:draft_file_remove", args=[proposal.call.slug, proposal.public_id, file.public_id]))
    assert client.get(file.get_absolute_url()).status_code == 404


def zipped(name, member):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr(member, "x")
    return SimpleUploadedFile(name, kept.getvalue())


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (None, "Choose a file"),
        (SimpleUploadedFile("empty.pdf", b""), "“empty.pdf” is empty"),
        (SimpleUploadedFile("macro.exe", b"MZ"), "“macro.exe” is not of a type"),
        (SimpleUploadedFile("fake.pdf", b"<html>"), "“fake.pdf” could not be read as PDF"),
        (SimpleUploadedFile("drawing.svg", b"<svg/>"), "“drawing.svg” is not of a type"),
        (zipped("letter.docx", "other.xml"), "“letter.docx” could not be read as Word"),
    ],
)
def test_a_missing_or_wrong_file_is_refused_with_a_sentence_that_names_it(client_as, file, sentence):
    proposal = new_draft()
    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])

    page = client_as(proposal.applicant).post(url, {"file": file} if file else {}).content.decode()

    assert sentence in page
    assert not Attachment.objects.exists()


def test_an_oversized_file_is_refused_with_a_sentence_that_names_it(client_as, settings):
    settings.UPLOAD_MAX_BYTES = 50
    proposal = new_draft()
    url = reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])

    page = client_as(proposal.applicant).post(url, {"file": png("large.png")}).content.decode()

    assert "“large.png” is" in page
    assert not Attachment.objects.exists()


def test_no_more_than_five_files():
    proposal = new_draft()
    for number in range(5):
        actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png(f"{number}.png"))

    with pytest.raises(ActionRefused, match="up to 5 files"):
        actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png("6.png"))


# Whose is it ----------------------------------------------------------------------------------------------------------
def test_another_applicant_gets_a_404_at_every_address_of_a_draft(client_as):
    proposal = ProposalFactory(title="Zebra crossing")
    file = actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png())
    args = [proposal.call.slug, proposal.public_id]
    pages = [
        proposal.get_absolute_url(),
        file.get_absolute_url(),
        reverse("proposals:draft", args=args),
        reverse("proposals:draft_check", args=args),
        reverse("proposals:draft_files", args=args),
        reverse("proposals:draft_section", args=[*args, "about"]),
        reverse("proposals:proposal_copy", args=[proposal.address]),
        reverse("proposals:proposal_withdraw", args=[proposal.address]),
    ]
    removing = reverse("proposals:draft_file_remove", args=[*args, file.public_id])

    for trait in ({}, {"staff": True}, {"reviewer": True}, {"lead": True}):
        client = client_as(UserFactory(**trait))
        assert {client.get(page).status_code for page in pages} == {404}, trait
        posted = {client.post(page, {"reason": "x", "title": "x", "version": "1"}).status_code for page in pages[2:6]}
        assert posted <= {404, 405}, trait
        assert client.post(removing).status_code == 404
    assert Attachment.objects.current().count() == 1
    assert proposal.versions.count() == 0


def test_someone_else_s_file_cannot_be_removed_through_one_s_own_draft(client_as):
    mine = new_draft()
    theirs = actions.add_attachment(proposal=(other := new_draft()), by=other.applicant, file=png())
    url = reverse("proposals:draft_file_remove", args=[mine.call.slug, mine.public_id, theirs.public_id])

    assert client_as(mine.applicant).post(url).status_code == 404
    assert Attachment.objects.current().count() == 1


def test_a_visitor_is_asked_to_log_in(client):
    proposal = ProposalFactory(submitted=True)

    answer = client.get(proposal.get_absolute_url())

    assert answer.status_code == 302
    assert reverse("account_login") in answer.url


def test_a_reviewer_who_is_not_assigned_gets_a_404_and_one_of_a_blind_call_a_file_without_its_name(client_as):
    proposal = new_draft(call__is_blind=True)
    file = actions.add_attachment(proposal=proposal, by=proposal.applicant, file=png("Lovelace.png"))
    Proposal.objects.filter(pk=proposal.pk).update(
        status="in_assessment", reference="EM-2020-1234", submitted_at=proposal.created_at,
        submitted_by=proposal.applicant,
    )  # fmt: skip
    proposal.refresh_from_db()
    review = review_of(proposal)

    stranger, reader = client_as(UserFactory(reviewer=True)), client_as(review.reviewer)

    assert stranger.get(proposal.get_absolute_url()).status_code == 404
    assert stranger.get(file.get_absolute_url()).status_code == 404
    assert reader.get(file.get_absolute_url())["Content-Disposition"] == 'attachment; filename="File 1.png"'
    page = reader.get(proposal.get_absolute_url()).content.decode()
    assert ("Lovelace" in page, "File 1.png" in page) == (False, True)
    answer = client_as(UserFactory(staff=True)).get(file.get_absolute_url())
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    assert "Lovelace" in answer["Content-Disposition"]


def test_once_numbered_the_draft_s_address_leads_to_the_receipt(client_as):
    proposal = ProposalFactory(submitted=True)
    client = client_as(proposal.applicant)

    moved = client.get(reverse("proposals:proposal_detail", args=[str(proposal.public_id)]))
    page = client.get(moved.url).content.decode()

    assert moved.url == reverse("proposals:proposal_detail", args=[proposal.reference])
    assert "We have received your proposal" in page
    assert uk_date(proposal.call.decision_on) in page


def test_my_page_takes_equally_many_queries_for_1_and_3_of_each(client_as, queries_of):
    user = UserFactory(is_staff=True, roles=["programme staff", "reviewer"])
    call, client = CallFactory(), client_as(user)

    def one_more_of_each():
        ProposalFactory(applicant=user, call=call)
        ProposalFactory(submitted=True, call=call)
        review_of(ProposalFactory(in_assessment=True, call=call), reviewer=user)

    one_more_of_each()
    with_one = queries_of(client, [reverse("my")])
    one_more_of_each()
    one_more_of_each()

    page = client.get(reverse("my")).content.decode()
    assert queries_of(client, [reverse("my")]) == with_one
    assert (page.count("Screen EM-2020-"), page.count("Read and score")) == (3, 3)
