import datetime as dt
import hashlib

import factory

from psc_portal.annual_report import actions, snapshots
from psc_portal.annual_report.models import AnnualReport, Rendering, Section, Snapshot
from psc_portal.common import clock
from tests.factories.accounts import UserFactory


class AnnualReportFactory(factory.django.DjangoModelFactory):
    """A report with no section, being written."""

    class Meta:
        model = AnnualReport

    year_start = factory.Sequence(lambda number: dt.date(2025 - number % 100, 4, 1))
    data_cut_on = factory.LazyAttribute(lambda report: dt.date(report.year_start.year + 1, 3, 31))


class SectionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Section

    report = factory.SubFactory(AnnualReportFactory)
    kind = Section.Kind.FOREWORD
    heading = "Foreword"
    position = factory.Sequence(lambda number: number % 30_000)
    text = "It was a year of change."

    class Params:
        signed_off = factory.Trait(
            signed_off_at=factory.LazyFunction(clock.now), signed_off_by=factory.SubFactory(UserFactory)
        )


class SnapshotFactory(factory.django.DjangoModelFactory):
    """A snapshot of what the database holds when it is made."""

    class Meta:
        model = Snapshot

    report = factory.SubFactory(AnnualReportFactory)
    number = factory.LazyAttribute(lambda snapshot: snapshot.report.snapshots.count() + 1)
    frozen_by = factory.LazyFunction(lambda: UserFactory(lead=True))
    frozen_at = dt.datetime(2026, 6, 1, 9, tzinfo=clock.UK)
    content = factory.LazyAttribute(
        lambda snapshot: snapshots.canonical(
            snapshots.collect(snapshot.report, snapshot.report.sections.all(), frozen_at=snapshot.frozen_at)
        )
    )
    sha256 = factory.LazyAttribute(lambda snapshot: hashlib.sha256(snapshot.content.encode()).hexdigest())


class RenderingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Rendering

    snapshot = factory.SubFactory(SnapshotFactory)
    requested_by = factory.LazyFunction(lambda: UserFactory(lead=True))

    class Params:
        running = factory.Trait(
            status=Rendering.Status.RUNNING, attempt=1, heartbeat_at=factory.LazyFunction(clock.now)
        )
        done = factory.Trait(
            status=Rendering.Status.DONE,
            percent=100,
            file=factory.django.FileField(data=b"%PDF-1.7 a file %%EOF", filename="report.pdf"),
            sha256="ab" * 32,
            size=21,
            pages=1,
        )
        failed = factory.Trait(status=Rendering.Status.FAILED, error="The disk is full.")


def frozen_report(*, by=None, report=None, **fields):
    """A report frozen by the real action, so with its snapshot and mentions."""
    report = report or AnnualReportFactory(**fields)
    if not report.sections.exists():
        SectionFactory(report=report)
    actions.freeze_report(report=report, by=by or UserFactory(lead=True))
    report.refresh_from_db()
    return report


def published_report(*, by=None, **fields):
    """A published report whose PDF is a stand-in."""
    by = by or UserFactory(lead=True)
    report = frozen_report(by=by, **fields)
    RenderingFactory(snapshot=report.snapshot, done=True)
    actions.publish_report(report=report, by=by)
    report.refresh_from_db()
    return report
