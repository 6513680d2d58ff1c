"""The virus scan, with a real clamd that knows one signature of our own."""

import io
import os
import shutil
import socketserver
import subprocess
import threading
import time

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from proposals import actions, questions, tasks
from proposals.models import Attachment, CallQuestion, Proposal
from psc_portal.common import clamd
from psc_portal.common.files import private_storage
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of
from tests.unit.common.test_uploads import pdf

pytestmark = pytest.mark.django_db
MARK = b"portaltestvirus7d1f"  # the whole of our virus
CONFIGURATION = """
LocalSocket {folder}/clamd.sock
DatabaseDirectory {folder}/signatures
PidFile {folder}/clamd.pid
Foreground yes
StreamMaxLength 20M
User {user}
"""


@pytest.fixture(scope="module")
def scanner(tmp_path_factory):
    """A clamd of this test's own, on a socket in a folder of its own."""
    program = shutil.which("clamd", path=os.environ["PATH"] + ":/usr/sbin")
    assert program, "No clamd found: script/setup tests installs it (apt-get install clamav-daemon)"
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "signatures").mkdir()
    (folder / "signatures" / "own.ndb").write_text(f"Portal.Test:0:*:{MARK.hex()}\n")
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "clamd.conf").write_text(CONFIGURATION.format(folder=folder, user=user))
    log = (folder / "clamd.log").open("wb")
    process = subprocess.Popen([program, "-c", folder / "clamd.conf"], stdout=log, stderr=log)
    socket = folder / "clamd.sock"
    for _ in range(300):
        if socket.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert socket.exists(), (folder / "clamd.log").read_text()
    yield f"unix:{socket}"
    process.terminate()
    process.wait(30)
    log.close()


def infected_pdf():
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Subject": MARK.decode()})
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def uploaded(proposal, name="plan.pdf", content=None):
    file = SimpleUploadedFile(name, content or pdf())
    return actions.add_attachment(proposal=proposal, by=proposal.applicant, file=file)


def in_assessment(proposal):
    Proposal.objects.filter(pk=proposal.pk).update(
        status="in_assessment", reference="EM-2020-7777", submitted_at=proposal.created_at,
        submitted_by=proposal.applicant,
    )  # fmt: skip
    proposal.refresh_from_db()
    return proposal


def test_a_file_waits_unseen_by_others_until_it_was_found_clean(scanner, settings, client_as):
    settings.CLAMD_URL = scanner
    proposal = ProposalFactory()
    file = uploaded(proposal)
    reviewer = client_as(review_of(in_assessment(proposal)).reviewer)
    staff, team = client_as(UserFactory(staff=True)), client_as(proposal.applicant)

    assert OutboxMessage.objects.filter(task="proposals.scan_attachment", arguments=[file.pk]).exists()
    for client in (reviewer, staff):
        assert client.get(file.get_absolute_url()).status_code == 404
        assert "plan.pdf" not in client.get(proposal.get_absolute_url()).content.decode()
    assert team.get(file.get_absolute_url()).status_code == 404
    assert "waiting for the virus scan" in team.get(proposal.get_absolute_url()).content.decode()

    tasks.scan_attachment(file.pk)

    file.refresh_from_db()
    assert (file.scan_status, file.scanned_at is None) == (Attachment.Scan.CLEAN, False)
    assert {client.get(file.get_absolute_url()).status_code for client in (reviewer, staff, team)} == {200}


def test_an_infected_file_is_deleted_and_its_team_told_which_and_what_to_do(scanner, settings, client_as, mailed):
    settings.CLAMD_URL = scanner
    proposal = ProposalFactory()
    file = uploaded(proposal, "costs.pdf", infected_pdf())
    stored = file.file.name

    with_commit(lambda: tasks.scan_attachment(file.pk))

    file.refresh_from_db()
    assert (file.scan_status, file.file.name) == (Attachment.Scan.INFECTED, "")
    assert not private_storage.exists(stored)
    client = client_as(proposal.applicant)
    page = client.get(reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])).content.decode()
    assert "costs.pdf" in page and "Virus found" in page and "make a clean copy" in page
    assert client.get(file.get_absolute_url()).status_code == 404
    [mail] = mailed(proposal.applicant)
    assert "costs.pdf" in mail.body and "check the computer" in mail.body


def with_commit(act):
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        act()


def test_while_the_scanner_is_down_a_file_waits_and_is_asked_about_again(scanner, settings):
    settings.CLAMD_URL = "unix:/nowhere/clamd.sock"
    file = uploaded(ProposalFactory())

    tasks.scan_attachment(file.pk)
    tasks.scan_waiting()
    file.refresh_from_db()
    assert file.scan_status == Attachment.Scan.WAITING

    settings.CLAMD_URL = scanner
    tasks.scan_waiting()
    file.refresh_from_db()
    assert file.scan_status == Attachment.Scan.CLEAN


def test_a_proposal_can_be_submitted_while_a_file_waits(settings):
    settings.CLAMD_URL = "unix:/nowhere/clamd.sock"
    proposal = ProposalFactory()
    uploaded(proposal)

    assert actions.submit_proposal(proposal=proposal, by=proposal.applicant).reference


def test_without_a_scanner_files_are_not_scanned_and_can_be_had_at_once(settings, client_as):
    settings.CLAMD_URL = ""
    proposal = ProposalFactory()
    file = uploaded(proposal)

    assert file.scan_status == Attachment.Scan.NOT_SCANNED
    assert client_as(proposal.applicant).get(file.get_absolute_url()).status_code == 200


class Daemon(socketserver.BaseRequestHandler):
    """A clamd that says what its server is told to, by what a file holds."""

    def handle(self):
        said = b""
        while not said.startswith(b"zPING") and not said.endswith(b"\0\0\0\0"):
            if not (more := self.request.recv(65536)):
                return
            said += more
        if said.startswith(b"zPING"):
            self.request.sendall(b"PONG\0")
        else:
            self.request.sendall(
                next((answer for mark, answer in self.server.answers if mark in said), b"stream: OK\0")
            )


@pytest.fixture
def says(settings, tmp_path):
    """Let CLAMD_URL be a daemon with these answers: (what a file holds, answer) ..., "stream: OK" to all others."""
    settings.CLAMD_URL = f"unix:{tmp_path}/clamd.sock"
    with socketserver.ThreadingUnixStreamServer(f"{tmp_path}/clamd.sock", Daemon) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield lambda *answers: setattr(server, "answers", answers)
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: something ERROR\0"])
def test_an_answer_that_is_no_verdict_is_never_taken_for_clean(says, answer):
    says((b"text", answer))

    with pytest.raises(clamd.NoVerdict):
        clamd.scan(SimpleUploadedFile("x.pdf", b"text"))


def test_a_file_that_is_too_large_for_the_daemon_is_told_from_a_daemon_that_is_gone(scanner, settings):
    settings.CLAMD_URL = scanner

    with pytest.raises(clamd.NoVerdict):
        clamd.scan(io.BytesIO(b"\0" * 30 * 1024 * 1024))
    settings.CLAMD_URL = "unix:/nowhere/clamd.sock"
    with pytest.raises(clamd.ScannerUnavailable):
        clamd.scan(io.BytesIO(b"text"))


def pdf_that_says(mark):
    writer = pypdf.PdfWriter(io.BytesIO(pdf()))
    writer.add_metadata({"/Subject": mark})
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def test_a_file_that_is_missing_or_refused_holds_up_no_other_and_its_team_and_staff_are_told(
    says, client_as, mailed, caplog
):
    says((b"enormous", b"INSTREAM size limit exceeded. ERROR\0"))
    proposal = ProposalFactory()
    missing, large = uploaded(proposal, "gone.pdf"), uploaded(proposal, "large.pdf", pdf_that_says("enormous"))
    fine = uploaded(proposal, "fine.pdf")
    private_storage.delete(missing.file.name)

    tasks.scan_waiting()
    missing.refresh_from_db(), large.refresh_from_db(), fine.refresh_from_db()
    assert [one.scan_status for one in (missing, large, fine)] == ["waiting", "unscannable", "clean"]
    Attachment.objects.filter(pk=missing.pk).update(scan_attempts=59)
    tasks.scan_waiting()

    states = dict(proposal.attachments.values_list("name", "scan_status"))
    assert states == {"gone.pdf": "unscannable", "large.pdf": "unscannable", "fine.pdf": "clean"}
    assert len(caplog.records) == 3
    team = client_as(proposal.applicant)
    page = team.get(reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id])).content.decode()
    assert page.count("We could not scan it for viruses, so nobody can open it.") == 2
    assert {("gone.pdf" in mail.body, "large.pdf" in mail.body) for mail in mailed(proposal.applicant)} == {
        (True, False),
        (False, True),
    }
    reviewer = client_as(review_of(in_assessment(proposal)).reviewer)
    staff = client_as(UserFactory(staff=True))
    for client in (team, reviewer, staff):
        assert client.get(large.get_absolute_url()).status_code == 404
        assert client.get(fine.get_absolute_url()).status_code == 200
    said = "2 files could not be scanned for viruses, so nobody can open them; the team was told."
    for address in (
        proposal.get_absolute_url(),
        reverse("admin:proposals_proposal_change", args=[proposal.pk]),
    ):
        page = staff.get(address).content.decode()
        assert said in page and "large.pdf" not in page
    assert said not in reviewer.get(proposal.get_absolute_url()).content.decode()
    assert "large.pdf: could not be scanned" in team.get(proposal.get_absolute_url()).content.decode()


def test_a_file_without_a_verdict_is_tried_again_after_the_others_and_given_up_at_last(says, mailed, caplog):
    says((b"difficult", b"stream: Can't allocate memory ERROR\0"))
    proposal = ProposalFactory()
    difficult = uploaded(proposal, "difficult.pdf", pdf_that_says("difficult"))
    fine = uploaded(proposal, "fine.pdf")

    actions.scan_waiting()
    difficult.refresh_from_db(), fine.refresh_from_db()
    assert (difficult.scan_status, difficult.scan_attempts, fine.scan_status) == ("waiting", 1, "clean")
    later = uploaded(proposal, "later.pdf")
    actions.scan_waiting(limit=1)  # the one that had trouble comes last
    difficult.refresh_from_db(), later.refresh_from_db()
    assert (difficult.scan_attempts, later.scan_status, mailed(proposal.applicant)) == (1, "clean", [])

    Attachment.objects.filter(pk=difficult.pk).update(scan_attempts=59)
    actions.scan_waiting()

    difficult.refresh_from_db()
    assert difficult.scan_status == Attachment.Scan.UNSCANNABLE
    assert ["difficult.pdf" in mail.body for mail in mailed(proposal.applicant)] == [True]


@pytest.mark.parametrize("state", [Attachment.Scan.UNSCANNABLE, Attachment.Scan.INFECTED])
def test_a_file_that_nobody_can_read_answers_no_question(client_as, state):
    call = CallFactory()
    question = CallQuestion.objects.create(call=call, position=1, kind="file", text="Your letter of support")
    proposal = ProposalFactory(call=call)
    name = questions.name_of(question.pk)
    file = actions.add_attachment(
        proposal=proposal, by=proposal.applicant, file=SimpleUploadedFile("letter.pdf", pdf()), question=name
    )
    Attachment.objects.filter(pk=file.pk).update(scan_status=state)

    with pytest.raises(ActionRefused, match="1 answer is missing"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)
    page = client_as(proposal.applicant).get(
        reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])
    )
    assert "so nobody can read it. Add a clean copy, or take it out." in page.content.decode()
    assert file.get_absolute_url() not in page.content.decode()
