"""Large files on their way to an import: kept private, checked and stored by a worker, deleted after."""

import datetime as dt
import tracemalloc
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from measurement import actions, importing, imports
from measurement.models import Correction, DataPoint, ImportBatch, ImportFile
from projects.models import Affiliation
from psc_portal.common import clock
from psc_portal.common.files import private_storage
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory

pytestmark = pytest.mark.django_db

Status = ImportFile.Status


@pytest.fixture
def trust():
    return OrganisationFactory(ods_code="RX1", name="Own Trust")


@pytest.fixture
def member(trust):
    return AffiliationFactory(organisation=trust).user


@pytest.fixture
def series(trust):
    return SeriesFactory(metric=MetricFactory(frequency="week"), organisation=trust)


def weeks(count, *more):
    start = dt.date(1995, 1, 2)
    rows = [f"{start + dt.timedelta(days=7 * week)},{week % 40},{300 + week % 9}" for week in range(count)]
    return "\n".join(["period,numerator,denominator", *rows, *more]) + "\n"


def received(series, by, text=None, **options):
    return importing.receive_file(
        metric=series.metric,
        series=series,
        file=ContentFile((text or weeks(1200)).encode(), name="weeks.csv"),
        name="weeks.csv",
        by=by,
        token=uuid4(),
        **options,
    )


def worked(import_file):
    importing.handle(import_file=import_file)
    import_file.refresh_from_db()
    return import_file


def jobs():
    return [tuple(one.arguments) for one in OutboxMessage.objects.filter(task="measurement.handle_file")]


# The way of a file ---------------------------------------------------------------------------------------------------


def test_a_file_of_many_rows_goes_to_the_worker_and_is_stored_when_its_owner_says_so(
    client_as, series, member, django_capture_on_commit_callbacks
):
    browser = client_as(member)
    content = weeks(1500, "2020-13-01,1,9", "Total,1,9").encode()
    sent = browser.post(
        reverse("measurement:rows_enter", args=[series.metric.code]),
        {"series": "RX1", "file": SimpleUploadedFile("weeks.csv", content), "token": uuid4()},
    )
    kept = ImportFile.objects.get()
    waiting = browser.get(sent.url).content.decode()
    found, name = worked(kept).result, kept.file.name
    page = browser.get(sent.url)
    accepted = browser.post(sent.url, {"name": "All weeks"})
    with django_capture_on_commit_callbacks(execute=True):
        stored = worked(kept)
    done = browser.get(sent.url).content.decode()

    assert jobs() == [(kept.pk,), (kept.pk,)]
    assert "Waiting for a free worker" in waiting
    assert 'data-progress-url="' in waiting
    assert (found["good"], found["refused"], found["left_out"]) == (1500, 1, 1)
    assert "1,500 good, 1 refused" in page.content.decode()
    assert "Store 1,500 good rows" in page.content.decode()
    assert accepted.url == sent.url
    assert stored.status == Status.STORED
    assert (stored.batch.name, stored.batch.rows_stored, stored.batch.by) == ("All weeks", 1500, member)
    assert series.points.count() == 1500
    assert not stored.file
    assert not private_storage.exists(name)
    assert "1,500 values are stored" in done


def test_a_thousand_rows_are_checked_while_the_person_waits(client_as, series, member):
    response = client_as(member).post(
        reverse("measurement:rows_enter", args=[series.metric.code]), {"series": "RX1", "rows": weeks(1000)}
    )

    assert "1,000 good" in response.content.decode()
    assert not ImportFile.objects.exists()


def test_the_same_file_sent_twice_is_kept_once_and_another_one_by_itself(client_as, series, member):
    browser, token = client_as(member), uuid4()

    def send(count):
        return browser.post(
            reverse("measurement:rows_enter", args=[series.metric.code]),
            {"series": "RX1", "rows": weeks(count), "token": token},
        ).url

    assert send(1200) == send(1200)
    assert send(1300) != send(1200)


def test_nobody_else_sees_the_file(client_as, series, member, trust):
    path = received(series, member).get_absolute_url()
    colleague, staff = AffiliationFactory(organisation=trust).user, UserFactory(staff=True)

    assert client_as(member).get(path).status_code == 200
    for person in (colleague, staff, UserFactory(lead=True)):
        assert client_as(person).get(path).status_code == 404
        assert client_as(person).get(f"{path}progress/").status_code == 404
        assert client_as(person).post(path, {"discard": "1"}).status_code == 404
    with pytest.raises(PermissionDenied):
        importing.accept_file(import_file=ImportFile.objects.get(), by=colleague)


def test_a_file_for_somebody_elses_series_is_not_taken(member):
    with pytest.raises(PermissionDenied):
        received(SeriesFactory(organisation=OrganisationFactory()), member)


def test_whoever_has_left_meanwhile_stores_nothing(series, member):
    kept = worked(received(series, member))
    importing.accept_file(import_file=kept, by=member)
    Affiliation.objects.filter(user=member).update(status="ended")

    failed = worked(kept)

    assert (failed.status, failed.error) == (Status.FAILED, "You may not enter data for this metric any more.")
    assert not DataPoint.objects.exists()


def test_a_person_has_few_files_waiting_at_once(series, member):
    for _ in range(importing.MOST_WAITING):
        received(series, member)

    with pytest.raises(ActionRefused, match="3 files waiting already"):
        received(series, member)


def test_an_unusable_file_ends_in_a_failure_with_a_sentence(series, member, django_capture_on_commit_callbacks):
    kept = received(series, member, "a,b\n1,2\n")
    name = kept.file.name
    with django_capture_on_commit_callbacks(execute=True):
        failed = worked(kept)

    assert failed.status == Status.FAILED
    assert "no column called period" in failed.error
    assert not private_storage.exists(name)


def test_a_file_thrown_away_is_deleted(client_as, series, member, django_capture_on_commit_callbacks):
    kept = worked(received(series, member))
    name = kept.file.name
    with django_capture_on_commit_callbacks(execute=True):
        response = client_as(member).post(kept.get_absolute_url(), {"discard": "1"}, follow=True)

    assert "was thrown away. Nothing was stored." in response.content.decode()
    assert not private_storage.exists(name)
    assert not DataPoint.objects.exists()


def test_the_memory_that_a_check_takes_does_not_grow_with_what_stands_in_the_rows(series, trust):
    """20,000 rows with notes hold some 20 MB when kept; what is kept is a number or two of each."""
    note = "A note of a hundred letters, of which there is one in each row of this file, and it is not kept. " * 2
    lines = [f"{dt.date(1995, 1, 2) + dt.timedelta(days=7 * (row % 1500))},9,300,{note}" for row in range(20_000)]
    text = "\n".join(["period,numerator,denominator,note", *lines])
    del lines
    source = imports.of_text(text)

    tracemalloc.start()
    preview = imports.check(series.metric, source, allowed=[series], default=series, most_shown=importing.ROWS_SHOWN)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (preview.good_count, preview.refused_count) == (1500, 18_500)
    assert len(preview.rows) == importing.ROWS_SHOWN + importing.ROWS_SHOWN // 5
    assert peak - 4 * len(text) < 6_000_000  # the csv module reads from a copy of the text, four bytes a letter


# What must be answered -----------------------------------------------------------------------------------------------


def test_corrections_need_a_reason_and_strange_units_a_tick(series, member):
    fill(series, [(7, 9)], start=dt.date(1995, 1, 2))
    kept = worked(received(series, member, weeks(1200, "2024-01-01,1,30000")))

    with pytest.raises(ActionRefused, match="say why you correct them"):
        importing.accept_file(import_file=kept, by=member, is_sure=True)
    with pytest.raises(ActionRefused, match="in another unit"):
        importing.accept_file(import_file=kept, by=member, reason="Counted again")
    importing.accept_file(import_file=kept, by=member, reason="Counted again", is_sure=True)
    stored = worked(kept)

    assert (stored.status, series.points.current().count()) == (Status.STORED, 1201)
    assert Correction.objects.get().reason == "Counted again"


def test_values_changed_after_the_check_are_looked_at_again_before_they_are_overwritten(series, member):
    fill(series, [(7, 9)], start=dt.date(1995, 1, 2))
    kept = worked(received(series, member))
    importing.accept_file(import_file=kept, by=member, reason="Counted again")
    with clock.at(clock.now() + dt.timedelta(minutes=5)):
        actions.enter_point(
            series=series, period_start=dt.date(1995, 1, 2), numerator=8, denominator=9, reason="Mine", by=None
        )

    again = worked(kept)
    assert (again.status, series.points.count()) == (Status.QUEUED, 1)
    checked = worked(again)

    assert (checked.status, checked.error) == (Status.CHECKED, importing.CHANGED)
    importing.accept_file(import_file=checked, by=member, reason="Counted again")
    assert worked(checked).status == Status.STORED


def test_pasted_rows_of_values_changed_meanwhile_are_shown_again(client_as, series, member):
    browser, path = client_as(member), reverse("measurement:rows_enter", args=[series.metric.code])
    fill(series, [(7, 9)], start=dt.date(2024, 1, 1))
    preview = browser.post(path, {"series": "RX1", "rows": "period,numerator,denominator\n2024-01-01,1,9\n"})
    form = preview.context["form"]
    fields = {name: form[name].value() for name in form.fields} | {"reason": "Final"}
    with clock.at(clock.now() + dt.timedelta(minutes=5)):
        actions.enter_point(
            series=series, period_start=dt.date(2024, 1, 1), numerator=8, denominator=9, reason="Mine", by=None
        )

    told = browser.post(path, fields)
    again = told.context["form"]
    stored = browser.post(path, fields | {"seen": again["seen"].value()})

    assert "changed after you looked" in told.content.decode()
    assert "Corrects 8 of 9" in told.content.decode()
    assert stored.status_code == 302


def test_the_page_of_a_large_file_names_the_doubtful_rows_and_why_others_were_refused(client_as, series, member):
    bad = [f"2024-01-{day:02},9,8" for day in range(1, 8)]
    kept = worked(received(series, member, weeks(1200, "2019-01-07,1,30000", *bad)))

    page = client_as(member).get(kept.get_absolute_url()).content.decode()

    assert "Row 1202: 30,000 is about 100 times larger than the usual 304: check the unit" in page
    assert kept.result["rows"][0]["problem"]
    assert f"{len(kept.result['reasons'])}" == "1"
    assert "7 rows: The numerator (9) is larger than the denominator (8)" in page


def test_an_nhs_number_in_a_name_is_refused(series, member):
    kept = worked(received(series, member))

    with pytest.raises(ActionRefused, match="NHS number in: Name of this import"):
        importing.accept_file(import_file=kept, by=member, name="Patient 943 476 5919")


# Crashes -------------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_leaves_the_file_to_the_next_one_and_not_for_ever(series, member):
    kept = received(series, member)
    for attempt in range(1, importing.MAX_ATTEMPTS + 1):
        assert importing._take(kept).attempt == attempt
        with clock.at(clock.now() + dt.timedelta(minutes=2)):
            importing.sweep()
        kept.refresh_from_db()

    assert (kept.status, kept.error) == (
        Status.FAILED,
        "The worker stopped 3 times at this file. Nothing was stored.",
    )


def test_a_worker_that_dies_while_storing_has_stored_nothing_and_the_next_one_stores_all(series, member, monkeypatch):
    kept = worked(received(series, member))
    importing.accept_file(import_file=kept, by=member)

    def die(*args, **options):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_delete_file", die)
        with pytest.raises(SystemExit):
            importing.handle(import_file=kept)
    assert not DataPoint.objects.exists()
    with clock.at(clock.now() + dt.timedelta(minutes=2)):
        importing.sweep()
    kept.refresh_from_db()
    assert kept.status == Status.ACCEPTED

    assert worked(kept).status == Status.STORED
    assert ImportBatch.objects.get().rows_stored == series.points.count() == 1200


def test_a_second_worker_finds_the_file_taken(series, member):
    kept = received(series, member)
    importing._take(kept)

    importing.handle(import_file=kept)

    kept.refresh_from_db()
    assert (kept.status, kept.attempt) == (Status.CHECKING, 1)


def test_what_the_queue_has_lost_is_queued_again_and_what_nobody_came_back_for_is_thrown_away(series, member):
    lost, left = received(series, member), worked(received(series, member))
    with clock.at(clock.now() + dt.timedelta(minutes=10)):
        importing.sweep()
    assert jobs() == [(lost.pk,), (left.pk,), (lost.pk,)]

    with clock.at(clock.now() + dt.timedelta(days=8)):
        importing.sweep()
    left.refresh_from_db()

    assert (left.status, left.file.name) == (Status.DISCARDED, "")


def test_progress_is_told_while_rows_are_read(client_as, series, member, monkeypatch):
    monkeypatch.setattr(importing, "PROGRESS_SECONDS", 0)
    kept, told = received(series, member), []
    read = imports.Checker.preview

    def preview(self, *args):
        found = read(self, *args)
        told.append(client_as(member).get(f"{kept.get_absolute_url()}progress/").json())
        return found

    monkeypatch.setattr(imports.Checker, "preview", preview)
    worked(kept)

    assert told == [{"status": "checking", "percent": 83, "step": "1,000 rows checked", "is_under_way": True}]


# History -------------------------------------------------------------------------------------------------------------


def test_the_page_of_imports_names_each_with_what_became_of_it(client_as, series, member, trust):
    colleague = AffiliationFactory(organisation=trust).user
    for person, name in ((member, "mine.csv"), (colleague, "theirs.csv")):
        start = dt.date(2024, 1, 1) if person == member else dt.date(2024, 1, 8)
        batch = actions.store_points(
            metric=series.metric,
            rows=[actions.NewPoint(series, start, actions.Values(actions.decimal(1), actions.decimal(2)))],
            name=name,
            by=person,
        )
        actions.undo_import(import_batch=batch, by=person)
    path = reverse("measurement:import_list", args=[series.metric.code])

    own, all_of_them = client_as(member).get(path).content.decode(), client_as(UserFactory(staff=True)).get(path)

    assert "mine.csv" in own
    assert "Undone" in own
    assert "theirs.csv" not in own
    assert "theirs.csv" in all_of_them.content.decode()
    assert client_as(UserFactory()).get(path).status_code == 404
