"""What must hold for any series: charts say the same of the same data, however they are written."""

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from measurement import spc
from measurement.spc import ChartType, Label, PointType

START = date(2024, 1, 1)
SHEWHART_TYPES = sorted(set(ChartType) - {ChartType.XMR})

QUARTERS = st.integers(-4000, 4000).map(lambda n: n / 4)
SERIES = st.lists(st.none() | QUARTERS, max_size=70)
COUNTS = st.lists(st.tuples(st.none() | st.integers(0, 40), st.none() | st.integers(0, 60)), max_size=40)


def days(n):
    return [START + timedelta(days=7 * i) for i in range(n)]


def xmr(values, direction="increase", **options):
    return spc.xmr(days(len(values)), values, direction=direction, **options)


def shewhart(kind, rows, **options):
    numerators = [y if y is None or kind != ChartType.T else y + 1 for y, _ in rows]
    return spc.shewhart(kind, days(len(rows)), numerators, [n for _, n in rows], **options)


def changed(values, change):
    return [None if y is None else change(y) for y in values]


def flags(chart):
    return chart.sides, chart.outside, chart.near, chart.labels, chart.point_types, chart.variation


def is_clear(chart):
    """No point lies on a line, or so near that rounding decides; nor a moving range where it is just screened."""
    values = [y for y in chart.values if y is not None]
    ranges = [abs(b - a) for a, b in pairwise(chart.values) if a is not None and b is not None]
    cut = spc.SCREEN_SCALE * sum(ranges) / len(ranges) if ranges else 0
    lines = [line for name in ("mean", "lower", "upper", "near_lower", "near_upper")
             if (line := getattr(chart.limits, name)) is not None]  # fmt: skip
    return (
        len(set(values)) > 1
        and all(abs(y - line) > 1e-6 for y in values for line in lines)
        and all(not one or abs(one - cut) > 1e-6 for one in ranges)
    )


# XmR -----------------------------------------------------------------------------------------------------------------
@given(SERIES)
def test_any_series_is_analysed_and_every_column_is_full(values):
    result = xmr(values)

    columns = (result.values, result.sides, result.outside, result.near, result.labels, result.centre, result.upper)
    assert {len(column) for column in columns} == {len(values)}
    for label, trend, pair, shift in zip(result.labels, result.trends, result.pairs, result.shifts, strict=True):
        assert label != Label.COMMON_CAUSE or (trend, pair, shift) == (0, 0, 0)


@given(SERIES, st.sampled_from([0.1, -37.75, 1e4, 3.3]))
def test_adding_a_constant_leaves_every_flag(values, constant):
    before = xmr(values)
    assume(is_clear(before))

    assert flags(xmr(changed(values, lambda y: y + constant))) == flags(before)


@given(SERIES, st.sampled_from([0.01, 0.3, 7, 1000]))
def test_scaling_the_unit_leaves_every_flag(values, factor):
    before = xmr(values)
    assume(is_clear(before))

    assert flags(xmr(changed(values, lambda y: y * factor))) == flags(before)


@given(SERIES, st.sampled_from([0.25, 2, 1024]))
def test_scaling_by_a_power_of_two_leaves_even_what_lies_on_a_line(values, factor):
    assert flags(xmr(changed(values, lambda y: y * factor))) == flags(xmr(values))


@given(QUARTERS, st.floats(0.001, 1000), st.integers(1, 400))
def test_a_constant_series_stays_on_its_mean_in_any_unit(value, factor, n):
    assert set(xmr([value * factor] * n).sides) == {0}


@given(SERIES)
def test_reversing_the_direction_swaps_improvement_and_concern(values):
    swapped = {PointType.IMPROVEMENT: PointType.CONCERN, PointType.CONCERN: PointType.IMPROVEMENT}

    up, down = xmr(values, "increase"), xmr(values, "decrease")

    assert [swapped.get(kind, kind) for kind in up.point_types] == list(down.point_types)
    assert up.labels == down.labels


@given(SERIES, SERIES, st.none() | st.integers(12, 20))
def test_splitting_at_a_rebase_equals_each_part_alone(first, second, baseline):
    when = days(len(first) + len(second))
    rebase = [when[len(first)]] if second else []

    whole = spc.xmr(when, first + second, direction="increase", rebase=rebase, baseline=baseline)

    alone = [xmr(first, baseline=baseline), xmr(second, baseline=baseline)]
    assert whole.labels == alone[0].labels + alone[1].labels
    assert [part.limits for part in whole.parts] == [part.limits for chart in alone for part in chart.parts]


@given(st.lists(QUARTERS, max_size=40), st.data())
def test_an_excluded_point_counts_as_if_it_were_not_there(values, data):
    gone = data.draw(st.sets(st.integers(0, max(0, len(values) - 1))))
    kept = [y for i, y in enumerate(values) if i not in gone]

    result, without = xmr(values, exclude=[days(41)[i] for i in gone]), xmr(kept)

    assert result.limits == without.limits
    for column in ("labels", "trends", "pairs", "shifts", "near"):
        assert [mark for i, mark in enumerate(getattr(result, column)) if i not in gone] == list(
            getattr(without, column)
        )


# Run charts and control charts ---------------------------------------------------------------------------------------
@given(st.sampled_from(SHEWHART_TYPES), COUNTS, COUNTS, st.booleans())
def test_each_part_of_a_control_chart_is_a_chart_of_its_own(kind, first, second, screen):
    assume(second)

    whole = shewhart(kind, first + second, rebase=[days(len(first) + 1)[-1]], screen=screen)

    alone = [shewhart(kind, rows, screen=screen) for rows in (first, second)]
    for column in ("values", "centre", "lower", "upper", "near_lower", "near_upper", "sides", "outside"):
        assert getattr(whole, column) == getattr(alone[0], column) + getattr(alone[1], column)
    assert [part.runs for part in whole.parts] == [part.runs for chart in alone for part in chart.parts]


@given(st.sampled_from(SHEWHART_TYPES), COUNTS, st.sampled_from([0.5, 1000]))
def test_the_multiplier_changes_no_flag(kind, rows, multiply):
    once, multiplied = shewhart(kind, rows), shewhart(kind, rows, multiply=multiply)

    assert (once.sides, once.outside, once.parts) == (multiplied.sides, multiplied.outside, multiplied.parts)
    assert multiplied.centre == tuple(None if y is None else y * multiply for y in once.centre)


@given(st.sampled_from(SHEWHART_TYPES), COUNTS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(kind, rows, shuffled):
    order = list(range(len(rows)))
    shuffled.shuffle(order)
    numerators = [y if y is None or kind != ChartType.T else y + 1 for y, _ in rows]

    mixed = spc.shewhart(
        kind, [days(len(rows))[i] for i in order], [numerators[i] for i in order], [rows[i][1] for i in order]
    )

    assert mixed == shewhart(kind, rows)


@given(st.sampled_from(SHEWHART_TYPES), COUNTS)
def test_lines_lie_in_order_and_counts_and_proportions_in_their_bounds(kind, rows):
    chart = shewhart(kind, rows)

    for lower, near_lower, near_upper, upper in zip(
        chart.lower, chart.near_lower, chart.near_upper, chart.upper, strict=True
    ):
        known = [line for line in (lower, near_lower, near_upper, upper) if line is not None]
        assert known == sorted(known)
        if kind in ("p", "pp"):
            assert all(0 <= line <= 1 for line in known)
        if kind in ("u", "up", "c", "g", "t", "mr"):
            assert all(line >= 0 for line in known)


# Ten thousand --------------------------------------------------------------------------------------------------------
def random_series(chance):
    """Anything that people enter: constants, noughts, gaps, spikes, tiny and huge numbers."""
    n = chance.choice((0, 1, 2, 7, 12, 13, 24, 60))
    size = 10.0 ** chance.randint(-12, 12)
    make = chance.choice((
        lambda: size,
        lambda: chance.gauss(0, size),
        lambda: float(chance.random() < 0.1),
        lambda: chance.randint(0, 5),
        lambda: size * (100 if chance.random() < 0.05 else 1),
    ))  # fmt: skip
    gap = chance.choice((0, 0, 0.2, 1))
    return [None if chance.random() < gap else make() for _ in range(n)]


def random_options(chance, when):
    return {
        "rebase": chance.sample(when, min(len(when), chance.choice((0, 0, 1, 3)))),
        "exclude": chance.sample(when, min(len(when), chance.choice((0, 0, 1, 5)))),
        "screen": chance.random() < 0.8,
    }


def test_ten_thousand_random_series_raise_no_exception():
    chance = random.Random(20251123)
    for _ in range(10_000):
        values = random_series(chance)
        when = days(len(values))
        baseline = chance.choice((None, None, 12, 20, *when[:1]))
        target = chance.choice((None, 0, 1e6))
        direction = chance.choice(list(spc.Direction))

        chart = spc.xmr(
            when, values, direction=direction, target=target, baseline=baseline, **random_options(chance, when)
        )
        spc.cautions(chart)


@pytest.mark.parametrize("kind", SHEWHART_TYPES)
def test_a_thousand_random_series_of_each_control_chart_raise_no_exception(kind):
    chance = random.Random(20251123)
    for _ in range(1_000):
        values = random_series(chance)
        if kind == ChartType.T:
            values = [None if y is None else abs(y) + 1e-9 for y in values]
        when = sorted(chance.choices(days(80), k=len(values)))  # some dates twice
        has_denominators = kind in spc.NEEDS_DENOMINATORS or chance.random() < 0.5
        denominators = [chance.choice((None, 0, 1, 30, 1e6)) for _ in values] if has_denominators else None
        centre = chance.choice((None, None, 0, 0.5, -3, 1e9))
        baseline = chance.choice((None, 1, 12, *when[:1]))

        spc.shewhart(kind, when, values, denominators, centre=centre, baseline=baseline, **random_options(chance, when))
