"""Writing a proposal together: invitations, roles, leaving, handing over."""

import datetime as dt
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from proposals import actions, permissions
from proposals.models import Collaborator, Extension, Proposal
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import ProposalFactory

pytestmark = pytest.mark.django_db


def team_url(proposal):
    return reverse("proposals:team", args=[proposal.address])


def link_in(mail) -> str:
    return re.search(r"https?://[^/]+(/proposals/invitations/\S+)", mail.body)[1]


def invite(client, proposal, email, role="edit"):
    return client.post(team_url(proposal), {"email": email, "role": role}, follow=True).content.decode()


def joined(proposal, role="edit", user=None):
    user = user or UserFactory()
    asked = actions.invite_collaborator(proposal=proposal, by=proposal.applicant, email=user.email, role=role)
    actions.accept_collaboration(collaborator=asked, by=user)
    return user


def section_url(proposal, section="about"):
    return reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, section])


def test_an_invitation_goes_out_by_mail_and_lets_its_address_in_once(client_as, mailed):
    proposal, guest = ProposalFactory(), UserFactory()
    page = invite(client_as(proposal.applicant), proposal, guest.email.upper())
    [mail] = mailed(guest)
    link, client = link_in(mail), client_as(guest)

    asked = client.get(link).content.decode()
    accepted = client.post(link, follow=True).content.decode()
    again = client.get(link)

    assert f"We have sent an invitation to {guest.email}" in page
    assert "Accept the invitation" in asked
    assert "You are in the team now" in accepted
    assert again.url == proposal.get_absolute_url()
    assert client.get(section_url(proposal)).status_code == 200
    assert client_as(UserFactory()).get(link).status_code == 410
    assert link.split("/")[-2] not in str(list(Collaborator.objects.values()))


def test_a_visitor_with_the_link_is_asked_to_log_in_and_another_account_is_told_where_it_went(client_as, mailed):
    proposal, guest, other = ProposalFactory(), UserFactory(), UserFactory()
    invite(client_as(proposal.applicant), proposal, guest.email)
    link = link_in(mailed(guest)[0])

    visitor = Client().get(link).content.decode()
    wrong = client_as(other)
    page = wrong.get(link).content.decode()
    wrong.post(link)

    assert guest.email in visitor and "next=/proposals/invitations/" in visitor
    assert f"This invitation went to {guest.email}, and you are logged in as {other.email}" in page
    assert Client().post(link).status_code == 302
    assert not Collaborator.objects.current().exists()


def test_an_invitation_expires_is_sent_again_and_is_taken_back(client_as, mailed):
    proposal, guest = ProposalFactory(), UserFactory()
    owner, client = client_as(proposal.applicant), client_as(guest)
    invite(owner, proposal, guest.email)
    row = Collaborator.objects.get()
    change = reverse("proposals:person_change", args=[proposal.address, row.pk])

    Collaborator.objects.update(expires_at=clock.now() - dt.timedelta(minutes=1))
    expired = client.get(link_in(mailed(guest)[0])).content.decode()
    owner.post(change, {"do": "again"})
    fresh = client.get(link_in(mailed(guest)[1]))
    stale = client.get(link_in(mailed(guest)[0]))
    owner.post(change, {"do": "remove"})
    gone = client.get(link_in(mailed(guest)[1])).content.decode()

    assert "has expired" in expired
    assert (fresh.status_code, stale.status_code) == (200, 404)
    assert "was taken back" in gone


def test_invitations_do_not_fill_a_mailbox(client_as, mailed):
    proposal, guest = ProposalFactory(), UserFactory()
    owner = client_as(proposal.applicant)
    invite(owner, proposal, guest.email)
    change = reverse("proposals:person_change", args=[proposal.address, Collaborator.objects.get().pk])

    at_once = owner.post(change, {"do": "again"}, follow=True).content.decode()
    with clock.at(clock.now() + dt.timedelta(minutes=6)):
        owner.post(change, {"do": "again"})
    Collaborator.objects.bulk_create(
        Collaborator(
            proposal=proposal, email=f"{number}@example.org", invited_by=proposal.applicant, left_at=clock.now()
        )
        for number in range(40)
    )
    many = invite(owner, proposal, "one.more@example.org")

    assert "We sent the last one to" in at_once
    assert len(mailed(guest)) == 2
    assert "very many invitations today" in many
    assert not Collaborator.objects.filter(email="one.more@example.org").exists()


@pytest.mark.parametrize("kind", ["own", "twice", "member", "nonsense"])
def test_an_invitation_that_makes_no_sense_is_refused_with_a_sentence(client_as, kind):
    proposal = ProposalFactory()
    client, member = client_as(proposal.applicant), joined(proposal)
    invite(client, proposal, "asked@example.org")
    email, sentence = {
        "own": (proposal.applicant.email, "This is your own address"),
        "twice": ("Asked@example.org", "has been invited already"),
        "member": (member.email, "is in your team already"),
        "nonsense": ("nobody", "correct format"),
    }[kind]
    before = OutboxMessage.objects.count()

    page = invite(client, proposal, email)

    assert sentence in page
    assert (Collaborator.objects.count(), OutboxMessage.objects.count()) == (2, before)


def test_a_reader_reads_everything_and_every_post_of_theirs_is_a_404(client_as):
    proposal = ProposalFactory()
    reader = client_as(joined(proposal, "view"))
    args = [proposal.call.slug, proposal.public_id]
    posts = [
        section_url(proposal),
        section_url(proposal) + "autosave/",
        reverse("proposals:draft_files", args=args),
        reverse("proposals:draft_check", args=args),
        team_url(proposal),
        reverse("proposals:hand_over", args=[proposal.address]),
        reverse("proposals:proposal_withdraw", args=[proposal.address]),
    ]

    page = reader.get(proposal.get_absolute_url()).content.decode()
    assert "Continue writing" not in page
    assert f'href="{reverse("proposals:proposal_copy", args=[proposal.address])}" role="button"' in page
    assert reader.get(reverse("proposals:proposal_copy", args=[proposal.address])).status_code == 200
    assert reader.get(team_url(proposal)).status_code == 200
    assert reader.get(reverse("proposals:draft", args=args)).url == proposal.get_absolute_url()
    posted = {"title": "x", "base": "{}", "reason": "x", "declares": "on", "email": "x@example.org", "role": "edit"}
    assert {reader.post(url, posted).status_code for url in posts} == {404}
    proposal.refresh_from_db()
    assert (proposal.title, proposal.status) == ("Fewer falls on the ward", "draft")


def test_a_writer_writes_but_neither_submits_nor_manages_the_team(client_as):
    proposal = ProposalFactory()
    writer = joined(proposal, "edit")
    client = client_as(writer)

    client.post(section_url(proposal), {"title": "Theirs", "version": "1", "later": "1"})

    proposal.refresh_from_db()
    assert (proposal.title, proposal.versions.get().saved_by) == ("Theirs", writer)
    with pytest.raises(PermissionDenied):
        actions.submit_proposal(proposal=proposal, by=writer)
    with pytest.raises(PermissionDenied):
        actions.invite_collaborator(proposal=proposal, by=writer, email="x@example.org", role="edit")


def test_another_role_and_a_removal_hold_at_once(client_as, mailed):
    proposal = ProposalFactory()
    user = joined(proposal, "edit")
    owner, client = client_as(proposal.applicant), client_as(user)
    change = reverse("proposals:person_change", args=[proposal.address, Collaborator.objects.get().pk])

    owner.post(change, {"do": "view"})
    as_reader = client.post(section_url(proposal), {"title": "x"}).status_code
    owner.post(change, {"do": "remove"})

    assert as_reader == 404
    assert {client.get(url).status_code for url in (proposal.get_absolute_url(), team_url(proposal))} == {404}
    assert "no longer in the team" in mailed(user)[-1].subject
    assert proposal.title not in client.get(reverse("my")).content.decode()
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"invite_collaborator", "accept_collaboration", "change_role", "remove_collaborator"} <= verbs


def test_leaving_keeps_the_text(client_as):
    proposal = ProposalFactory()
    client = client_as(joined(proposal, "edit"))
    client.post(section_url(proposal), {"title": "Written by who left", "version": "1", "later": "1"})

    client.post(reverse("proposals:leave", args=[proposal.address]))

    proposal.refresh_from_db()
    assert proposal.title == "Written by who left"
    assert client.get(proposal.get_absolute_url()).status_code == 404
    assert client_as(proposal.applicant).get(reverse("proposals:leave", args=[proposal.address])).status_code == 404


def test_a_proposal_handed_over_is_submitted_by_its_new_applicant_who_gets_the_mail(client_as, mailed):
    proposal = ProposalFactory()
    old, new = proposal.applicant, joined(proposal, "view")

    page = client_as(old).post(
        reverse("proposals:hand_over", args=[proposal.address]), {"to": str(new.pk)}, follow=True
    )

    proposal.refresh_from_db()
    assert "is the applicant now" in page.content.decode()
    assert (proposal.applicant, Collaborator.objects.current().get().user) == (new, old)
    assert Collaborator.objects.current().get().role == "edit"
    with pytest.raises(PermissionDenied):
        actions.submit_proposal(proposal=proposal, by=old)
    actions.submit_proposal(proposal=proposal, by=new)
    assert mailed(new)[-1].subject.startswith("We have received")
    assert AuditEvent.objects.get(verb="hand_over").after == {"applicant": new.pk}


def test_more_time_given_to_the_applicant_goes_with_the_proposal(client_as):
    proposal = ProposalFactory(call__closed=True)
    new = joined(proposal)
    staff = proposal.call.created_by
    until = clock.now() + dt.timedelta(days=2)
    actions.extend_call(call=proposal.call, by=staff, closes_at=until, reason="Flood.", applicant=proposal.applicant)

    actions.hand_over(proposal=proposal, by=proposal.applicant, to=new)

    assert Proposal.objects.get(pk=proposal.pk).accepts_until() == until
    assert Extension.objects.filter(applicant=new, granted_by=staff).exists()


def test_a_proposal_is_handed_over_only_to_somebody_who_has_accepted():
    proposal, stranger = ProposalFactory(), UserFactory()
    actions.invite_collaborator(proposal=proposal, by=proposal.applicant, email=stranger.email, role="edit")

    with pytest.raises(ActionRefused, match="has accepted your invitation"):
        actions.hand_over(proposal=proposal, by=proposal.applicant, to=stranger)


def test_nobody_is_in_a_team_twice_even_when_invited_under_an_address_that_becomes_theirs(client_as):
    proposal, guest = ProposalFactory(), UserFactory()
    joined(proposal, "view", guest)
    second = actions.invite_collaborator(proposal=proposal, by=proposal.applicant, email="new@example.org", role="edit")
    guest.email = "new@example.org"
    guest.save()

    with pytest.raises(ActionRefused, match="You are in this team already"):
        actions.accept_collaboration(collaborator=second, by=guest)
    actions.hand_over(proposal=proposal, by=proposal.applicant, to=guest)
    actions.hand_over(proposal=Proposal.objects.get(), by=guest, to=proposal.applicant)

    assert [one.user for one in Collaborator.objects.current()] == [guest]
    actions.leave_proposal(proposal=proposal, by=guest)
    assert not Collaborator.objects.current().exists()


def test_leaving_twice_at_once_is_answered_by_a_sentence(client_as, monkeypatch):
    proposal = ProposalFactory()
    guest = joined(proposal)
    client, url = client_as(guest), reverse("proposals:leave", args=[proposal.address])
    monkeypatch.setattr(permissions, "can_leave", lambda user, proposal: True)  # as the second of two saw it
    monkeypatch.setattr(
        "proposals.views.collaborators._proposal", lambda request, address: Proposal.objects.get(pk=proposal.pk)
    )

    client.post(url)

    assert "You have left this team already." in client.post(url, follow=True).content.decode()


def test_whoever_is_in_the_team_has_an_interest_in_the_proposal():
    proposal = ProposalFactory(in_assessment=True)
    reviewer = UserFactory(reviewer=True)
    assert Proposal.objects.clear_of_conflict_with(reviewer).filter(pk=proposal.pk).exists()

    joined(proposal, "view", reviewer)

    assert not Proposal.objects.clear_of_conflict_with(reviewer).filter(pk=proposal.pk).exists()
