"""Which type of chart suits the data, and why. A person chooses."""

from dataclasses import dataclass
from enum import StrEnum

from measurement.spc.cautions import is_rare
from measurement.spc.control_charts import ChartType, dispersion
from measurement.spc.series import Column

# Fewer values make a run chart, not limits. L. Provost, S. Murray, The Health Care Data Guide (2011).
FEWEST_FOR_LIMITS = 12
# Points vary more than chance alone where the mean range of their scores is so many sigma. With 24 points and nothing
# but chance it is about 1, give or take 0.17, so that this lies three standard errors away. Ours, after Laney (2002).
OVER_DISPERSED_FROM = 1.5


class DataKind(StrEnum):
    """What a metric's numbers are."""

    PROPORTION = "proportion"  # so many of so many cases
    RATE = "rate"  # events per exposure
    COUNT = "count"  # events of a period
    VALUE = "value"  # one measured value a period
    TIME_BETWEEN = "time_between"  # days between two events
    CASES_BETWEEN = "cases_between"  # cases between two events


class Reason(StrEnum):
    TOO_FEW = "too_few"
    RARE = "rare"
    TIME_BETWEEN = "time_between"
    CASES_BETWEEN = "cases_between"
    PROPORTION = "proportion"
    RATE = "rate"
    COUNT = "count"
    OVER_DISPERSED = "over_dispersed"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A chart type, the reason, and the number it rests on: of values where these are too few, of values of 0 where
    events are rare, the mean range of the scores in sigma where the points vary too much.
    """

    chart: ChartType
    reason: Reason
    figure: float | None = None


def suggest_chart(kind: DataKind | str, numerators: Column, denominators: Column | None = None) -> Suggestion:
    """The type of chart that suits the numbers of a series.

    Args:
        kind: what the numbers are.
        numerators: oldest first: counts, or values; None is missing.
        denominators: of proportions and rates.

    Raises:
        ValueError: one sentence that says what is wrong with the input.
    """
    try:
        kind = DataKind(kind)
    except ValueError:
        raise ValueError(f"The kind of data must be one of {', '.join(DataKind)}.") from None
    if kind in (DataKind.PROPORTION, DataKind.RATE) and denominators is None:
        raise ValueError("Proportions and rates need a denominator for each value.")
    known = [y for y in numerators if y is not None]
    if kind == DataKind.TIME_BETWEEN and all(y > 0 for y in known):
        return Suggestion(ChartType.T, Reason.TIME_BETWEEN)
    if kind in (DataKind.TIME_BETWEEN, DataKind.CASES_BETWEEN):
        return Suggestion(ChartType.G, Reason.CASES_BETWEEN if kind == DataKind.CASES_BETWEEN else Reason.TIME_BETWEEN)
    if kind != DataKind.VALUE and len(known) >= 2 and is_rare(known):
        return Suggestion(ChartType.G if kind == DataKind.PROPORTION else ChartType.T, Reason.RARE, known.count(0))
    if len(known) < FEWEST_FOR_LIMITS:
        return Suggestion(ChartType.RUN, Reason.TOO_FEW, len(known))
    if kind == DataKind.VALUE:
        return Suggestion(ChartType.XMR, Reason.VALUE)
    return _by_spread(kind, numerators, denominators)


def _by_spread(kind: DataKind, numerators: Column, denominators: Column | None) -> Suggestion:
    ordinary, spread_out = {
        DataKind.PROPORTION: (ChartType.P, ChartType.P_PRIME),
        DataKind.RATE: (ChartType.U, ChartType.U_PRIME),
        DataKind.COUNT: (ChartType.C, ChartType.XMR),
    }[kind]
    counted = [1] * len(numerators) if denominators is None else denominators
    spread = dispersion(ChartType.P if kind == DataKind.PROPORTION else ChartType.U, numerators, counted)
    if spread is not None and spread >= OVER_DISPERSED_FROM:
        return Suggestion(spread_out, Reason.OVER_DISPERSED, spread)
    return Suggestion(ordinary, Reason(kind))
