"""When a rebase is suggested: counted by hand."""

import pytest

from measurement.spc import SUSTAINED, SustainedShift, sustained_shift

LOW, HIGH = [40.0] * 12, [60.0] * SUSTAINED


def found(values, *, centre=50.0, **options):
    return sustained_shift(values, [centre] * len(values), **options)


def test_fourteen_values_on_one_side_at_the_end_are_a_lasting_shift_from_the_first_of_them():
    assert found(LOW + HIGH) == SustainedShift(start=12, n=14, side=1)
    assert found([60.0] * 3 + [40.0] * 16) == SustainedShift(start=3, n=16, side=-1)


@pytest.mark.parametrize(
    "values",
    [
        LOW + HIGH[:-1],  # thirteen
        LOW + HIGH + [40.0],  # ended
        LOW + [60.0] * 7 + [50.0] + [60.0] * 13,  # a value on the line ends it
        LOW + [60.0] * 7 + [None] + [60.0] * 13,  # as does a missing one
        HIGH,  # nothing before it
        [],
    ],
)
def test_anything_less_is_none(values):
    assert found(values) is None


def test_a_value_left_out_does_not_break_the_run_and_an_earlier_part_does_not_count():
    values = LOW + [60.0] * 7 + [10.0] + [60.0] * 7

    assert found(values, excluded={19}) == SustainedShift(start=12, n=14, side=1)
    assert found(values, excluded={19}, start=12) is None


def test_without_a_centre_line_nothing_is_suggested():
    assert sustained_shift(LOW + HIGH, [None] * 26) is None
