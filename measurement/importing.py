"""From checked rows to an import: small ones at once, large files by way of a worker.

A large file waits in private storage, seen by its owner only, until it is stored, thrown away, or too old. The row of
`ImportFile` says how far it is; a worker that dies leaves it to `sweep`.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction

from measurement import actions, imports, permissions
from measurement.models import ImportBatch, ImportFile, Series
from psc_portal.accounts.models import User
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MOST_WAITING = 3  # files of one person between upload and storing
ROWS_SHOWN = 100  # of those that are refused or in doubt; of good ones a fifth
TICK_ROWS = 500
PROGRESS_SECONDS = 0.5
CHANGED = "Values of these periods were changed after you looked: look again, then store."
Status = ImportFile.Status


class Superseded(Exception):
    """Another worker has the file, or its owner has thrown it away; this one stops."""


class ChangedSince(Exception):
    """What is stored is not what the owner saw beside the rows."""


def allowed_series(metric, user) -> list[Series]:
    """The series of a metric that the user may write to, with what its definition says fetched once."""
    rows = list(metric.series.enterable_by(user).select_related("organisation"))
    for series in rows:
        series.metric = metric
    return rows


def _require_answers(found: dict, *, reason: str, is_sure: bool) -> None:
    if not found["good"]:
        raise ActionRefused("There is no new value to store.")
    if found["corrections"] and not (reason or "").strip():
        raise ActionRefused("Some periods have a value already: say why you correct them.")
    if found["warned"] and not is_sure:
        raise ActionRefused("Some values look as if they were in another unit: tick that you have checked them.")


def _published(found: dict) -> dict:
    return {"source": found["source"], "licence": found["licence"]}


# Small ones ----------------------------------------------------------------------------------------------------------


def store_preview(
    *, preview: imports.Preview, metric, name, by, token, seen="", reason="", is_sure=False
) -> ImportBatch:
    """Store the good rows of a check that was made just now, as the person saw them.

    Raises:
        PermissionDenied: `by` may not enter data for one of the series.
        ActionRefused: nothing to store, a question was not answered, or stored values have changed since.
    """
    if (done := ImportBatch.objects.filter(token=token, by=by, metric=metric).first()) is not None:
        return done
    found = preview.as_dict()
    _require_answers(found, reason=reason, is_sure=is_sure)
    if seen != preview.seen:
        raise ActionRefused(CHANGED)
    return actions.store_points(
        metric=metric,
        rows=[row.point for row in preview.good],
        name=name,
        by=by,
        token=token,
        refused=preview.refused_count,
        reason=reason,
        **_published(found),
    )


# Large ones ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def receive_file(*, metric, series, file, name, by, token: UUID, measure="") -> ImportFile:
    """Keep a large file and have it checked. The same token again: no second time.

    Raises:
        PermissionDenied: `by` may not enter data for this series.
        ActionRefused: the person has several files waiting already.
    """
    if series.metric_id != metric.pk or not permissions.can_enter(by, series):
        raise PermissionDenied
    User.objects.select_for_update(of=["self"], no_key=True).get(pk=by.pk)  # two clicks come one after the other
    if (there := ImportFile.objects.filter(token=token).first()) is not None:
        if there.by_id != by.pk:
            raise PermissionDenied
        return there
    waiting = ImportFile.objects.filter(by=by, status__in=[*ImportFile.WAITING, *ImportFile.IN_HAND, Status.CHECKED])
    if waiting.count() >= MOST_WAITING:
        raise ActionRefused(
            f"You have {MOST_WAITING} files waiting already: store them or throw them away first. The page "
            "“Imports” of each metric lists them."
        )
    refuse_nhs_numbers({"Name of the file": name})
    file.seek(0)
    kept = ImportFile(metric=metric, series=series, by=by, name=name[:120], token=token, measure=measure)
    kept.file.save(file.name, file, save=False)
    kept.save()
    audit.record("receive", kept, by=by, after={"metric": metric.code, "bytes": file.size})
    _queue(kept)
    return kept


def _queue(import_file) -> None:
    import_file.queued_at, import_file.percent, import_file.step = clock.now(), 0, ""
    import_file.save()
    outbox.enqueue("measurement.handle_file", import_file.pk)


def _locked(import_file) -> ImportFile:
    return ImportFile.objects.select_for_update(of=("self",), no_key=True).get(pk=import_file.pk)


@transaction.atomic
def accept_file(*, import_file, by, name="", reason="", is_sure=False) -> ImportFile:
    """Have the good rows of a checked file stored. Asked twice, it is stored once.

    Raises:
        PermissionDenied: it is somebody else's file.
        ActionRefused: it is not checked yet, nothing is to be stored, or a question was not answered.
    """
    if import_file.by_id != by.pk:
        raise PermissionDenied
    import_file = _locked(import_file)
    if import_file.status in {Status.ACCEPTED, Status.STORING, Status.STORED}:
        return import_file
    _require_answers(import_file.result or {"good": 0}, reason=reason, is_sure=is_sure)
    refuse_nhs_numbers({"Name of this import": name, "Reason": reason})
    import_file.change_status(Status.ACCEPTED, by=by)
    import_file.name, import_file.reason = (name.strip() or import_file.name)[:120], reason.strip()
    import_file.attempt, import_file.error = 0, ""
    audit.record("accept", import_file, by=by, after={"rows": import_file.result["good"]})
    _queue(import_file)
    return import_file


@transaction.atomic
def discard_file(*, import_file, by) -> None:
    """Throw a file away that is not stored.

    Raises:
        PermissionDenied: it is somebody else's file.
        ActionRefused: a worker has it, or it is stored.
    """
    if import_file.by_id != by.pk:
        raise PermissionDenied
    import_file = _locked(import_file)
    if import_file.status == Status.DISCARDED:
        return
    import_file.change_status(Status.DISCARDED, by=by)
    _delete_file(import_file)


def _delete_file(import_file) -> None:
    stored = import_file.file
    if stored:
        name, storage = stored.name, stored.storage
        transaction.on_commit(lambda: storage.delete(name), robust=True)
    import_file.file = ""
    import_file.save()


def handle(*, import_file) -> None:
    """Check or store a file, whichever it waits for. Called by the worker; a second call finds it taken.

    Ends in a result or in a failure with a sentence; only the death of this very process or of the database leaves it
    in hand, and then `sweep` puts it back into the queue.
    """
    import_file = _take(import_file)
    if import_file is None:
        return
    attempt = import_file.attempt
    try:
        if import_file.status == Status.CHECKING:
            _check(import_file)
        else:
            _store(import_file)
    except Superseded:
        log.info("import file %s: attempt %s stops", import_file.pk, attempt)
    except ChangedSince:
        _check_again(import_file)
    except (ActionRefused, PermissionDenied) as refusal:
        _fail(import_file, str(refusal) or "You may not enter data for this metric any more.")
    except SoftTimeLimitExceeded:
        _fail(import_file, "It took too long, and was stopped. Nothing was stored: split the file.")
    except OperationalError:
        raise  # the database is away: nothing can be written; `sweep` finds the row when it is back
    except Exception:
        log.exception("import file %s", import_file.pk)
        _fail(
            import_file, "The file could not be read, and nothing was stored. The technical log says where it failed."
        )


@transaction.atomic
def _take(import_file) -> ImportFile | None:
    """Mark the file as in hand; None when it is not waiting for anyone."""
    import_file = _locked(import_file)
    if import_file.status not in ImportFile.WAITING:
        return None
    is_new = import_file.status == Status.QUEUED
    import_file.change_status(Status.CHECKING if is_new else Status.STORING, by=None)
    import_file.attempt += 1
    import_file.heartbeat_at, import_file.percent = clock.now(), 0
    import_file.step = "Reading the rows" if is_new else "Storing the rows: all of them at once, or none"
    import_file.save()
    return import_file


class _Progress:
    """Writes how far a check is, with a sign of life, and stops it when it is not wanted any more."""

    def __init__(self, import_file):
        self.mine = ImportFile.objects.filter(pk=import_file.pk, attempt=import_file.attempt, status=import_file.status)
        self.written = time.monotonic()

    def __call__(self, count: int, fraction: float) -> None:
        if time.monotonic() - self.written < PROGRESS_SECONDS:
            return
        self.written = time.monotonic()
        percent = min(99, int(fraction * 100))
        if not self.mine.update(percent=percent, step=f"{count:,} rows checked", heartbeat_at=clock.now()):
            raise Superseded


def _ticking(source: imports.Source, tick) -> imports.Source:
    def rows():
        for count, row in enumerate(source.rows, start=1):
            if not count % TICK_ROWS:
                tick(count, source.fraction())
            yield row

    return imports.Source(rows(), source.sheet, source.fraction)


@contextmanager
def _checker(import_file, tick=None) -> Iterator[imports.Checker]:
    """A checker of the file's rows, while the file is open.

    Raises:
        PermissionDenied: its owner may not enter data there any more.
    """
    metric = import_file.metric
    allowed = allowed_series(metric, import_file.by) if import_file.by.is_active else []
    default = next((series for series in allowed if series.pk == import_file.series_id), None)
    if default is None:
        raise PermissionDenied
    with import_file.file.open("rb") as stored:
        stored.name = import_file.file.name
        source = imports.of_file(stored, metric)
        if tick is not None:
            source = _ticking(source, tick)
        yield imports.Checker(metric, source, allowed=allowed, default=default, measure=import_file.measure)


def _check(import_file) -> None:
    with _checker(import_file, _Progress(import_file)) as checker:
        preview = checker.preview(ROWS_SHOWN)
    with transaction.atomic():
        mine = _mine(import_file)
        mine.result, mine.percent, mine.step = preview.as_dict(), 100, ""
        mine.save()
        mine.change_status(Status.CHECKED, by=None)


def _mine(import_file) -> ImportFile:
    mine = _locked(import_file)
    if (mine.status, mine.attempt) != (import_file.status, import_file.attempt):
        raise Superseded
    return mine


@transaction.atomic
def _store(import_file) -> None:
    """All good rows in one transaction. It holds the file's row, so that nobody takes it for abandoned."""
    mine = _mine(import_file)
    with _checker(mine) as checker:
        batch = actions.store_points(
            metric=mine.metric,
            rows=checker.points(),
            name=mine.name,
            by=mine.by,
            token=mine.token,
            refused=mine.result["refused"],
            reason=mine.reason,
            **_published(mine.result),
        )
        if checker.fingerprint.hexdigest() != mine.result["seen"]:
            raise ChangedSince
    mine.batch, mine.percent, mine.step, mine.result = batch, 100, "", {}
    mine.save()
    mine.change_status(Status.STORED, by=None)
    _delete_file(mine)


def _check_again(import_file) -> None:
    with transaction.atomic():
        mine = _mine(import_file)
        mine.change_status(Status.QUEUED, by=None)
        mine.error = CHANGED
        _queue(mine)


def _fail(import_file, sentence: str) -> None:
    try:
        with transaction.atomic():
            _end_in_failure(_mine(import_file), sentence)
    except Superseded:
        pass


def _end_in_failure(import_file, sentence: str) -> None:
    import_file.error, import_file.step, import_file.result = sentence[:300], "", {}
    import_file.change_status(Status.FAILED, by=None)
    _delete_file(import_file)


def sweep() -> None:
    """Queue files again that a killed worker or the queue has lost; throw away what nobody came back for."""
    for found, act in (
        (ImportFile.objects.abandoned(), _pick_up),
        (ImportFile.objects.forgotten(), _queue),
        (ImportFile.objects.left_lying(), _throw_away),
    ):
        for pk in list(found.values_list("pk", flat=True)):
            with transaction.atomic():
                rows = found.select_for_update(skip_locked=True, of=("self",), no_key=True)
                if (import_file := rows.filter(pk=pk).first()) is not None:
                    act(import_file)


def _pick_up(import_file) -> None:
    if import_file.attempt >= MAX_ATTEMPTS:
        _end_in_failure(import_file, f"The worker stopped {MAX_ATTEMPTS} times at this file. Nothing was stored.")
        return
    was_checking = import_file.status == Status.CHECKING
    import_file.change_status(Status.QUEUED if was_checking else Status.ACCEPTED, by=None)
    _queue(import_file)


def _throw_away(import_file) -> None:
    import_file.change_status(Status.DISCARDED, by=None)
    _delete_file(import_file)
