"""What metrics and their data hold of people."""

from measurement import models
from psc_portal.common.personal_data import HISTORY, WORK, Held

WITHDRAWN = "withdrawn_by"


def _work(model, what, *people, shown, kept=WORK):
    return [
        Held(model, what if name == people[0] else f"{what}: {name}", (name,), shown=shown, kept=kept)
        for name in people
    ]


HELD = [
    Held(models.MetricOwner, "metrics owned", ("user",), shown=("metric__code", "from_date", "to_date"), kept=WORK),
    Held(
        models.MetricOwner,
        "metrics deputised for",
        ("deputy",),
        shown=("metric__code", "from_date", "to_date"),
        kept=WORK,
    ),
    Held(models.DataReminder, "reminders of data", ("user",), shown=("series", "period_start", "at"), is_deleted=True),
    *_work(
        models.MetricVersion,
        "definitions written",
        "created_by",
        shown=("metric__code", "number", "reason", "created_at"),
        kept=HISTORY,
    ),
    *_work(models.ImportBatch, "files imported", "by", shown=("metric__code", "name", "created_at")),
    *_work(models.ImportFile, "files uploaded", "by", shown=("metric__code", "name", "created_at", "status")),
    *_work(
        models.DataPoint,
        "data entered",
        "entered_by",
        WITHDRAWN,
        shown=("series", "period_start", "numerator", "denominator", "value", "note", "created_at"),
    ),
    *_work(models.Correction, "data corrected", "by", shown=("point", "reason", "at"), kept=HISTORY),
    *_work(models.Annotation, "annotations", "by", WITHDRAWN, shown=("metric__code", "date", "text", "created_at")),
    *_work(models.Rebase, "baselines moved", "by", WITHDRAWN, shown=("series", "from_date", "reason", "created_at")),
    *_work(
        models.Exclusion, "points left out", "by", WITHDRAWN, shown=("series", "period_start", "reason", "created_at")
    ),
    *_work(models.Baseline, "baselines set", "by", WITHDRAWN, shown=("series", "reason", "created_at")),
    *_work(
        models.MetricTarget, "targets set", "by", WITHDRAWN, shown=("metric__code", "value", "reason", "created_at")
    ),
    *_work(models.Trajectory, "trajectories set", "by", WITHDRAWN, shown=("series", "reason", "created_at")),
    *_work(
        models.ChartChoice, "charts chosen", "by", shown=("metric__code", "chart_type", "reason", "at"), kept=HISTORY
    ),
    *_work(models.NotYetMeasured, "gaps in the plan ended", "ended_by", shown=("what", "end_reason", "ended_at")),
]
