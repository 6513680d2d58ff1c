"""The demonstration's annual reports: last year's published with its PDF, this year's being written."""

import datetime as dt
import time
import tomllib
from pathlib import Path

from psc_portal.annual_report import actions
from psc_portal.annual_report.models import Rendering, Section
from psc_portal.common import clock

TEXTS = Path(__file__).with_suffix(".toml")
DRAFTED = {"foreword", "who_we_are", "involvement"}  # what this year's report has so far
WAIT_SECONDS = 300  # for a worker that happens to run already


def make(world):
    texts = tomllib.loads(TEXTS.read_text())
    this_year = first_day_of_year(world.today)
    last_year = dt.date(this_year.year - 1, 4, 1)
    publish_last_year(world, last_year, texts)
    begin_this_year(world, this_year, texts)


def first_day_of_year(day):
    """1 April of the report year that `day` lies in."""
    return dt.date(day.year if day >= dt.date(day.year, 4, 1) else day.year - 1, 4, 1)


def publish_last_year(world, year_start, texts):
    lead, staff = world.users["lead"], world.users["staff"]
    since_end = (world.today - dt.date(year_start.year + 1, 4, 1)).days

    def at(share):
        """A moment between the end of the year (0) and yesterday (1)."""
        return clock.at(world.moment(days_ago=max(1, round(since_end * (1 - share)))))

    with at(0.1):
        report = actions.create_report(year_start=year_start, by=lead)
    with at(0.3):
        for section in report.sections.select_related("priority"):
            written = write(section, text_of(section, texts), owner=lead, by=staff if section.priority else lead)
            actions.sign_off(section=written, by=lead)
        actions.edit_report(report=report, summary=texts["summary"], data_cut_on=report.data_cut_on, by=lead)
    with at(0.5):
        actions.freeze_report(report=report, by=lead)
        rendering = actions.request_rendering(report=report, by=lead)
        board_pack = Rendering.objects.get(snapshot=rendering.snapshot_id, kind=Rendering.Kind.BOARD_PACK)
        for one in (rendering, board_pack):  # the worker makes the others once it runs
            actions.render(rendering=one)
    wait_for(rendering)
    with at(0.55):
        actions.publish_report(report=report, by=lead)


def begin_this_year(world, year_start, texts):
    lead, staff = world.users["lead"], world.users["staff"]
    with clock.at(world.moment(days_ago=min(20, (world.today - year_start).days))):
        report = actions.create_report(year_start=year_start, by=lead)
    with clock.at(world.moment(days_ago=min(6, (world.today - year_start).days))):
        for section in report.sections.select_related("priority"):
            text = text_of(section, texts) if section.kind in DRAFTED else ""
            write(section, text, owner=staff if section.priority else lead, by=lead)
        actions.sign_off(section=report.sections.get(kind="who_we_are"), by=staff)


def text_of(section, texts) -> str:
    if section.priority:
        return texts["priority"].get(section.priority.slug, "")
    return texts["text"].get(section.kind, "")


def write(section, text, *, owner, by) -> Section:
    return actions.edit_section(
        section=section, heading=section.heading, text=text, owner=owner, version=section.version, by=by
    )


def wait_for(rendering):
    """A worker that runs while the data is made may have taken the rendering before us: then it is waited for."""
    give_up = time.monotonic() + WAIT_SECONDS
    rendering.refresh_from_db()
    while rendering.is_under_way and time.monotonic() < give_up:
        time.sleep(1)
        rendering.refresh_from_db()
    if rendering.status != Rendering.Status.DONE:
        raise RuntimeError(f"The report's PDF was not made: {rendering.error or rendering.get_status_display()}")
