"""The virus scan, with a real clamd that knows one signature of our own."""

import io
import os
import shutil
import subprocess
import time

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from proposals import actions, tasks
from proposals.models import Attachment, Proposal
from psc_portal.common import clamd
from psc_portal.common.files import private_storage
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.proposals import ProposalFactory, review_of
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


def test_an_answer_that_is_no_verdict_is_never_taken_for_clean(settings, tmp_path):
    import socket
    import threading

    for answer in (b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: something ERROR\0"):
        path = tmp_path / f"{len(answer)}.sock"
        settings.CLAMD_URL = f"unix:{path}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(str(path))
            server.listen()

            def reply(server=server, answer=answer):
                talk, _ = server.accept()
                with talk:
                    talk.recv(65536)
                    talk.sendall(answer)

            thread = threading.Thread(target=reply)
            thread.start()
            with pytest.raises(clamd.ScannerUnavailable):
                clamd.scan(SimpleUploadedFile("x.pdf", b"text"))
            thread.join(10)
