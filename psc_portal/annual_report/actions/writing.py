"""Beginning a report, writing its sections, signing them off."""

import datetime as dt

from django.db import transaction

from projects.models import Priority
from psc_portal.annual_report import outline, placeholders, snapshots
from psc_portal.annual_report.actions.locking import locked, require_editing, require_writer
from psc_portal.annual_report.models import AnnualReport, Section
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


class SectionChanged(ActionRefused):
    """Somebody stored another text after this one was opened; `stored` is the section as it is now."""

    def __init__(self, stored):
        by = stored.edited_by.display_name if stored.edited_by else "Somebody"
        super().__init__(
            f"{by} changed this section while you were writing. Your text is kept below, beside theirs: "
            "bring the two together and save again."
        )
        self.stored = stored


@transaction.atomic
def create_report(*, year_start: dt.date, by, data_cut_on: dt.date | None = None) -> AnnualReport:
    """Begin the report of the year from 1 April `year_start`, with a section for each part and each priority.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: not a 1 April, a year that has not begun, a data cut out of place, or the year has its report.
    """
    require_writer(by)
    if (year_start.month, year_start.day) != (4, 1):
        raise ActionRefused("A report's year runs from 1 April. Choose the year it begins in.")
    if year_start > clock.today():
        raise ActionRefused("That year has not begun yet. Choose an earlier one.")
    if AnnualReport.objects.filter(year_start=year_start).exists():
        raise ActionRefused("There is already a report for that year. Open it from the list of reports.")
    report = AnnualReport(year_start=year_start)
    report.data_cut_on = data_cut_on or min(report.year_end, clock.today())
    check_data_cut(report)
    report.save()
    Section.objects.bulk_create(outline.sections(report, Priority.objects.current()))
    audit.record("annual_report.created", report, by=by, after={"year": report.year})
    return report


def check_data_cut(report):
    if report.data_cut_on < report.year_start:
        raise ActionRefused("The data cut must lie in the report's year or after it.")


@transaction.atomic
def edit_report(*, report, summary: str, data_cut_on: dt.date, by):
    """Change what the list says of a report, and up to which day its numbers go.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: the report is frozen, or the data cut lies before its year.
    """
    require_writer(by)
    report = locked(report)
    require_editing(report)
    before = audit.snapshot(report, ["data_cut_on"])
    report.summary, report.data_cut_on = summary.strip(), data_cut_on
    check_data_cut(report)
    report.save(update_fields=["summary", "data_cut_on"])
    audit.record("annual_report.edited", report, by=by, before=before, after=audit.snapshot(report, ["data_cut_on"]))


@transaction.atomic
def edit_section(*, section, heading: str, text: str, owner, version: int, by) -> Section:
    """Store a section's heading, text and owner. A changed text needs a new sign-off.

    A draft may hold anything; text that looks like an NHS number is refused when the report is frozen.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        SectionChanged: somebody stored another text since version `version` was opened.
        ActionRefused: the report is frozen, or a placeholder stands for no figure.
    """
    require_writer(by)
    require_editing(locked(section.report))
    section = Section.objects.select_for_update(of=("self",)).select_related("edited_by", "report").get(pk=section.pk)
    heading, text = " ".join(heading.split()), text.replace("\r\n", "\n").strip()
    if section.version != version and (section.heading, section.text) != (heading, text):
        raise SectionChanged(section)
    if section.text != text:
        require_figures(section.report, {heading: text})
    before = audit.snapshot(section, ["text", "owner"])
    if (section.heading, section.text) != (heading, text):
        section.heading, section.text = heading, text
        section.version += 1
        section.edited_by = by
        section.signed_off_at = section.signed_off_by = None
    section.owner = owner
    section.save()
    audit.record(
        "annual_report.section_edited", section, by=by, before=before, after=audit.snapshot(section, ["text", "owner"])
    )
    return section


def require_figures(report, texts: dict[str, str]):
    """Refuse texts (by their headings) with a placeholder that stands for no figure of the report."""
    has_braces = any("{{" in text or "}}" in text for text in texts.values())
    if has_braces and (refusal := placeholders.refusal(texts, snapshots.figures_now(report))):
        raise ActionRefused(refusal)


@transaction.atomic
def sign_off(*, section, by):
    """Say that a section is right as `section` holds it: that version, and no text that somebody stored after it.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        SectionChanged: another version is stored.
        ActionRefused: the report is frozen, or the section holds what looks like an NHS number or a placeholder that
            stands for no figure.
    """
    require_writer(by)
    require_editing(locked(section.report))
    read = section.version
    section = Section.objects.select_for_update(of=("self",)).select_related("edited_by", "report").get(pk=section.pk)
    if section.version != read:
        raise SectionChanged(section)
    refuse_nhs_numbers({section.heading: section.text})
    require_figures(section.report, {section.heading: section.text})
    section.signed_off_at, section.signed_off_by = clock.now(), by
    section.save(update_fields=["signed_off_at", "signed_off_by"])
    audit.record("annual_report.section_signed_off", section, by=by, after={"version": section.version})
