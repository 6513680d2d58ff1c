"""Anhøj's runs analysis: has the level of a series changed, judged by its longest run and its crossings of the centre?

J. Anhøj, A. V. Olesen, Run charts revisited, PLoS ONE 2014;9:e113825.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

# Fewer crossings than in 95 of 100 random series are a signal. Anhøj and Olesen (2014).
CROSSINGS_QUANTILE = (1, 20)
# The longest run of n tosses of a coin is about log2 n; three more are a signal.
# M. F. Schilling, The surprising predictability of long runs, Math Mag 2012;85:141-9; Anhøj and Olesen (2014).
RUN_ALLOWANCE = 3


@dataclass(frozen=True, slots=True)
class RunsAnalysis:
    """Runs and crossings of one part of a chart.

    `n_observed` counts its points, missing ones too, without excluded ones; `n_useful` those off the centre line. The
    other numbers are None where no point is off it.
    """

    n_observed: int
    n_useful: int
    longest_run: int | None
    longest_run_max: int | None
    n_crossings: int | None
    n_crossings_min: int | None
    is_signal: bool

    @property
    def can_signal(self) -> bool:
        """Whether so few points could signal at all: by a run of all of them, or by never crossing."""
        return bool(self.n_useful) and (self.n_useful > self.longest_run_max or self.n_crossings_min > 0)

    @property
    def has_long_run(self) -> bool:
        return self.longest_run is not None and self.longest_run > self.longest_run_max

    @property
    def has_few_crossings(self) -> bool:
        return self.n_crossings is not None and self.n_crossings < self.n_crossings_min


def runs_analysis(sides: Iterable[int | None], *, can_signal: bool = True) -> RunsAnalysis:
    """Judge a part by the sides of its points: -1, 0 or 1, None where missing. Points on the centre do not count.

    Too many crossings are no signal, and there is no least number of points.
    """
    sides = list(sides)
    useful = [side for side in sides if side]
    n = len(useful)
    if not n:
        return RunsAnalysis(len(sides), 0, None, None, None, None, False)
    lengths = [len(list(run)) for _, run in groupby(useful)]
    longest, crossings = max(lengths), len(lengths) - 1
    longest_max, crossings_min = longest_run_limit(n), crossings_limit(n)
    is_signal = can_signal and (longest > longest_max or crossings < crossings_min)
    return RunsAnalysis(len(sides), n, longest, longest_max, crossings, crossings_min, is_signal)


def longest_run_limit(n: int) -> int:
    """The longest run that n useful points may have by chance."""
    return round(math.log2(n)) + RUN_ALLOWANCE


@cache
def crossings_limit(n: int) -> int:
    """The fewest crossings that n useful points may have by chance: the 5% quantile of Binomial(n - 1, 1/2).

    In whole numbers, so that no rounding decides.
    """
    part, whole = CROSSINGS_QUANTILE
    below, k = 1, 0
    while below * whole < part * 2 ** (n - 1):
        k += 1
        below += math.comb(n - 1, k)
    return k
