"""Renderings from request to file, and every way that they can go wrong."""

import datetime as dt
import hashlib
import os
import signal

import pytest

from psc_portal.annual_report import actions, document, tasks
from psc_portal.annual_report.actions import rendering as rendering_actions
from psc_portal.annual_report.models import MAX_ATTEMPTS, Rendering, Snapshot
from psc_portal.common import clock, pdf
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, RenderingFactory, SectionFactory, frozen_report

pytestmark = pytest.mark.django_db
Status = Rendering.Status


@pytest.fixture
def lead():
    return UserFactory(lead=True)


@pytest.fixture
def rendering(lead):
    return actions.request_rendering(report=frozen_report(by=lead), by=lead)


@pytest.fixture
def stand_in(monkeypatch):
    """A renderer that takes no time. `stand_in.during` is called while it works."""

    class StandIn:
        calls = 0
        during = staticmethod(lambda: None)

        def __call__(self, html, *, on_progress, stylesheets):
            self.calls += 1
            on_progress(40, "Laying out page 4")
            self.during()
            on_progress(90, "Writing page 9 of 9")
            return pdf.Pdf(content=b"%PDF-1.7 " + html.encode()[:50] + b" %%EOF", pages=9, peak_kb=1)

    stand_in = StandIn()
    monkeypatch.setattr(rendering_actions, "render_pdf", stand_in)
    monkeypatch.setattr(rendering_actions, "PROGRESS_SECONDS", 0)
    return stand_in


def test_the_task_makes_the_pdf_of_what_was_frozen(rendering):
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    content = rendering.file.read()
    assert (rendering.status, rendering.percent, rendering.attempt) == (Status.DONE, 100, 1)
    assert (rendering.sha256, rendering.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert rendering.pages >= 3
    history = [(change.to_status, change.by) for change in rendering.status_changes.all()]
    assert history == [(Status.RUNNING, None), (Status.DONE, None)]


def test_a_second_call_of_the_task_finds_the_work_done(rendering, stand_in):
    tasks.render_annual_report(rendering.pk)
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert (stand_in.calls, rendering.attempt, rendering.status) == (1, 1, Status.DONE)


def test_the_same_snapshot_gives_the_same_bytes(rendering):
    html = document.pdf_html(rendering.snapshot)
    again = document.pdf_html(Snapshot.objects.get(pk=rendering.snapshot_id))

    assert html == again
    assert pdf.render_pdf(html).content == pdf.render_pdf(again).content


def test_progress_and_a_sign_of_life_are_stored_while_it_runs(rendering, stand_in):
    seen, mine = [], Rendering.objects.filter(pk=rendering.pk)
    stand_in.during = lambda: seen.append(mine.values("status", "percent", "step", "heartbeat_at").get())

    tasks.render_annual_report(rendering.pk)

    assert seen[0]["heartbeat_at"] is not None
    assert (seen[0]["status"], seen[0]["percent"], seen[0]["step"]) == (Status.RUNNING, 40, "Laying out page 4")


def test_a_broken_rendering_ends_in_a_sentence_and_can_be_tried_again(rendering, stand_in, lead):
    def broken():
        raise pdf.PdfFailed("outside", detail="http://127.0.0.1/secret")

    stand_in.during = broken
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert (rendering.status, rendering.error) == (Status.FAILED, pdf.FAILURES["outside"])
    assert not rendering.file
    stand_in.during = lambda: None
    actions.request_rendering(report=rendering.snapshot.report, by=lead)
    tasks.render_annual_report(rendering.pk)
    rendering.refresh_from_db()
    assert (rendering.status, rendering.error) == (Status.DONE, "")


def test_a_fault_of_our_own_says_nothing_of_its_insides(rendering, monkeypatch):
    def fault(snapshot):
        raise KeyError("secret detail")

    monkeypatch.setattr(document, "pdf_html", fault)
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert rendering.status == Status.FAILED
    assert "secret" not in rendering.error


def test_a_snapshot_that_is_not_what_was_hashed_is_not_rendered():
    report = AnnualReportFactory()
    SectionFactory(report=report)
    frozen_report(report=report)
    genuine = report.snapshots.get()
    forged = Snapshot.objects.create(
        report=report,
        number=2,
        content=genuine.content.replace("change", "chance"),
        sha256=genuine.sha256,
        frozen_by=genuine.frozen_by,
    )
    rendering = RenderingFactory(snapshot=forged)

    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert (rendering.status, bool(rendering.file)) == (Status.FAILED, False)


def test_a_full_disk_ends_in_a_sentence(rendering, stand_in, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rendering_actions.private_storage, "save", full)
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert rendering.error == "The PDF could not be stored, because the disk is full. Try again when there is room."
    assert rendering.status == Status.FAILED


def test_kill_9_of_the_renderer_ends_in_failure_and_the_retry_works(rendering, lead, monkeypatch):
    started, popen = [], pdf.subprocess.Popen

    def keep(*args, **kwargs):
        started.append(popen(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(pdf.subprocess, "Popen", keep)
    progress = rendering_actions._Progress.__call__

    def kill_once(self, percent, step):
        if len(started) == 1 and percent >= 5:
            os.kill(started[0].pid, signal.SIGKILL)
        return progress(self, percent, step)

    monkeypatch.setattr(rendering_actions._Progress, "__call__", kill_once)
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert rendering.status == Status.FAILED
    assert "SIGKILL" in rendering.error
    actions.request_rendering(report=rendering.snapshot.report, by=lead)
    tasks.render_annual_report(rendering.pk)
    rendering.refresh_from_db()
    assert rendering.status == Status.DONE


def test_cancelling_stops_the_worker_and_leaves_no_file(rendering, stand_in, lead):
    stand_in.during = lambda: actions.cancel_rendering(rendering=rendering, by=lead)

    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert (rendering.status, bool(rendering.file), rendering.error) == (Status.CANCELLED, False, "")


def test_cancelling_before_a_worker_took_it_leaves_nothing_to_do(rendering, stand_in, lead):
    actions.cancel_rendering(rendering=rendering, by=lead)

    tasks.render_annual_report(rendering.pk)

    assert stand_in.calls == 0


# What a killed worker leaves behind ----------------------------------------------------------------------------------


def later(**passed):
    return clock.at(clock.now() + dt.timedelta(**passed))


def test_sweep_puts_a_rendering_back_whose_worker_was_killed():
    rendering = RenderingFactory(running=True)

    with later(minutes=2):
        tasks.sweep()

    rendering.refresh_from_db()
    assert (rendering.status, rendering.attempt) == (Status.QUEUED, 1)
    assert OutboxMessage.objects.get(task="annual_report.render").arguments == [rendering.pk]


def test_sweep_leaves_a_rendering_alone_that_gives_signs_of_life():
    rendering = RenderingFactory(running=True)

    with later(seconds=30):
        tasks.sweep()

    rendering.refresh_from_db()
    assert (rendering.status, OutboxMessage.objects.count()) == (Status.RUNNING, 0)


def test_sweep_gives_up_on_a_rendering_that_kills_its_worker_again_and_again():
    rendering = RenderingFactory(running=True, attempt=MAX_ATTEMPTS)

    with later(minutes=2):
        tasks.sweep()

    rendering.refresh_from_db()
    assert (rendering.status, OutboxMessage.objects.count()) == (Status.FAILED, 0)
    assert "stopped 3 times" in rendering.error


def test_sweep_offers_a_rendering_again_that_the_queue_lost_but_not_at_every_sweep():
    RenderingFactory()

    with later(minutes=3):
        tasks.sweep()
        tasks.sweep()

    assert OutboxMessage.objects.filter(task="annual_report.render").count() == 1


def test_a_worker_that_was_given_up_cannot_store_its_late_result(rendering, stand_in):
    def another_worker_takes_over():
        Rendering.objects.update(attempt=2)

    stand_in.during = another_worker_takes_over
    tasks.render_annual_report(rendering.pk)

    rendering.refresh_from_db()
    assert (rendering.status, rendering.attempt, bool(rendering.file)) == (Status.RUNNING, 2, False)
