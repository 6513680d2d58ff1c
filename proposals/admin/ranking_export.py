"""The ranking of a call as CSV and XLSX: the rows, the order and the columns that its page shows to the same person."""

from proposals.models import Proposal
from proposals.readings.ranking import Analysed, Line, Ranking, criterion_means
from proposals.scoring import MoneyLine
from psc_portal.common import clock, export
from psc_portal.common.admin_exports import yes_no
from psc_portal.common.templatetags.portal import uk_datetime

RANGES = (
    ("Rank without one reviewer", "leaving_out"),
    ("Rank when resampled", "resampled"),
    ("Adjusted rank without one reviewer", "adjusted_range"),
)


def ranking_table(
    call, ranking: Ranking, rows, analysed: Analysed, *, user, order: str, money: MoneyLine
) -> export.Table:
    """
    Args:
        call: out of `ranking_field(…, user)`.
        rows: the lines with their proposals, as the page orders them.
        order: what they are ordered by, in words.
        money: what the money reaches.
    """
    means = criterion_means(call, user)
    criteria = call.field_weights
    references = {line.pk: line.reference for line in ranking.lines}
    at = analysed.analysis.calculated_at if analysed.analysis and not analysed.is_hidden else None

    def cells(proposal: Proposal, line: Line) -> list:
        mine = means.get(line.pk, {})
        return [
            line.rank,
            line.reference,
            proposal.title,
            proposal.applicant_organisation_name,
            proposal.get_status_display(),
            line.amount,
            _money(line, money),
            line.mean,
            line.reviews,
            call.reviews_wanted,
            line.lay_mean,
            line.lay_reviews,
            line.adjusted,
            line.adjusted_rank,
            line.group or None,
            *(end for _label, name in RANGES for end in getattr(line, name) or (None, None)),
            at,
            *(mine.get(one["criterion"]) for one in criteria),
            yes_no(line.is_wide),
            line.widest,
            ", ".join(line.wide_on),
            ", ".join(references[other] for other, _likeness in line.like),
        ]

    return export.Table(
        title=f"Ranking: {call}",
        header=[
            "Rank", "Number", "Title", "Organisation", "Status", "Asked for (pounds)", "Money", "Mean",
            "Reviews counted", "Reviews wanted", "Lay mean", "Lay reviews counted", "Adjusted mean", "Adjusted rank",
            "Group of the adjusted rank",
            *(f"{label}: {end}" for label, _name in RANGES for end in ("best", "worst")),
            "Ranges calculated at (UK time)",
            *(f"{one['number']}. {one['title']}: mean" for one in criteria),
            "Scores lie 3 or more apart", "Widest spread on one criterion", "Scores lie 3 or more apart on",
            "Text like that of",
        ],
        rows=(cells(row.proposal, row.line) for row in rows),
        about=[
            ("What", f"Ranking: {call}"),
            ("Order", order),
            ("Weights", "; ".join(f"{one['number']}. {one['title']} {one['weight']}%" for one in criteria)),
            ("Ranges", _ranges_in_words(analysed)),
            ("Made", f"{uk_datetime(clock.now())} by {user.display_name}"),
        ],
    )  # fmt: skip


def _money(line, money) -> str:
    if line.pk in money.on_the_line:
        return "On the money line"
    return "Within the money" if line.pk in money.funded else ""


def _ranges_in_words(analysed) -> str:
    if analysed.is_hidden:
        return (
            "Left out, because something of this call is not shown to you: they would tell where the rest stands. "
            "Ranks count only what you see."
        )
    if analysed.analysis is None:
        return "Not calculated yet"
    at = f"Calculated at {uk_datetime(analysed.analysis.calculated_at)}"
    return f"{at}. Scores have changed since." if analysed.is_out_of_date else at
