"""Interests that the portal infers, records and keeps apart from those that were overridden."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.models import ProjectLead
from proposals import actions, identities, permissions, readings, ties
from proposals.models import Assignment, Collaborator, ConflictOfInterest, Proposal, Review
from psc_portal.accounts.models import User
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory, OrganisationFactory, ProjectFactory
from tests.factories.proposals import AssignmentFactory, ProposalFactory, ReviewFactory, review_of

pytestmark = pytest.mark.django_db


def in_assessment(**kwargs) -> Proposal:
    return ProposalFactory(in_assessment=True, call__in_assessment=True, **kwargs)


def days_ago(days) -> dt.date:
    return clock.today() - dt.timedelta(days=days)


def belongs(reviewer, hospital, **kwargs):
    AffiliationFactory(user=reviewer, organisation=hospital, from_date=dt.date(2010, 1, 1), **kwargs)
    return reviewer


def join(proposal, user):
    Collaborator.objects.create(
        proposal=proposal, email=user.email, user=user, invited_by=proposal.applicant, accepted_at=clock.now()
    )


def with_address(user, email):
    user.email = email
    user.save()
    return user


def partner_text(proposal, text):
    proposal.answers |= {"partner_roles": text}
    proposal.save()


# What counts as an interest, and what does not ------------------------------------------------------------------------
def affiliated(reviewer, proposal, **kwargs):
    belongs(reviewer, proposal.organisation, **kwargs)


def affiliated_with_partner(reviewer, proposal):
    hospital = OrganisationFactory()
    proposal.partners.add(hospital)
    belongs(reviewer, hospital)


def domain(mine, theirs):
    def tie(reviewer, proposal):
        with_address(reviewer, f"reviewer@{mine}")
        with_address(proposal.applicant, f"applicant@{theirs}")

    return tie


def domain_of_collaborator(reviewer, proposal):
    with_address(reviewer, "reviewer@nuh.nhs.uk")
    join(proposal, UserFactory(email="writer@nuh.nhs.uk"))


def domain_of_partner(reviewer, proposal):
    with_address(reviewer, "reviewer@nuh.nhs.uk")
    proposal.partners.add(OrganisationFactory(email_domain="nuh.nhs.uk"))


def named(text, **names):
    def tie(reviewer, proposal):
        belongs(reviewer, OrganisationFactory(**names))
        partner_text(proposal, text)

    return tie


def named_as_lead(reviewer, proposal):
    belongs(reviewer, OrganisationFactory(name="Harbour Health Ltd"))
    proposal.organisation, proposal.organisation_name = None, "HARBOUR health, Ltd."
    proposal.save()


def same_team(days):
    def tie(reviewer, proposal):
        earlier = in_assessment(applicant=proposal.applicant)
        join(earlier, reviewer)
        Proposal.objects.filter(pk=earlier.pk).update(submitted_at=clock.now() - dt.timedelta(days=days))

    return tie


def led_together(reviewer, proposal, **kwargs):
    project = ProjectFactory()
    for user in (reviewer, proposal.applicant):
        ProjectLead.objects.create(user=user, project=project, from_date=dt.date(2010, 1, 1), **kwargs)


def led_with_their_organisation(reviewer, proposal):
    project = ProjectFactory()
    project.partners.add(proposal.organisation)
    ProjectLead.objects.create(user=reviewer, project=project, from_date=dt.date(2010, 1, 1))


def left_the_team(reviewer, proposal):
    join(proposal, reviewer)
    proposal.collaborators.update(left_at=clock.now())


FIVE_YEARS = 5 * 365 + 1
CASES = {
    "nothing": (None, lambda reviewer, proposal: None),
    "affiliated now": ("same_organisation", affiliated),
    "as the person says": ("same_organisation", lambda r, p: affiliated(r, p, status="claimed")),
    "a claim that was declined": (None, lambda r, p: affiliated(r, p, status="declined")),
    "affiliated within five years": ("same_organisation", lambda r, p: affiliated(r, p, to_date=days_ago(1800))),
    "affiliated before that": (None, lambda r, p: affiliated(r, p, to_date=days_ago(FIVE_YEARS + 1))),
    "affiliated with a partner": ("same_organisation", affiliated_with_partner),
    "one employer's domain": ("same_domain", domain("uhl-tr.nhs.uk", "uhl-tr.nhs.uk")),
    "a domain within": ("same_domain", domain("student.le.ac.uk", "le.ac.uk")),
    "a domain above": ("same_domain", domain("le.ac.uk", "student.le.ac.uk")),
    "an alike domain": (None, domain("le.ac.uk", "male.ac.uk")),
    "shared mail of the NHS": (None, domain("nhs.net", "nhs.net")),
    "mail open to everyone": (None, domain("gmail.com", "gmail.com")),
    "a collaborator's domain": ("same_domain", domain_of_collaborator),
    "a partner's domain": ("same_domain", domain_of_partner),
    "named as lead": ("named", named_as_lead),
    "named by name": ("named", named("With Saint Mary’s (Hospice).", name="Saint Mary s Hospice")),
    "named by short name": ("named", named("LPT gives two nurses", short_name="LPT")),
    "named by a former name": ("named", named("Old Trust helps", former_names=["Other", "Old Trust"])),
    "part of a word": (None, named("LPTX gives two nurses", short_name="LPT")),
    "same team before": ("worked_together", same_team(300)),
    "same team long ago": (None, same_team(FIVE_YEARS + 1)),
    "led a project together": ("worked_together", led_together),
    "led it long ago": (None, lambda r, p: led_together(r, p, to_date=days_ago(FIVE_YEARS + 1))),
    "led a project with their organisation": ("worked_together", led_with_their_organisation),
    "left the team": ("worked_together", left_the_team),
    "writes it": ("involved", lambda reviewer, proposal: join(proposal, reviewer)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_place_that_asks_finds_the_same_interest(case, client_as):
    kind, make_tie = CASES[case]
    both = UserFactory(is_staff=True, roles=["programme staff", "reviewer"])
    proposal = in_assessment()
    make_tie(both, proposal)
    proposal.refresh_from_db()
    is_clear = kind is None

    found = ties.found([proposal], [both])
    answers = {
        "ties": [tie.kind for tie in found if tie.user == both.pk],
        "query": Proposal.objects.clear_of_conflict_with(both).filter(pk=proposal.pk).exists(),
        "staff": permissions.can_handle(both, proposal),
        "message": permissions.can_answer(both, proposal),
        "discuss": permissions.can_discuss(both, proposal),
        "reviewer": permissions.can_be_reviewer_of(both, proposal),
        "possible": [one.why_not == "" for one in readings.possible_reviewers(proposal)],
        "quorum": readings.without_interest(User.objects.filter(pk=both.pk), proposal).exists(),
        "page": client_as(both).get(reverse("admin:proposals_proposal_change", args=[proposal.pk])).status_code,
    }
    recorded = actions.infer_conflicts(proposals=[proposal], users=[both])

    assert answers == {
        "ties": [kind] if kind else [],
        "query": is_clear,
        "staff": is_clear,
        "message": is_clear,
        "discuss": is_clear,
        "reviewer": is_clear,
        "possible": [is_clear],
        "quorum": is_clear,
        "page": 200 if is_clear else 404,
    }
    assert [(one.kind, one.source, one.explanation != "") for one in recorded] == (
        [(kind, "inferred", True)] if kind else []
    )


def test_plain_words_are_the_same_in_python_and_in_postgresql():
    for text in ["", "St. Mary’s (Leicester)", "ÉCOLE  & co_1", " a\nb ", "ﬁnance Ünion 42"]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT proposals_plain_words(%s)", [text])
            assert cursor.fetchone()[0].split() == identities.plain_words(text).split()


def test_an_inferred_interest_says_why():
    hospital = OrganisationFactory(name="Harbour Hospital")
    reviewer = belongs(UserFactory(reviewer=True), hospital, confirmed_by=UserFactory())
    proposal = in_assessment(organisation=hospital)

    (conflict,) = actions.infer_conflicts(proposals=[proposal])

    assert conflict.user == reviewer
    assert conflict.explanation == "Belongs to Harbour Hospital, the lead organisation of this proposal."


def test_interests_are_found_in_equally_many_queries_for_1_and_3_proposals_and_people():
    def queries(people, proposals):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            readings.people_with_interest(proposals, people)
        return len(captured)

    proposals, people = [in_assessment() for _ in range(3)], [UserFactory(reviewer=True) for _ in range(3)]
    for person, proposal in zip(people, proposals, strict=True):
        affiliated(person, proposal)
        led_together(person, proposal)

    assert queries(people[:1], proposals[:1]) == queries(people, proposals)


# When they are recorded -----------------------------------------------------------------------------------------------
def test_interests_are_recorded_at_screening_for_reviewers_and_staff_alike():
    proposal = ProposalFactory(submitted=True)
    people = [belongs(UserFactory(**{role: True}), proposal.organisation) for role in ("staff", "reviewer")]
    innovator = belongs(UserFactory(), proposal.organisation)

    actions.screen_proposal(proposal=proposal, by=UserFactory(staff=True), is_eligible=True)

    assert set(ConflictOfInterest.objects.values_list("user", flat=True)) == {one.pk for one in people}
    assert not innovator.conflicts_of_interest.exists()


def test_interests_are_recorded_when_possible_reviewers_are_looked_at(client_as):
    proposal = in_assessment()
    belongs(UserFactory(reviewer=True), proposal.organisation)

    page = client_as(UserFactory(staff=True)).get(reverse("admin:proposals_proposal_assign", args=[proposal.pk]))

    assert ConflictOfInterest.objects.get().source == "inferred"
    assert "the lead organisation of this proposal" in page.content.decode()


def test_the_daily_run_records_new_interests_once_and_never_brings_an_overridden_one_back(mailed):
    staff = UserFactory(staff=True)
    review = ReviewFactory(locked=True, scores=[5] * 6)
    belongs(review.reviewer, review.proposal.organisation)

    counts = [actions.infer_all_conflicts(), actions.infer_all_conflicts()]
    assert counts == [1, 0]
    assert not Review.objects.counted().exists()
    assert ["no longer counts" in one.subject for one in mailed(staff)] == [True]
    conflict = ConflictOfInterest.objects.get()
    actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="Honorary title, no work there.")

    assert actions.infer_all_conflicts() == 0
    assert permissions.can_discuss(review.reviewer, review.proposal)
    named("LPT gives two nurses", short_name="LPT")(review.reviewer, review.proposal)
    assert actions.infer_all_conflicts() == 1
    assert not permissions.can_discuss(review.reviewer, review.proposal)


def test_one_of_two_interests_overridden_leaves_the_other_in_the_way():
    staff, assignment = UserFactory(staff=True), AssignmentFactory()
    belongs(assignment.reviewer, assignment.proposal.organisation)
    actions.record_conflict(
        proposal=assignment.proposal, by=staff, user=assignment.reviewer, kind="close", explanation="They are friends."
    )
    actions.infer_all_conflicts()

    inferred = ConflictOfInterest.objects.get(source="inferred")
    actions.override_conflict(conflict_of_interest=inferred, by=staff, reason="Left last year.")

    assignment.refresh_from_db()
    assert assignment.status == Assignment.Status.CONFLICTED
    assert not permissions.can_be_reviewer_of(assignment.reviewer, assignment.proposal)


def test_staff_who_record_an_interest_explain_it(client_as):
    staff, reviewer, proposal = UserFactory(staff=True), UserFactory(reviewer=True), in_assessment()
    page = reverse("admin:proposals_proposal_record_conflict", args=[proposal.pk])

    answer = client_as(staff).post(page, {"user": reviewer.pk, "kind": "close", "explanation": " "})

    assert "Explain what the interest is" in answer.content.decode()
    with pytest.raises(ActionRefused, match="Explain what the interest is"):
        actions.record_conflict(proposal=proposal, by=staff, user=reviewer, kind="close", explanation=" ")
    assert not ConflictOfInterest.objects.exists()


def test_what_was_said_of_an_interest_stays_when_it_is_recorded_again(client_as):
    staff, reviewer, proposal = UserFactory(staff=True), UserFactory(reviewer=True), in_assessment()
    what = {"proposal": proposal, "by": staff, "user": reviewer, "kind": "close"}
    conflict = actions.record_conflict(**what, explanation="Cousins.")
    actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="A namesake only.")
    pages = [
        reverse("admin:proposals_proposal_change", args=[proposal.pk]),
        reverse("admin:proposals_conflictofinterest_change", args=[conflict.pk]),
    ]
    client = client_as(UserFactory(staff=True))
    overridden = [client.get(page).content.decode() for page in pages]

    for explanation in ("Cousins after all.", "Cousins after all.", "Cousins, twice removed."):
        actions.record_conflict(**what, explanation=explanation)

    conflict.refresh_from_db()
    assert (conflict.explanation, conflict.is_in_force) == ("Cousins, twice removed.", True)
    assert list(conflict.earlier.values_list("explanation", "override_reason", "recorded_by", "overridden_by")) == [
        ("Cousins.", "A namesake only.", staff.pk, staff.pk),
        ("Cousins after all.", "", staff.pk, None),
    ]
    assert ["A namesake only." in body for body in overridden] == [True, True]
    for body in [client.get(page).content.decode() for page in pages]:
        assert [body.count(words) for words in ("A namesake only.", "Cousins after all.")] == [1, 1]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        conflict.earlier.update(override_reason="Nothing")


def test_whoever_wrote_the_proposal_stays_out_whatever_staff_say():
    staff = UserFactory(staff=True)
    proposal = in_assessment(applicant=UserFactory(reviewer=True))
    (conflict,) = actions.infer_conflicts(proposals=[proposal])

    with pytest.raises(ActionRefused, match="team"):
        actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="It is fine.")


def test_staff_with_an_interest_cannot_record_override_or_see_what_others_do(client_as):
    staff, reviewer = UserFactory(staff=True), UserFactory(reviewer=True)
    proposal = in_assessment()
    belongs(staff, proposal.organisation)
    belongs(reviewer, proposal.organisation)
    conflicts = actions.infer_conflicts(proposals=[proposal])
    theirs = next(one for one in conflicts if one.user == reviewer)
    client = client_as(staff)

    with pytest.raises(PermissionDenied):
        actions.override_conflict(conflict_of_interest=theirs, by=staff, reason="It is nothing.")
    with pytest.raises(PermissionDenied):
        actions.record_conflict(
            proposal=proposal, by=staff, user=reviewer, kind="close", explanation="They are friends."
        )
    pages = [
        reverse("admin:proposals_conflictofinterest_change", args=[theirs.pk]),
        reverse("admin:proposals_conflictofinterest_override", args=[theirs.pk]),
        reverse("admin:proposals_proposal_record_conflict", args=[proposal.pk]),
        reverse("proposals:proposal_copy", args=[proposal.reference]),
    ]
    assert [client.get(page).status_code for page in pages] == [404] * len(pages)


def test_a_conflict_closes_every_address_of_the_proposal_to_a_reviewer_who_was_cleared(client_as):
    proposal = in_assessment(title="Zebra crossing of the ward")
    review = review_of(proposal, locked=True, scores=[4] * 6)
    other = review_of(proposal, locked=True, scores=[3] * 6)
    actions.show_other_reviews(review=review, by=review.reviewer)
    client = client_as(review.reviewer)
    single = [
        reverse("proposals:proposal_detail", args=[proposal.reference]),
        reverse("proposals:proposal_copy", args=[proposal.reference]),
        *(reverse(f"admin:proposals_review_{verb}", args=[one.pk]) for one in (review, other) for verb in ("change",)),
        reverse("admin:proposals_assignment_change", args=[review.assignment_id]),
    ]
    lists = [
        reverse("admin:proposals_review_changelist") + "?q=Zebra",
        reverse("admin:proposals_assignment_changelist") + f"?q={proposal.reference}",
        reverse("my"),
        reverse("search") + "?q=crossing",
    ]
    assert {client.get(page).status_code for page in single} == {200}

    belongs(review.reviewer, proposal.organisation)

    assert {client.get(page).status_code for page in single} == {404}
    bodies = [client.get(page).content.decode() for page in lists]
    assert not [page for page, body in zip(lists, bodies, strict=True) if "Zebra crossing" in body]
    assert not [body for body in bodies[:2] if f">{proposal.reference}" in body]
