"""Letters: assembled, edited, previewed, released together, sent once."""

import threading

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse

from proposals import actions
from proposals.models import FeedbackLetter, Proposal
from proposals.readings.letters import letter_counts
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def comments_on(call, text="Well described."):
    return {criterion.pk: text for criterion in call.criterion_set.criteria.all()}


def decided(call, staff, outcome="declined", letter=True, **kwargs):
    proposal = ProposalFactory(at_panel=True, call=call, **kwargs)
    actions.decide(proposal=proposal, by=staff, outcome=outcome, reasons="The costs are not shown.")
    if letter:
        actions.write_feedback(proposal=proposal, by=staff, comments=comments_on(call))
    return proposal


def call_with_letters(number=3):
    call, staff = CallFactory(at_panel=True), UserFactory(staff=True)
    return call, staff, [decided(call, staff) for _ in range(number)]


def mails():
    return OutboxMessage.objects.filter(kind="mail")


def letters_page(call):
    return reverse("admin:proposals_call_letters", args=[call.pk])


# Together -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_all_letters_are_released_together_and_each_is_kept_word_for_word(client_as):
    call, staff, proposals = call_with_letters()

    client_as(staff).post(letters_page(call))

    letters = FeedbackLetter.objects.filter(decision__proposal__call=call)
    assert {letter.is_released for letter in letters} == {True}
    assert len({letter.released_at for letter in letters}) <= 3
    assert mails().count() == 3
    for letter in letters:
        mail = mails().get(key=f"proposals.letter.{letter.pk}")
        assert mail.to == [letter.decision.proposal.applicant.email]
        assert letter.sent_text.split("\n", 1)[1].strip() == mail.body.strip()
    assert {proposal.pk for proposal in proposals} == {letter.decision.proposal_id for letter in letters}


@pytest.mark.django_db
def test_nothing_is_released_while_anything_is_missing_and_what_is_missing_is_named(client_as):
    call, staff, _ = call_with_letters(2)
    undecided = ProposalFactory(at_panel=True, call=call)
    unwritten = decided(call, staff, letter=False)
    half = decided(call, staff)
    comments = comments_on(call)
    comments[max(comments)] = ""
    actions.write_feedback(proposal=half, by=staff, comments=comments)
    client = client_as(staff)

    page = client.get(letters_page(call)).content.decode()
    answer = client.post(letters_page(call), follow=True).content.decode()

    for body in (page, answer):
        for words in (f"{undecided.reference}", "no decision yet", unwritten.reference, "no feedback yet", "6. "):
            assert words in body
    assert "Nothing was sent" in answer
    assert 'type="submit">Release all letters' not in page
    assert not mails().exists()
    assert not FeedbackLetter.objects.filter(released_at__isnull=False).exists()


@pytest.mark.django_db
def test_releasing_again_sends_nothing_and_says_so(client_as):
    call, staff, _ = call_with_letters()
    client = client_as(staff)
    client.post(letters_page(call))

    answer = client.post(letters_page(call), follow=True).content.decode()

    assert "released already. Nothing was sent again" in answer
    assert mails().count() == 3


@pytest.mark.django_db(transaction=True)
def test_four_who_release_all_at_once_and_one_who_releases_one_send_each_letter_once():
    call, staff, proposals = call_with_letters(4)
    people = [staff, *(UserFactory(staff=True) for _ in range(3))]
    gate, outcomes = threading.Barrier(len(people) + 1), []

    def run(action, **kwargs):
        try:
            gate.wait(timeout=30)
            action(**kwargs)
            outcomes.append("released")
        except ActionRefused as refusal:
            outcomes.append(str(refusal))
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=[actions.release_all_letters], kwargs={"call": call, "by": user})
        for user in people
    ]
    one = {"proposal": proposals[3], "by": staff, "reason": "Asked for it."}
    threads.append(threading.Thread(target=run, args=[actions.release_feedback], kwargs=one))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(outcomes) == 5
    assert not [said for said in outcomes if said != "released" and "already" not in said], outcomes
    assert mails().count() == 4
    assert {message.key for message in mails()} == {
        f"proposals.letter.{letter.pk}" for letter in FeedbackLetter.objects.all()
    }


@pytest.mark.django_db(transaction=True)
def test_a_crash_in_the_middle_releases_nobody(monkeypatch):
    call, staff, _ = call_with_letters()
    sent = []

    def crash(**kwargs):
        sent.append(kwargs["key"])
        if len(sent) == 2:
            raise RuntimeError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr("proposals.actions.letters.outbox.store_mail", crash)
        with pytest.raises(RuntimeError):
            actions.release_all_letters(call=call, by=staff)

    assert not mails().exists()
    assert not FeedbackLetter.objects.filter(released_at__isnull=False).exists()

    actions.release_all_letters(call=call, by=staff)
    assert mails().count() == 3


@pytest.mark.django_db
def test_applicants_learn_nothing_before_the_release(client_as):
    call, staff, (proposal, *_) = call_with_letters(2)
    client = client_as(proposal.applicant)
    page = reverse("proposals:proposal_detail", args=[proposal.reference])

    before = client.get(page).content.decode()
    actions.release_all_letters(call=call, by=staff)
    after = client.get(page).content.decode()

    assert ["The costs are not shown." in body for body in (before, after)] == [False, True]


@pytest.mark.django_db
def test_staff_with_an_interest_cannot_release_all_and_see_nothing_of_that_letter(client_as):
    call, staff, (secret, other) = call_with_letters(2)
    conflicted = UserFactory(staff=True)
    actions.record_conflict(proposal=secret, by=staff, user=conflicted, kind="close", explanation="Friends.")

    page = client_as(conflicted).get(letters_page(call)).content.decode()

    assert secret.reference not in page
    assert other.reference in page
    assert "Ask a colleague" in page
    with pytest.raises(ActionRefused, match="interest"):
        actions.release_all_letters(call=call, by=conflicted)
    with pytest.raises(PermissionDenied):
        actions.release_all_letters(call=call, by=UserFactory(reviewer=True))


# One alone ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_one_letter_alone_needs_a_reason_while_others_wait(client_as):
    call, staff, (first, second) = call_with_letters(2)
    client = client_as(staff)
    address = reverse("admin:proposals_proposal_release", args=[first.pk])

    refused = client.post(address, {"reason": ""}).content.decode()
    done = client.post(address, {"reason": "The applicant is about to withdraw from another fund."})
    actions.release_feedback(proposal=second, by=staff)  # the last one: nobody waits

    assert "Release all letters together" in refused
    assert done.status_code == 302
    assert mails().count() == 2
    page = client.get(letters_page(call)).content.decode()
    assert page.count("Released alone:") == 1
    assert "Released alone: The applicant is about to withdraw from another fund." in page
    theirs = client_as(first.applicant).get(first.get_absolute_url()).content.decode()
    assert "another fund" not in theirs + mails().first().body


@pytest.mark.django_db
def test_a_reserve_that_is_approved_later_gets_a_second_letter():
    call, staff, _ = call_with_letters(1)
    reserve = decided(call, staff, outcome="reserve")
    actions.release_all_letters(call=call, by=staff)

    actions.decide(proposal=reserve, by=staff, outcome="approved", reasons="Money became free.")
    assert letter_counts(call).missing == 1
    actions.write_feedback(proposal=reserve, by=staff, comments=comments_on(call))
    actions.release_all_letters(call=call, by=staff)

    letters = FeedbackLetter.objects.filter(decision__proposal=reserve)
    assert [letter.is_released for letter in letters] == [True, True]
    assert mails().count() == 3


# The text -------------------------------------------------------------------------------------------------------------
def edit(client, proposal, **changes):
    address = reverse("admin:proposals_proposal_edit_letter", args=[proposal.pk])
    initial = client.get(address).context["form"].initial
    return client.post(address, {**initial, **changes})


@pytest.mark.django_db
def test_a_letter_can_be_rewritten_and_that_text_is_what_is_sent(client_as):
    call, staff, (proposal,) = call_with_letters(1)
    client = client_as(staff)

    edit(client, proposal, subject="Your proposal", body="Dear team,\n\nThank you.")
    preview = client.get(letters_page(call)).content.decode()
    actions.release_all_letters(call=call, by=staff)

    assert "Rewritten by hand" in preview
    assert "Dear team," in preview
    assert mails().get().subject == "Your proposal"
    assert mails().get().body == "Dear team,\n\nThank you.\n"
    assert FeedbackLetter.objects.get().sent_text == "Subject: Your proposal\nDear team,\n\nThank you."


@pytest.mark.django_db
def test_feedback_that_changes_after_the_letter_was_rewritten_is_said(client_as):
    call, staff, (proposal,) = call_with_letters(1)
    client = client_as(staff)
    edit(client, proposal, body="Dear team,\n\nThank you.")

    actions.write_feedback(proposal=proposal, by=staff, comments=comments_on(call, "Show the months before, too."))
    listed = client.get(letters_page(call)).content.decode()
    page = client.get(reverse("admin:proposals_proposal_edit_letter", args=[proposal.pk])).content.decode()

    assert "has changed since this letter was rewritten" in listed
    assert "+ Show the months before, too." in page
    assert "− Well described." in page


@pytest.mark.django_db
def test_going_back_to_the_assembled_letter_throws_the_edited_one_away(client_as):
    _call, staff, (proposal,) = call_with_letters(1)
    client = client_as(staff)
    edit(client, proposal, body="Dear team,\n\nThank you.")

    edit(client, proposal, use_assembled="on")

    letter = FeedbackLetter.objects.get()
    assert (letter.edited_text, letter.edited_from) == ("", "")
    assert "Well described." in actions.letter_text(letter)


@pytest.mark.django_db
def test_saving_the_letter_without_a_change_does_not_freeze_it(client_as):
    _call, staff, (proposal,) = call_with_letters(1)

    edit(client_as(staff), proposal)

    assert FeedbackLetter.objects.get().edited_text == ""


@pytest.mark.django_db
def test_a_letter_that_someone_else_changed_meanwhile_is_not_overwritten(client_as):
    call, staff, (proposal,) = call_with_letters(1)
    client = client_as(staff)
    address = reverse("admin:proposals_proposal_edit_letter", args=[proposal.pk])
    opened = client.get(address).context["form"].initial
    actions.write_feedback(proposal=proposal, by=UserFactory(staff=True), comments=comments_on(call, "Meanwhile."))

    page = client.post(address, {**opened, "body": "My own words."}).content.decode()

    assert "has changed since you opened this page" in page
    assert "My own words." in page
    assert FeedbackLetter.objects.get().edited_text == ""


@pytest.mark.django_db
def test_a_released_letter_cannot_be_edited():
    call, staff, (proposal,) = call_with_letters(1)
    actions.release_all_letters(call=call, by=staff)

    with pytest.raises(ActionRefused, match="cannot be changed"):
        actions.edit_letter(proposal=proposal, by=staff, subject="A", body="B", seen="")


@pytest.mark.django_db
def test_the_feedback_form_shows_reviewers_reasons_and_never_their_names(client_as):
    call, staff = CallFactory(at_panel=True), UserFactory(staff=True)
    proposal = ProposalFactory(at_panel=True, call=call)
    review = review_of(proposal, scores=[3] * 6, locked=True, reviewer=UserFactory(reviewer=True, full_name="Zed Nine"))
    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")

    page = client_as(staff).get(reverse("admin:proposals_proposal_feedback", args=[proposal.pk])).content.decode()

    criterion = call.criterion_set.criteria.first()
    assert f'data-copy-to="id_criterion_{criterion.pk}"' in page
    assert f"Reason of {review.reviewer.pk} on" in page
    assert "Zed Nine" not in page


# What staff see of it -------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_call_says_how_many_letters_are_missing_by_the_promised_date(client_as):
    call, staff, _ = call_with_letters(2)
    ProposalFactory(at_panel=True, call=call)
    client = client_as(staff)
    page = reverse("admin:proposals_call_change", args=[call.pk])

    missing = client.get(page).content.decode()
    Proposal.objects.filter(call=call, status="at_panel").delete()
    ready = client.get(page).content.decode()
    actions.release_all_letters(call=call, by=staff)
    told = client.get(page).content.decode()

    assert "1 letter is missing, promised by" in missing
    assert "All 2 letters are written and not released" in ready
    assert "Everyone has been told" in told


@pytest.mark.django_db
def test_the_letters_page_takes_equally_many_queries_for_1_and_3_letters(client_as, queries_of):
    first, staff, _ = call_with_letters(1)
    third, _, _ = call_with_letters(3)
    client = client_as(staff)

    counts = [queries_of(client, [letters_page(call)])[letters_page(call)] for call in (first, third)]

    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_every_page_of_letters_names_all_that_is_missing_with_links(client_as, monkeypatch):
    monkeypatch.setattr("proposals.admin.letters.PER_PAGE", 2)
    call, staff, _ = call_with_letters(2)
    unwritten = [decided(call, staff, letter=False) for _ in range(2)]
    undecided = ProposalFactory(at_panel=True, call=call)
    client = client_as(staff)

    pages = [client.get(letters_page(call) + f"?page={page}").content.decode() for page in (1, 2)]

    for page in pages:
        listed = page.split("each of the 3")[1].split("</ul>")[0]
        for proposal in unwritten:
            address = reverse("admin:proposals_proposal_feedback", args=[proposal.pk])
            assert f'<a href="{address}">{proposal.reference}</a>: no feedback yet' in listed
        address = reverse("admin:proposals_proposal_change", args=[undecided.pk])
        assert f'<a href="{address}">{undecided.reference}</a>: no decision yet' in listed
        assert "No decision yet: 1. Decided, with feedback missing: 2." in page


@pytest.mark.django_db
def test_what_is_missing_and_hidden_by_an_interest_is_counted_and_not_named(client_as):
    call, staff, _ = call_with_letters(1)
    hidden, shown = (decided(call, staff, letter=False) for _ in range(2))
    partial = UserFactory(staff=True)
    actions.record_conflict(proposal=hidden, by=staff, user=partial, kind="close", explanation="Friends.")

    page = client_as(partial).get(letters_page(call)).content.decode()

    assert shown.reference in page
    assert hidden.reference not in page
    assert "1 of these is not shown to you" in page


@pytest.mark.django_db
def test_the_letters_page_takes_equally_many_queries_for_1_and_3_missing_letters(client_as, queries_of):
    staff = UserFactory(staff=True)
    calls = [CallFactory(at_panel=True) for _ in range(2)]
    for call, number in zip(calls, (1, 3), strict=True):
        for _ in range(number):
            decided(call, staff, letter=False)
            actions.write_feedback(proposal=decided(call, staff, letter=False), by=staff, comments={})
            ProposalFactory(at_panel=True, call=call)

    one, three = queries_of(client_as(staff), [letters_page(call) for call in calls]).values()

    assert one == three


@pytest.mark.django_db
def test_a_refused_release_names_ten_and_counts_the_rest():
    call, staff, _ = call_with_letters(1)
    for _ in range(12):
        ProposalFactory(at_panel=True, call=call)

    with pytest.raises(ActionRefused, match="And 2 more") as refusal:
        actions.release_all_letters(call=call, by=staff)

    assert str(refusal.value).count("no decision yet") == 10
