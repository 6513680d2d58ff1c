"""How fast XmR charts are analysed, as a ratio to the least that any program must do with the same numbers."""

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from measurement import spc

NAME = "XmR analysis"
RATIO = 10  # times a plain pass
SERIES, POINTS = 10_000, 60
ROUNDS = 5  # of which the fastest counts for each series: the one that other work on the machine disturbed least


@dataclass(frozen=True)
class Speed:
    seconds: float
    plain: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.plain

    @property
    def is_over(self) -> bool:
        return self.ratio > RATIO

    def __str__(self) -> str:
        return (
            f"{NAME}: {SERIES / self.seconds:,.0f} series of {POINTS} points a second with all rules, "
            f"{1e3 * self.seconds / SERIES:.3f} ms each; {self.ratio:.1f} times a plain pass for mean and moving "
            f"range, of {RATIO}  {'over' if self.is_over else 'ok'}"
        )


def measure(seed: int = 1) -> Speed:
    """Analyse series of normal noise, some with a step or a spike, so that every rule has work to do."""
    chance = random.Random(seed)
    dates = [date(2020, 1, 1) + timedelta(days=7 * i) for i in range(POINTS)]
    every = [_series(chance) for _ in range(SERIES)]
    ours, plain = [math.inf] * SERIES, [math.inf] * SERIES
    for _ in range(ROUNDS):
        for i, values in enumerate(every):
            began = time.perf_counter()
            _analyse(dates, values)
            between = time.perf_counter()
            _plain_pass(values)
            ended = time.perf_counter()
            ours[i], plain[i] = min(ours[i], between - began), min(plain[i], ended - between)
    return Speed(sum(ours), sum(plain))


def _series(chance: random.Random) -> list[float]:
    values = [chance.gauss(50, 5) for _ in range(POINTS)]
    if chance.random() < 0.2:  # a step up
        values[POINTS // 2 :] = [value + 8 for value in values[POINTS // 2 :]]
    if chance.random() < 0.2:  # a spike
        values[chance.randrange(POINTS)] += 40
    return values


def _analyse(dates: Sequence[date], values: Sequence[float]) -> tuple[spc.Variation, spc.Assurance | None]:
    chart = spc.xmr(dates, values, direction=spc.Direction.INCREASE, target=60)
    return chart.variation, chart.assurance


def _plain_pass(values: Sequence[float]) -> tuple[float, float]:
    """Mean and mean moving range alone, from exactly rounded sums like ours."""
    ranges = [abs(b - a) for a, b in pairwise(values)]
    return math.fsum(values) / len(values), math.fsum(ranges) / len(ranges)
