import threading
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from pledges import actions
from pledges.models import SignUp
from projects.models import Affiliation
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.pledges import SignUpFactory, wording_of_2014, words
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"
Status = SignUp.Status


def step_url(sign_up, step):
    return reverse("pledges:sign_up_step", args=[sign_up.public_id, step])


def moves(sign_up):
    return [(change.from_status, change.to_status) for change in sign_up.status_changes.all()]


def test_a_member_starts_a_sign_up_with_five_empty_statements():
    affiliation = AffiliationFactory()

    sign_up = actions.start_sign_up(organisation=affiliation.organisation, by=affiliation.user)

    assert (sign_up.status, [statement.text for statement in sign_up.statements.all()]) == (Status.DRAFT, [""] * 5)


def test_who_has_no_affiliation_cannot_start():
    with pytest.raises(PermissionDenied):
        actions.start_sign_up(organisation=OrganisationFactory(), by=UserFactory())


def test_a_second_member_of_the_organisation_comes_to_the_same_sign_up():
    first = AffiliationFactory()
    second = AffiliationFactory(organisation=first.organisation)
    begun = actions.start_sign_up(organisation=first.organisation, by=first.user)

    assert actions.start_sign_up(organisation=first.organisation, by=second.user) == begun


def test_who_has_only_claimed_to_belong_there_is_told_that_somebody_else_has_begun():
    begun = SignUpFactory()
    claim = AffiliationFactory(organisation=begun.organisation, status=Affiliation.Status.CLAIMED)

    with pytest.raises(ActionRefused, match="Somebody else has begun"):
        actions.start_sign_up(organisation=begun.organisation, by=claim.user)


@pytest.mark.django_db(transaction=True)
def test_two_signatories_at_once_end_up_in_one_sign_up():
    wording_of_2014()
    organisation = OrganisationFactory()
    users = [AffiliationFactory(organisation=organisation).user for _ in range(2)]
    barrier, found = threading.Barrier(2), []

    def start(user):
        barrier.wait()
        found.append(actions.start_sign_up(organisation=organisation, by=user).pk)
        connection.close()

    threads = [threading.Thread(target=start, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(found), len(set(found)), SignUp.objects.count()) == (2, 1, 1)


def test_the_database_keeps_one_live_sign_up_per_organisation_and_set():
    first = SignUpFactory()

    with pytest.raises(IntegrityError, match="one_live"), transaction.atomic():
        SignUpFactory(organisation=first.organisation)


def test_after_a_withdrawal_the_organisation_can_begin_anew():
    old = SignUpFactory()
    actions.withdraw_sign_up(sign_up=old, reasons="Wrong people", by=old.signatory)

    assert actions.start_sign_up(organisation=old.organisation, by=old.signatory) != old


def test_the_flow_claims_an_affiliation_for_a_new_organisation(client_as):
    user, organisation = UserFactory(), OrganisationFactory()

    response = client_as(user).post(
        reverse("pledges:sign_up_organisation"),
        {"organisation": "other", "other": organisation.pk, "role": "Director of nursing"},
    )

    sign_up = SignUp.objects.get()
    claim = Affiliation.objects.get(user=user)
    assert (response.status_code, response.url) == (302, sign_up.get_edit_url())
    assert (claim.organisation, claim.status, claim.role) == (organisation, "claimed", "Director of nursing")


def test_another_organisation_needs_its_name_and_the_role(client_as):
    response = client_as(UserFactory()).post(reverse("pledges:sign_up_organisation"), {"organisation": "other"})

    assert "Choose the organisation that you are signing for" in response.content.decode()
    assert "Enter your role there" in response.content.decode()


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(49, "It has 49 words. Write at least 50."), (301, "It has 301 words. Cut it to 300 or fewer.")],
)
def test_a_statement_of_49_or_301_words_is_kept_and_the_page_says_what_to_do(client_as, count, sentence):
    sign_up = SignUpFactory(complete=False)

    response = client_as(sign_up.signatory).post(step_url(sign_up, "statement-1"), {"text": words(count)})

    page = response.content.decode()
    assert (response.status_code, sentence in page, words(count) in page) == (200, True, True)
    assert sign_up.statements.get(pledge__number=1).text == words(count)


@pytest.mark.parametrize("count", [50, 300])
def test_a_statement_of_50_or_300_words_leads_to_the_next_pledge(client_as, count):
    sign_up = SignUpFactory(complete=False)

    response = client_as(sign_up.signatory).post(step_url(sign_up, "statement-1"), {"text": words(count)})

    assert response.url == step_url(sign_up, "statement-2")


@pytest.mark.parametrize("count", [49, 301])
def test_a_sign_up_with_a_statement_of_the_wrong_length_cannot_be_submitted(count):
    sign_up = SignUpFactory()
    actions.save_statement(sign_up=sign_up, number=3, text=words(count), by=sign_up.signatory)

    with pytest.raises(ActionRefused, match=f"Honesty: It has {count} words"):
        actions.submit_sign_up(sign_up=sign_up, by=sign_up.signatory)

    sign_up.refresh_from_db()
    assert (sign_up.status, moves(sign_up)) == (Status.DRAFT, [])


def test_save_and_come_back_later_keeps_a_half_written_statement(client_as):
    sign_up = SignUpFactory(complete=False)

    response = client_as(sign_up.signatory).post(step_url(sign_up, "statement-2"), {"text": "We will", "later": "1"})

    assert response.url == sign_up.get_edit_url()
    assert sign_up.statements.get(pledge__number=2).text == "We will"


def test_a_date_that_does_not_exist_gets_a_sentence_and_stays_in_the_boxes(client_as):
    sign_up = SignUpFactory()
    data = {"plan_from_day": "31", "plan_from_month": "2", "plan_from_year": "2026"}

    page = client_as(sign_up.signatory).post(step_url(sign_up, "plan"), data).content.decode()

    assert "must be a real date" in page
    assert 'value="31"' in page


def test_a_plan_that_ends_before_it_starts_is_refused():
    sign_up = SignUpFactory()
    plan = {"board_approved_on": None, "plan_from": sign_up.plan_to, "plan_to": sign_up.plan_from, "own_page": ""}

    with pytest.raises(ActionRefused, match="must end after it starts"):
        actions.save_plan(sign_up=sign_up, **plan, by=sign_up.signatory)


def test_fewer_than_two_areas_of_a_scope_are_kept_and_the_page_asks_for_more(client_as):
    sign_up = SignUpFactory(complete=False)
    falls, must_do = PriorityFactory(title="Falls"), PriorityFactory(must_do=True)

    response = client_as(sign_up.signatory).post(
        step_url(sign_up, "areas"), {"national": [must_do.pk], "local": [falls.pk], "own_words": ""}
    )

    page = response.content.decode()
    assert "Choose at least 2 national areas. You have 1." in page
    assert "Choose at least 2 local areas. You have 1." in page
    assert {(area.scope, area.priority) for area in sign_up.areas.all()} == {("national", must_do), ("local", falls)}


def test_areas_in_own_words_count_as_local_ones(client_as):
    sign_up = SignUpFactory(complete=False)

    response = client_as(sign_up.signatory).post(
        step_url(sign_up, "areas"),
        {"national": ["Medicines safety", "System safety"], "own_words": "Night-time falls\n\n- Lost notes\n"},
    )

    assert response.url == step_url(sign_up, "drivers")
    assert [area.name for area in sign_up.areas.filter(scope="local")] == ["Night-time falls", "Lost notes"]


def test_a_complete_sign_up_is_submitted_with_a_receipt_and_history(client_as):
    sign_up = SignUpFactory()

    response = client_as(sign_up.signatory).post(reverse("pledges:sign_up_check", args=[sign_up.public_id]))

    sign_up.refresh_from_db()
    receipt = OutboxMessage.objects.filter(to=[sign_up.signatory.email]).get()
    assert response.url == reverse("pledges:sign_up_submitted", args=[sign_up.public_id])
    assert (sign_up.status, moves(sign_up)) == (Status.SUBMITTED, [("draft", "submitted")])
    assert "We have received the pledges" in receipt.subject


def test_submitting_twice_changes_nothing_the_second_time(client_as):
    sign_up = SignUpFactory()
    client, url = client_as(sign_up.signatory), reverse("pledges:sign_up_check", args=[sign_up.public_id])

    client.post(url)
    response = client.post(url, follow=True)

    assert "cannot be changed now" in response.content.decode()
    assert moves(sign_up) == [("draft", "submitted")]
    assert OutboxMessage.objects.filter(to=[sign_up.signatory.email]).count() == 1


def test_submitted_pledges_cannot_be_changed():
    sign_up = SignUpFactory(submitted=True)

    with pytest.raises(ActionRefused, match="waiting to be checked"):
        actions.save_statement(sign_up=sign_up, number=1, text="Other words", by=sign_up.signatory)


def test_an_nhs_number_in_a_statement_is_refused_with_the_place_named_and_the_draft_keeps_the_text(client_as):
    sign_up = SignUpFactory()
    text = f"{words(60)} {NHS_NUMBER}"

    page = client_as(sign_up.signatory).post(step_url(sign_up, "statement-4"), {"text": text}).content.decode()

    assert "what looks like an NHS number in: Collaborate" in page
    assert sign_up.statements.get(pledge__number=4).text == text
    with pytest.raises(ActionRefused, match="NHS number in: Collaborate"):
        actions.submit_sign_up(sign_up=sign_up, by=sign_up.signatory)


@pytest.mark.parametrize("page", ["tasks", "check", "print", "submitted", "withdraw"])
def test_a_stranger_finds_no_page_of_a_sign_up(client_as, page):
    sign_up = SignUpFactory()

    assert client_as(UserFactory()).get(reverse(f"pledges:sign_up_{page}", args=[sign_up.public_id])).status_code == 404


def test_a_forged_id_is_not_found(client_as):
    client = client_as(UserFactory())

    assert client.get(reverse("pledges:sign_up_tasks", args=[uuid.uuid4()])).status_code == 404
    assert client.get("/pledges/sign-up/1/").status_code == 404


def test_a_step_that_does_not_exist_is_not_found(client_as):
    sign_up = SignUpFactory()

    assert client_as(sign_up.signatory).get(step_url(sign_up, "statement-6")).status_code == 404


def test_who_has_only_claimed_to_belong_there_sees_no_draft_of_others(client_as):
    sign_up = SignUpFactory()
    claim = AffiliationFactory(organisation=sign_up.organisation, status=Affiliation.Status.CLAIMED)

    assert client_as(claim.user).get(sign_up.get_edit_url()).status_code == 404


def test_after_the_affiliation_has_ended_the_draft_can_be_read_but_not_changed():
    sign_up = SignUpFactory(member=False)

    with pytest.raises(PermissionDenied):
        actions.save_statement(sign_up=sign_up, number=1, text=words(60), by=sign_up.signatory)


def test_without_logging_in_signing_up_asks_for_it(client):
    response = client.get(reverse("pledges:sign_up_organisation"))

    assert (response.status_code, "/accounts/login/" in response.url) == (302, True)


def test_the_copy_for_the_board_holds_every_statement(client_as):
    sign_up = SignUpFactory()

    page = client_as(sign_up.signatory).get(reverse("pledges:sign_up_print", args=[sign_up.public_id])).content.decode()

    assert all(statement.pledge.title in page and statement.text in page for statement in sign_up.statements.all())
    assert "Signature" in page
