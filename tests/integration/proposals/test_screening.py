"""Screening by the rules of the call."""

import datetime as dt
import html

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from proposals import actions
from proposals.models import Proposal, Screening
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory

pytestmark = pytest.mark.django_db
RULES = ["The lead works in the region.", "It was tested in at least one place."]
TO_DO = "Test it on one ward first, then apply to the next call."


def submitted(**kwargs) -> Proposal:
    return ProposalFactory(submitted=True, call__closed=True, call__eligibility="\n\n".join(RULES), **kwargs)


def screen_address(proposal) -> str:
    return reverse("admin:proposals_proposal_screen", args=[proposal.pk])


def test_an_ineligible_applicant_is_told_which_rule_and_what_to_do_and_it_is_kept_word_for_word(client_as, mailed):
    proposal, staff = submitted(), UserFactory(staff=True)
    data = {"rule_1": "yes", "rule_2": "no", "eligible": "no", "what_to_do": TO_DO}

    client_as(staff).post(screen_address(proposal), data)

    kept = Screening.objects.get()
    assert (kept.is_eligible, kept.rules_not_met, kept.reason, kept.what_to_do) == (False, RULES[1:], "", TO_DO)
    page = client_as(proposal.applicant).get(reverse("proposals:proposal_detail", args=[proposal.reference]))
    for text in (mailed(proposal.applicant)[0].body, page.content.decode()):
        assert RULES[1] in text
        assert TO_DO in text
        assert RULES[0] not in text
    for change in ({"what_to_do": ""}, {"rules_not_met": []}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Screening.objects.update(**change)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"rule_1": "yes", "rule_2": "yes", "eligible": "no", "what_to_do": TO_DO}, "which rule"),
        ({"rule_1": "yes", "rule_2": "no", "eligible": "no"}, "what the applicant can do now"),
        ({"rule_1": "yes", "rule_2": "no", "eligible": "yes"}, "Rule 2 is not met"),
        ({"rule_1": "yes", "eligible": "yes"}, "Say whether rule 2 is met"),
        ({"rule_1": "yes", "rule_2": "yes"}, "Is the proposal eligible?"),
    ],
)
def test_half_an_answer_is_refused_with_a_sentence_and_keeps_what_was_typed(client_as, data, said):
    proposal = submitted()

    page = client_as(UserFactory(staff=True)).post(screen_address(proposal), data | {"reason": ""})

    body = page.content.decode()
    assert said in body
    assert "There is a problem" in body
    assert data.get("what_to_do", "") in body
    assert not Screening.objects.exists()


def test_the_action_refuses_what_the_form_would(django_assert_max_num_queries):
    proposal, staff = submitted(), UserFactory(staff=True)

    for half, said in (
        ({"is_eligible": True, "rules_not_met": RULES[:1]}, "Change one of the two"),
        ({"is_eligible": False, "rules_not_met": ["Another rule"]}, "no rule of this call"),
        ({"is_eligible": False, "rules_not_met": RULES[:1]}, "what the applicant can do"),
        ({"is_eligible": False, "what_to_do": TO_DO}, "which rule"),
    ):
        with pytest.raises(ActionRefused, match=said):
            actions.screen_proposal(proposal=proposal, by=staff, **half)
    with pytest.raises(PermissionDenied):
        actions.screen_proposal(proposal=proposal, by=UserFactory(reviewer=True), is_eligible=True)

    assert not Screening.objects.exists()


def test_an_own_reason_is_enough_where_no_rule_says_it():
    proposal = submitted()

    kept = actions.screen_proposal(
        proposal=proposal, by=UserFactory(staff=True), is_eligible=False, reason="Sent twice.", what_to_do="Nothing."
    )

    assert (kept.rules_not_met, kept.reason) == ([], "Sent twice.")


def test_a_call_without_rules_asks_the_whole_and_one_reason(client_as, mailed):
    proposal = ProposalFactory(submitted=True, call__closed=True)
    client = client_as(UserFactory(staff=True))

    assert "Rule 1" not in client.get(screen_address(proposal)).content.decode()
    client.post(screen_address(proposal), {"eligible": "no", "reason": "Not tested yet. Test it first."})

    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.INELIGIBLE
    assert "Not tested yet. Test it first." in mailed(proposal.applicant)[0].body


def test_an_ineligible_proposal_can_be_screened_again_and_the_first_screening_stays():
    proposal, staff = submitted(), UserFactory(staff=True)
    actions.screen_proposal(
        proposal=proposal, by=staff, is_eligible=False, rules_not_met=RULES[:1], what_to_do="Write to us."
    )

    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=True)

    assert [one.is_eligible for one in proposal.screenings.all()] == [False, True]


def test_who_was_told_not_eligible_is_told_that_it_is_eligible_after_all_and_what_comes_next(client_as, mailed):
    proposal, staff = submitted(), UserFactory(staff=True)
    actions.screen_proposal(
        proposal=proposal, by=staff, is_eligible=False, rules_not_met=RULES[:1], what_to_do="Write to us."
    )

    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=True)

    refused, mail = mailed(proposal.applicant)
    assert "is not eligible" in refused.subject
    assert mail.subject == f"{proposal.reference} is eligible after all"
    for word in (uk_date(proposal.call.decision_on), "reviewers read and score it", proposal.get_absolute_url()):
        assert word in mail.body
    address = reverse("proposals:proposal_detail", args=[proposal.reference])
    assert mail.body.splitlines()[2] in html.unescape(client_as(proposal.applicant).get(address).content.decode())
    mail.delete()
    assert "Your proposal is eligible after all." in client_as(proposal.applicant).get(address).content.decode()


def test_who_was_never_refused_gets_no_mail_at_screening(mailed):
    proposal = submitted()

    actions.screen_proposal(proposal=proposal, by=UserFactory(staff=True), is_eligible=True)

    assert mailed(proposal.applicant) == []


def test_screening_goes_on_to_the_next_proposal_and_back_after_the_last(client_as):
    call = CallFactory(closed=True)
    first, second = (ProposalFactory(submitted=True, call=call) for _ in range(2))
    Proposal.objects.filter(pk=second.pk).update(submitted_at=first.submitted_at + dt.timedelta(hours=1))
    ProposalFactory(submitted=True)
    client = client_as(UserFactory(staff=True))

    call_page = client.get(reverse("admin:proposals_call_change", args=[call.pk])).content.decode()
    page = client.get(screen_address(first)).content.decode()
    answers = [client.post(screen_address(one), {"eligible": "yes"}) for one in (first, second)]

    assert "Screen 2 proposals" in call_page
    assert "1 of 2 to be screened" in page
    assert screen_address(second) in page
    assert first.answers["innovation"] in page
    assert [answer.url for answer in answers] == [
        screen_address(second),
        reverse("admin:proposals_proposal_change", args=[second.pk]),
    ]


@pytest.mark.parametrize("who", ["anonymous", "applicant", "reviewer", "staff with an interest"])
def test_nobody_else_sees_the_screening_page(who, client_as, client):
    staff, proposal = UserFactory(staff=True), submitted(title="Zebra crossing of the ward")
    actions.record_conflict(
        proposal=proposal, by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )
    asking = {
        "anonymous": lambda: client,
        "applicant": lambda: client_as(proposal.applicant),
        "reviewer": lambda: client_as(UserFactory(reviewer=True)),
        "staff with an interest": lambda: client_as(staff),
    }[who]()

    for answer in (
        asking.get(screen_address(proposal)),
        asking.post(screen_address(proposal), {"rule_1": "yes", "rule_2": "yes", "eligible": "yes"}),
    ):
        assert answer.status_code in (302, 404)
        assert "Zebra" not in answer.content.decode()
    assert not Screening.objects.exists()


def test_the_screening_page_takes_equally_many_queries_for_1_and_3_waiting(client_as, queries_of):
    proposal = submitted()
    client = client_as(UserFactory(staff=True))
    with_one = queries_of(client, [screen_address(proposal)])

    for _ in range(2):
        ProposalFactory(submitted=True, call=proposal.call)

    assert queries_of(client, [screen_address(proposal)]) == with_one
