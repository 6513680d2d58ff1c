"""What came of calls, for everyone: numbers of proposals, money and days; names only of what was funded."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, OuterRef, Q, Subquery, Sum

from proposals.models import Call, Decision, FeedbackLetter, Proposal
from proposals.questions import pounds

ONE_DAY = 24 * 60 * 60


class Median(Aggregate):
    """The middle value, or the mean of the two middle ones; PostgreSQL orders and picks."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True)
class CallCounts:
    """What the public may know of a call: how many, never who."""

    received: int = 0
    eligible: int = 0
    funded: int = 0
    awarded: Decimal = Decimal(0)  # pounds
    median_days: int | None = None  # from submission to the first letter, over those who have had one

    @property
    def awarded_shown(self) -> str:
        return pounds(self.awarded)

    @classmethod
    def of(cls, row):
        taken = row.get("median")
        return cls(
            received=row["received"],
            eligible=row["eligible"],
            funded=row["funded"],
            awarded=row["awarded"] or Decimal(0),
            median_days=None if taken is None else round(taken.total_seconds() / ONE_DAY),
        )


def _received(calls):
    """Proposals of calls, each with what it was awarded and how long it waited; only what applicants have been told."""
    awards = Decision.objects.filter(
        proposal=OuterRef("pk"), outcome__in=Proposal.FUNDED, letter__released_at__isnull=False
    ).order_by("-decided_at", "-pk")
    letters = FeedbackLetter.objects.filter(
        decision__proposal=OuterRef("pk"), released_at__isnull=False
    ).order_by("released_at")  # fmt: skip
    first = Subquery(letters.values("released_at")[:1])
    return (
        Proposal.objects.filter(call__in=calls, submitted_at__isnull=False)
        .order_by()
        .annotate(
            award=Subquery(awards.values("amount")[:1]),
            waited=ExpressionWrapper(first - F("submitted_at"), output_field=DurationField()),
        )
    )


def _figures() -> dict:
    """The one definition of the figures. Funded counts only what applicants have been told."""
    told = Q(pk__in=Proposal.objects.public().order_by().values("pk"))
    return {
        "received": Count("pk"),
        "eligible": Count("pk", filter=Q(status__in=Proposal.ELIGIBLE)),
        "funded": Count("pk", filter=told),
        "awarded": Sum("award", filter=told),
    }


def counts_of_calls(calls) -> dict[int, CallCounts]:
    """Received, eligible, funded, awarded and median days to the decision, by call."""
    rows = _received(calls).values("call").annotate(**_figures(), median=Median("waited"))
    return {row["call"]: CallCounts.of(row) for row in rows}


@dataclass(frozen=True)
class Funded:
    proposal: Proposal
    award: str


@dataclass(frozen=True)
class PanelRoles:
    """Who sat on the panel, by role; names are not public."""

    members: int
    lay: int
    has_chair: bool = True


@dataclass(frozen=True)
class CallReport:
    """The public account of a decided call."""

    counts: CallCounts
    by_system: list[tuple[str, CallCounts]]
    by_priority: list[tuple[str, CallCounts]]
    funded: list[Funded]
    panel: PanelRoles | None


NO_SYSTEM = "Outside the region, in several systems, or not on the register"


def call_report(call: Call) -> CallReport:
    """What came of a decided call. A proposal with several priorities counts under each of them."""
    received = _received([call.pk])
    systems = received.values("organisation__system__name").annotate(**_figures())
    by_system = sorted(((row["organisation__system__name"] or "", CallCounts.of(row)) for row in systems), key=_name)
    priorities = received.filter(priorities__isnull=False).values("priorities__title").annotate(**_figures())
    by_priority = sorted(((row["priorities__title"], CallCounts.of(row)) for row in priorities), key=_name)
    named = [(name, counts) for name, counts in by_system if name]
    unnamed = [(NO_SYSTEM, counts) for name, counts in by_system if not name]
    public = Proposal.objects.public().order_by().values("pk")
    funded = received.filter(pk__in=public).select_related("organisation", "project").order_by("reference")
    return CallReport(
        counts=counts_of_calls([call.pk]).get(call.pk, CallCounts()),
        by_system=named + unnamed,
        by_priority=by_priority,
        funded=[Funded(one, pounds(one.award) if one.award else "") for one in funded],
        panel=_panel_of(call),
    )


def _panel_of(call) -> PanelRoles | None:
    panel = getattr(call, "panel", None)
    if panel is None:
        return None
    present = list(panel.members.filter(is_present=True).exclude(user=panel.chair_id).values_list("is_lay", flat=True))
    return PanelRoles(members=len(present), lay=sum(present))


def _name(line) -> str:
    return line[0]
