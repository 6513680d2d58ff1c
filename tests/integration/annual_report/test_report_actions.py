import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InternalError, connection, transaction

from projects.models import Priority, Project
from psc_portal.annual_report import actions
from psc_portal.annual_report.models import AnnualReport, Mention, Rendering, Section, Snapshot
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import (
    AnnualReportFactory,
    RenderingFactory,
    SectionFactory,
    SnapshotFactory,
    frozen_report,
    published_report,
)
from tests.factories.projects import PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db
Status = AnnualReport.Status
NHS_NUMBER = "943 476 5919"


@pytest.fixture
def lead():
    return UserFactory(lead=True)


def edit(section, by, **changes):
    given = {"heading": section.heading, "text": section.text, "owner": section.owner, "version": section.version}
    return actions.edit_section(section=section, **given | changes, by=by)


# Creating ------------------------------------------------------------------------------------------------------------


def test_create_report_lays_out_its_sections_with_must_do_topics_before_local_priorities(lead):
    PriorityFactory(title="Falls")
    PriorityFactory(title="Measurement of safety", must_do=True)

    report = actions.create_report(year_start=dt.date(2025, 4, 1), by=lead)

    kinds = list(report.sections.values_list("kind", flat=True))
    assert kinds[:3] == ["foreword", "year_in_numbers", "who_we_are"]
    assert kinds[-3:] == ["metrics", "glossary", "contacts"]
    chapters = [section.priority for section in report.sections.filter(kind="priority").select_related("priority")]
    assert chapters == list(Priority.objects.current())
    assert [priority.is_must_do for priority in chapters] == sorted(
        (priority.is_must_do for priority in chapters), reverse=True
    )
    assert set(kinds) == set(Section.Kind.values)


def test_create_report_takes_the_data_up_to_the_end_of_a_year_that_is_over(lead):
    with clock.at(dt.datetime(2026, 6, 10, 12, tzinfo=clock.UK)):
        past = actions.create_report(year_start=dt.date(2025, 4, 1), by=lead)
        present = actions.create_report(year_start=dt.date(2026, 4, 1), by=lead)

    assert (past.data_cut_on, present.data_cut_on) == (dt.date(2026, 3, 31), dt.date(2026, 6, 10))


@pytest.mark.parametrize(
    ("year_start", "why"),
    [(dt.date(2025, 1, 1), "1 April"), (dt.date(2099, 4, 1), "has not begun"), (dt.date(2024, 4, 1), "already")],
)
def test_create_report_of_a_wrong_or_taken_year_is_refused(lead, year_start, why):
    AnnualReportFactory(year_start=dt.date(2024, 4, 1))

    with pytest.raises(ActionRefused, match=why):
        actions.create_report(year_start=year_start, by=lead)

    assert AnnualReport.objects.count() == 1


# Writing -------------------------------------------------------------------------------------------------------------


def test_edit_section_stores_the_text_and_takes_the_sign_off_away(lead):
    section = SectionFactory(signed_off=True)

    edit(section, lead, text="Another  text.\r\nTwo lines.")

    section.refresh_from_db()
    assert section.text == "Another  text.\nTwo lines."
    assert (section.version, section.edited_by, section.signed_off_at, section.signed_off_by) == (2, lead, None, None)


def test_edit_section_that_changes_nothing_keeps_the_sign_off(lead):
    section = SectionFactory(signed_off=True)

    edit(section, lead, owner=lead)

    section.refresh_from_db()
    assert (section.version, section.is_signed_off, section.owner) == (1, True, lead)


def test_edit_section_that_somebody_changed_meanwhile_is_refused_with_their_text(lead):
    section = SectionFactory()
    other = UserFactory(lead=True, full_name="Ann Other")
    edit(section, other, text="Theirs.")

    with pytest.raises(actions.SectionChanged, match="Ann Other") as refusal:
        edit(section, lead, text="Mine.")

    section.refresh_from_db()
    assert (section.text, refusal.value.stored.text, refusal.value.stored.version) == ("Theirs.", "Theirs.", 2)


def test_edit_section_twice_with_the_same_text_is_no_conflict(lead):
    section = SectionFactory()
    edit(section, lead, text="Mine.")

    edit(section, lead, text="Mine.")

    section.refresh_from_db()
    assert section.version == 2


def test_a_draft_may_hold_what_looks_like_an_nhs_number_but_neither_sign_off_nor_freeze_take_it(lead):
    section = SectionFactory(heading="Foreword")
    section = edit(section, lead, text=f"Patient {NHS_NUMBER}")

    for refused in (
        lambda: actions.sign_off(section=section, by=lead),
        lambda: actions.freeze_report(report=section.report, by=lead),
    ):
        with pytest.raises(ActionRefused, match="NHS number in: Foreword"):
            refused()

    section.refresh_from_db()
    assert (section.is_signed_off, section.report.status, Snapshot.objects.count()) == (False, Status.EDITING, 0)


def test_of_two_sections_with_one_heading_both_are_looked_at_before_the_freeze(lead):
    first = SectionFactory(kind="foreword", heading="Same", text=f"Patient {NHS_NUMBER}")
    SectionFactory(report=first.report, kind="thanks", heading="Same", text="Nobody.")

    with pytest.raises(ActionRefused, match="NHS number in: Same"):
        actions.freeze_report(report=first.report, by=lead)


def test_nobody_signs_off_a_text_that_they_have_not_read(lead):
    section = SectionFactory()
    edit(section, UserFactory(lead=True, full_name="Ann Other"), text="Theirs.")

    with pytest.raises(actions.SectionChanged, match="Ann Other"):
        actions.sign_off(section=section, by=lead)

    section.refresh_from_db()
    assert not section.is_signed_off


@pytest.mark.parametrize("make", [frozen_report, published_report])
def test_a_frozen_or_published_report_is_not_written_any_more(lead, make):
    report = make()
    section = report.sections.get()

    for refused in (
        lambda: edit(section, lead, text="Late."),
        lambda: actions.sign_off(section=section, by=lead),
        lambda: actions.edit_report(report=report, summary="", data_cut_on=report.data_cut_on, by=lead),
        lambda: actions.freeze_report(report=report, by=lead),
    ):
        with pytest.raises(ActionRefused):
            refused()

    section.refresh_from_db()
    assert section.text == "It was a year of change."


def test_edit_report_refuses_a_data_cut_before_its_year(lead):
    report = AnnualReportFactory(year_start=dt.date(2025, 4, 1))

    with pytest.raises(ActionRefused, match="data cut"):
        actions.edit_report(report=report, summary="x", data_cut_on=dt.date(2025, 3, 31), by=lead)


# Freezing and publishing ---------------------------------------------------------------------------------------------


def test_freeze_report_keeps_a_hashed_snapshot_with_history_and_audit(lead):
    report = frozen_report(by=lead)

    snapshot = report.snapshot
    assert (snapshot.number, snapshot.frozen_by, snapshot.is_intact()) == (1, lead, True)
    assert report.status_changes.values_list("from_status", "to_status", "by").get() == ("editing", "frozen", lead.pk)
    event = AuditEvent.objects.get(verb="annual_report.frozen")
    assert (event.by, event.after["sha256"]) == (lead, snapshot.sha256)


def test_a_later_change_of_data_or_text_does_not_change_what_was_frozen(lead):
    project = ProjectFactory(title="Fewer falls")
    report = frozen_report(by=lead, data_cut_on=clock.today())
    before = report.snapshot.content

    Project.objects.filter(pk=project.pk).update(title="Something else")
    Section.objects.update(text="Something else")

    report.snapshot.refresh_from_db()
    assert report.snapshot.content == before
    assert "Fewer falls" in before
    assert "Something else" not in before


def test_postgresql_itself_refuses_to_change_a_snapshot():
    snapshot = SnapshotFactory()

    with pytest.raises((IntegrityError, InternalError), match="append-only"), transaction.atomic():
        Snapshot.objects.filter(pk=snapshot.pk).update(content="{}")


def test_freeze_report_remembers_which_subjects_it_speaks_of(lead):
    priority = PriorityFactory(slug="falls")
    project = ProjectFactory(priorities=[priority])
    report = AnnualReportFactory(data_cut_on=clock.today())
    SectionFactory(report=report, kind="priority", priority=priority, heading="Falls")

    frozen_report(by=lead, report=report)

    found = set(Mention.objects.values_list("kind", "subject_pk", "anchor"))
    assert {("priority", priority.pk, "priority-falls"), ("project", project.pk, "priority-falls")} <= found


def test_reopen_report_needs_a_reason_and_keeps_the_old_snapshot(lead):
    report = frozen_report(by=lead)
    old = report.snapshot

    with pytest.raises(ActionRefused, match="why"):
        actions.reopen_report(report=report, reason="  ", by=lead)
    actions.reopen_report(report=report, reason="A figure was missing", by=lead)

    report.refresh_from_db()
    assert (report.status, report.snapshot) == (Status.EDITING, None)
    assert old.reopenings.get().reason == "A figure was missing"
    assert frozen_report(by=lead, report=report).snapshot.number == 2


def test_reopen_report_cancels_the_pdf_that_is_being_made(lead):
    report = frozen_report(by=lead)
    rendering = actions.request_rendering(report=report, by=lead)

    actions.reopen_report(report=report, reason="A figure was missing", by=lead)

    rendering.refresh_from_db()
    assert rendering.status == Rendering.Status.CANCELLED


def test_publish_report_without_its_pdf_is_refused(lead):
    report = frozen_report(by=lead)
    RenderingFactory(snapshot=report.snapshot, failed=True)

    with pytest.raises(ActionRefused, match="Make the PDF first"):
        actions.publish_report(report=report, by=lead)

    report.refresh_from_db()
    assert (report.status, report.published_at) == (Status.FROZEN, None)


def test_publish_report_says_when_and_by_whom(lead):
    report = published_report(by=lead)

    assert (report.status, report.published_by) == (Status.PUBLISHED, lead)
    assert [change.to_status for change in report.status_changes.all()] == ["frozen", "published"]


def test_publish_report_twice_is_refused(lead):
    report = published_report(by=lead)

    with pytest.raises(ActionRefused, match="cannot become"):
        actions.publish_report(report=report, by=lead)


def test_a_published_report_cannot_be_opened_again(lead):
    report = published_report(by=lead)

    with pytest.raises(ActionRefused, match="correction"):
        actions.reopen_report(report=report, reason="Too late", by=lead)


def test_add_correction_is_for_published_reports_only(lead):
    published = published_report(by=lead)
    actions.add_correction(report=published, text=" 7 falls, not 9. ", by=lead)

    with pytest.raises(ActionRefused, match="not published"):
        actions.add_correction(report=frozen_report(), text="x", by=lead)

    assert published.corrections.get().text == "7 falls, not 9."


def test_only_leads_and_staff_may_write():
    section = SectionFactory()
    report = section.report
    rendering = RenderingFactory()
    doings = [
        lambda by: actions.create_report(year_start=dt.date(2020, 4, 1), by=by),
        lambda by: actions.edit_report(report=report, summary="", data_cut_on=report.data_cut_on, by=by),
        lambda by: edit(section, by, text="x"),
        lambda by: actions.sign_off(section=section, by=by),
        lambda by: actions.freeze_report(report=report, by=by),
        lambda by: actions.reopen_report(report=report, reason="x", by=by),
        lambda by: actions.publish_report(report=report, by=by),
        lambda by: actions.add_correction(report=report, text="x", by=by),
        lambda by: actions.request_rendering(report=report, by=by),
        lambda by: actions.cancel_rendering(rendering=rendering, by=by),
    ]

    for user in (UserFactory(), UserFactory(reviewer=True)):
        for do in doings:
            with pytest.raises(PermissionDenied):
                do(user)
    actions.sign_off(section=section, by=UserFactory(staff=True))

    assert AuditEvent.objects.filter(subject_type__startswith="annual_report").count() == 1


@pytest.mark.django_db(transaction=True)
def test_freeze_report_reads_one_state_of_the_data_whatever_changes_meanwhile(monkeypatch):
    """Between two queries of the freeze, another connection stores a project: the snapshot must not see it."""
    import threading

    from psc_portal.annual_report import snapshots

    lead = UserFactory(lead=True)
    report = AnnualReportFactory(data_cut_on=clock.today())
    SectionFactory(report=report)
    first = snapshots.collect_metrics

    def slowly(year):
        other = threading.Thread(target=lambda: (ProjectFactory(title="Too late"), connection.close()))
        other.start()
        other.join()
        return first(year)

    monkeypatch.setattr(snapshots, "collect_metrics", slowly)
    actions.freeze_report(report=report, by=lead)

    report.refresh_from_db()
    assert Project.objects.filter(title="Too late").exists()
    assert "Too late" not in report.snapshot.content


@pytest.mark.django_db(transaction=True)
def test_two_freezes_at_the_same_moment_make_one_snapshot():
    import threading

    lead = UserFactory(lead=True)
    section = SectionFactory()
    outcomes = []

    def freeze():
        try:
            actions.freeze_report(report=section.report, by=lead)
            outcomes.append("frozen")
        except ActionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=freeze) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["frozen", "refused"]
    assert Snapshot.objects.count() == 1


# Rendering: asking for it --------------------------------------------------------------------------------------------


def test_request_rendering_twice_renders_once(lead):
    report = frozen_report(by=lead)

    first = actions.request_rendering(report=report, by=lead)
    second = actions.request_rendering(report=report, by=UserFactory(staff=True))

    assert first.pk == second.pk
    asked = OutboxMessage.objects.filter(task="annual_report.render").order_by("pk").values_list("arguments", flat=True)
    kinds = ["report", "board_pack", "large_print"]
    assert list(asked) == [[Rendering.objects.get(kind=kind).pk] for kind in kinds]


def test_request_rendering_asks_for_a_pdf_of_each_priority_that_has_a_chapter(lead):
    report = AnnualReportFactory()
    priority = PriorityFactory(slug="falls", title="Falls")
    SectionFactory(report=report, kind="priority", priority=priority, heading="Fewer falls")

    actions.request_rendering(report=frozen_report(report=report, by=lead), by=lead)

    rendering = Rendering.objects.get(kind="priority")
    assert (rendering.part, rendering.name, rendering.slug) == ("falls", "Fewer falls", "priority-falls")


def test_cancel_renderings_stops_all_that_is_not_done(lead):
    report = frozen_report(by=lead)
    actions.request_rendering(report=report, by=lead)

    actions.cancel_renderings(report=report, by=lead)

    assert set(Rendering.objects.values_list("status", flat=True)) == {Rendering.Status.CANCELLED}
    with pytest.raises(ActionRefused, match="No PDF"):
        actions.cancel_renderings(report=report, by=lead)


def test_request_rendering_of_a_report_that_is_being_written_is_refused(lead):
    with pytest.raises(ActionRefused, match="Freeze"):
        actions.request_rendering(report=AnnualReportFactory(), by=lead)


def test_request_rendering_after_a_failure_is_the_retry(lead):
    report = frozen_report(by=lead)
    failed = RenderingFactory(snapshot=report.snapshot, failed=True, attempt=3)

    again = actions.request_rendering(report=report, by=lead)

    assert (again.pk, again.status, again.error, again.attempt) == (failed.pk, Rendering.Status.QUEUED, "", 0)
    assert OutboxMessage.objects.filter(task="annual_report.render", arguments=[failed.pk]).count() == 1


def test_cancel_rendering_of_a_finished_one_is_refused(lead):
    with pytest.raises(ActionRefused):
        actions.cancel_rendering(rendering=RenderingFactory(done=True), by=lead)


def test_every_status_has_its_transitions():
    assert set(AnnualReport.TRANSITIONS) == set(AnnualReport.Status)
    assert set(Rendering.TRANSITIONS) == set(Rendering.Status)
