"""Data that is hard to show: very long names, no data, right-to-left and accented text, markup, hundreds of points."""

import datetime as dt
from decimal import Decimal

from pledges.models import ProgressUpdate
from projects.models import Priority
from psc_portal.annual_report import outline
from psc_portal.annual_report.models import Section
from psc_portal.common import clock
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.pledges import ProgressUpdateFactory, SignUpFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory

IN_YEAR = dt.datetime(2025, 9, 1, 12, tzinfo=clock.UK)
LONG = "An organisation with a name that goes on and on " * 3


def awkward_report(report):
    """Very long names, no data, accented and right-to-left text, markup in text, 400 points, small numbers, a gap."""
    priority = PriorityFactory(slug="long", title=("Priority " * 13).strip())
    PriorityFactory(slug="empty", title="Nothing here yet")
    with clock.at(IN_YEAR):
        ProjectFactory(
            title="Ärzte, señoras & <b>العربية</b> עברית " + "word " * 20,
            lay_summary="Supercalifragilistic" * 15 + "\n\n" + "السلام عليكم\n" * 3,
            priorities=[priority],
            lead_organisation=OrganisationFactory(name=LONG[:160]),
            result="It's “better” – <script>alert(1)</script>",
            what_did_not_work="\N{STETHOSCOPE} did not help.",
        )
        sign_up = SignUpFactory(published=True, organisation__name=LONG[:160])
        ProgressUpdateFactory(
            statement=sign_up.statements.get(pledge__number=3),
            progress=ProgressUpdate.Progress.STOPPED,
            reason_stopped="Nobody read it.",
            made_on=dt.date(2025, 9, 1),
        )
    weekly = ValueMetricFactory(code="WEEK1", name="A weekly metric", priority=priority, frequency="week")
    fill(SeriesFactory(metric=weekly), [Decimal(30 + (i * 7919) % 23) for i in range(400)], start=dt.date(2018, 4, 2))
    fill(SeriesFactory(metric=MetricFactory(code="GAP1", of_people=True)), [(3, 9), None, (30, 90), (0, 60), (7, 70)])
    MetricFactory(code="NONE1", name="Never measured", priority=priority)
    fill(SeriesFactory(metric=MetricFactory(code="ONE1", priority=priority)), [(1, 2)])
    Section.objects.bulk_create(outline.sections(report, Priority.objects.current()))
    for section in report.sections.filter(kind__in=["foreword", "thanks"]):
        section.text = (
            "#### Began deep\n\n| a | b |\n|---|---|\n| 1 | |\n\n- x\n  - y\n\n> quoted\n\n```\ncode\n```\n\n#\n\n***"
        )
        section.save()
    return report
