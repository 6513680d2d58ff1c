"""What annual reports hold of people."""

from psc_portal.annual_report import models
from psc_portal.common.personal_data import HISTORY, WORK, Held

HELD = [
    Held(models.AnnualReport, "reports published", ("published_by",), shown=("year_start", "published_at"), kept=WORK),
    Held(
        models.Section, "sections of reports to write", ("owner",), shown=("report__year_start", "heading"), kept=WORK
    ),
    Held(
        models.Section,
        "sections of reports written",
        ("edited_by",),
        shown=("report__year_start", "heading", "text"),
        kept=WORK,
    ),
    Held(
        models.Section,
        "sections of reports signed off",
        ("signed_off_by",),
        shown=("report__year_start", "heading", "signed_off_at"),
        kept=WORK,
    ),
    Held(models.Snapshot, "reports frozen", ("frozen_by",), shown=("report__year_start", "frozen_at"), kept=HISTORY),
    Held(models.Reopening, "reports opened again", ("by",), shown=("reason", "at"), kept=HISTORY),
    Held(models.Rendering, "reports made into files", ("requested_by",), shown=("kind", "queued_at"), kept=WORK),
    Held(
        models.Correction, "corrections of reports", ("by",), shown=("report__year_start", "text", "at"), kept=HISTORY
    ),
]
