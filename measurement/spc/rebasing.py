"""When a person should think about calculating mean and limits anew. Nothing here ever does it."""

from collections.abc import Collection
from dataclasses import dataclass

from measurement.spc.making_data_count import RUN_LENGTH
from measurement.spc.series import Column

# A run on one side of the centre line that is twice as long as the one that signals a shift, so that the new part has
# firm limits from its first day. Ours. Making Data Count gives no number ("a judgement": a known cause, a shift that
# lasts, and an old mean that no longer tells the story); Provost and Murray, The Health Care Data Guide (2011), ask for
# 10 to 12 values after a shift; Wheeler starts the new part with the first value of the run.
SUSTAINED = 2 * RUN_LENGTH


@dataclass(frozen=True, slots=True)
class SustainedShift:
    """The last `n` values lie above (`side` 1) or below (-1) the centre line, since the one at `start`."""

    start: int
    n: int
    side: int


def sustained_shift(
    values: Column, centre: Column, *, start: int = 0, excluded: Collection[int] = ()
) -> SustainedShift | None:
    """The unbroken run at the end of the last part, which begins at `start`, where it is so long that it will last.

    A missing value breaks the run, as everywhere; a value left out does not. A run that is as old as its part is none:
    there is nothing before it to part it from.
    """
    kept = [i for i in range(start, len(values)) if i not in excluded]
    if len(kept) <= SUSTAINED:
        return None
    sides = [_side(values[i], centre[i]) for i in kept]
    run = 0
    while run < len(sides) and sides[-1 - run] and sides[-1 - run] == sides[-1]:
        run += 1
    return SustainedShift(kept[len(kept) - run], run, sides[-1]) if SUSTAINED <= run < len(kept) else None


def _side(value: float | None, centre: float | None) -> int:
    if value is None or centre is None:
        return 0
    return (value > centre) - (value < centre)
