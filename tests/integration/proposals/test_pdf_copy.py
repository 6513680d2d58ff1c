"""The PDF copy of what was submitted."""

import datetime as dt
import hashlib

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from proposals import actions
from proposals.models import Proposal
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.pdf import PdfFailed
from psc_portal.common.templatetags.portal import uk_datetime
from tests import pdf_checks
from tests.factories.accounts import UserFactory
from tests.factories.proposals import AssignmentFactory, ProposalFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def submitted():
    proposal = ProposalFactory(title="Fewer falls")
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)
    return Proposal.objects.get(pk=proposal.pk)


def jobs() -> list[tuple[str, list]]:
    return [(job.task, job.arguments) for job in OutboxMessage.objects.filter(kind="job")]


@pytest.fixture
def with_copy(submitted):
    submitted.copy_file.save("copy.pdf", ContentFile(b"%PDF-1.7 copy"))
    return submitted


def test_submitting_has_a_job_make_an_accessible_pdf_of_what_was_submitted(submitted):
    ordered = jobs()

    made = actions.make_copy(proposal=submitted)

    content = made.copy_file.read()
    text = " ".join(pdf_checks.pdf_text(content))
    assert ordered == [("proposals.make_copy", [submitted.pk])]
    assert made.copy_sha256 == hashlib.sha256(content).hexdigest()
    pdf_checks.assert_accessible(content, by_verapdf=True)
    for words in (
        submitted.reference,
        uk_datetime(submitted.submitted_at),
        submitted.applicant.display_name,
        "A two-minute check at admission.",
        "£12,500",
    ):
        assert words in text, words


def test_making_the_copy_again_keeps_the_first_one(submitted, monkeypatch):
    first = actions.make_copy(proposal=submitted)
    monkeypatch.setattr("proposals.actions.copying.render_pdf", lambda *args, **kwargs: pytest.fail("made twice"))

    second = actions.make_copy(proposal=submitted)

    assert second.copy_file.name == first.copy_file.name


def test_a_draft_gets_no_copy():
    assert not actions.make_copy(proposal=ProposalFactory()).copy_file


def test_until_the_copy_is_there_the_page_says_so_and_asking_orders_it_again_once_an_hour(submitted, client_as):
    client = client_as(submitted.applicant)
    url = reverse("proposals:proposal_pdf", args=[submitted.address])

    page = client.get(submitted.get_absolute_url()).content.decode()
    answers = [client.get(url, follow=True).content.decode() for _ in range(3)]

    assert "The PDF copy is being made." in page
    assert all("The PDF copy is being made. Come back" in answer for answer in answers)
    assert len(jobs()) == 2


def test_a_copy_that_a_crash_left_out_is_ordered_by_the_sweep(with_copy):
    lost = ProposalFactory(submitted=True, submitted_at=clock.now() - dt.timedelta(minutes=10))
    ProposalFactory(submitted=True, submitted_at=clock.now() - dt.timedelta(days=30))
    OutboxMessage.objects.all().delete()

    actions.sweep_copies()
    actions.sweep_copies()

    assert jobs() == [("proposals.make_copy", [lost.pk])]


def test_a_pdf_that_cannot_be_made_breaks_nothing(submitted, monkeypatch):
    def fail(*args, **kwargs):
        raise PdfFailed("memory")

    monkeypatch.setattr("proposals.actions.copying.render_pdf", fail)

    assert not actions.make_copy(proposal=submitted).copy_file


def test_team_and_staff_get_the_copy_and_nobody_else(with_copy, client_as, client):
    Proposal.objects.filter(pk=with_copy.pk).update(status="in_assessment")
    reviewer = AssignmentFactory(proposal=with_copy, cleared=True).reviewer
    url = reverse("proposals:proposal_pdf", args=[with_copy.address])

    found = {
        name: client_as(user).get(url).status_code
        for name, user in {
            "applicant": with_copy.applicant,
            "staff": UserFactory(staff=True),
            "reviewer": reviewer,
            "another": UserFactory(),
        }.items()
    }

    assert found == {"applicant": 200, "staff": 200, "reviewer": 404, "another": 404}
    assert client.get(url).status_code == 302
    answer = client_as(with_copy.applicant).get(url)
    assert f'filename="{with_copy.reference}.pdf"' in answer["Content-Disposition"]
    assert (
        with_copy.copy_file.url not in client_as(with_copy.applicant).get(with_copy.get_absolute_url()).content.decode()
    )


def test_a_copy_that_is_gone_from_the_storage_is_a_sentence_on_the_proposals_page(with_copy, client_as, caplog):
    with_copy.copy_file.storage.delete(with_copy.copy_file.name)

    page = client_as(with_copy.applicant).get(reverse("proposals:proposal_pdf", args=[with_copy.address]), follow=True)

    assert "The PDF copy cannot be opened at the moment." in page.content.decode()
