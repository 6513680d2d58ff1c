"""How far the reviews of some proposals lie apart: what the lists of the admin show beside each."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Max, Min

from proposals import scoring
from proposals.models import Review, Score


@dataclass(frozen=True)
class Spread:
    """Of the reviews that count: mean and range of their totals, and the widest distance on one criterion."""

    mean: Decimal
    lowest: Decimal
    highest: Decimal
    widest: int

    @property
    def is_wide(self) -> bool:
        return self.widest >= scoring.WIDE_SPREAD

    def __str__(self):
        shown = f"{self.mean:.2f}"
        if self.lowest != self.highest:
            shown += f", from {self.lowest:.2f} to {self.highest:.2f}"
        return f"{shown} (scores {self.widest} apart: discuss)" if self.is_wide else shown


def spreads_of(proposals, user) -> dict[int, Spread]:
    """By proposal, of those that the user sees: nothing where its reviews are not for them yet. Two queries.

    Args:
        proposals: keys of proposals that the user may see.
    """
    reviews = Review.objects.counted().beside_those_of(user).filter(proposal__in=proposals).order_by()
    totals = (
        reviews.filter(total__isnull=False).values_list("proposal").annotate(Avg("total"), Min("total"), Max("total"))
    )
    widths: dict[int, int] = {}
    scores = Score.objects.filter(review__in=reviews.values("pk"), value__isnull=False).order_by()
    by_criterion = scores.values_list("review__proposal", "criterion").annotate(Min("value"), Max("value"))
    for proposal, _criterion, lowest, highest in by_criterion:
        widths[proposal] = max(widths.get(proposal, 0), highest - lowest)
    return {proposal: Spread(*figures, widths.get(proposal, 0)) for proposal, *figures in totals}
