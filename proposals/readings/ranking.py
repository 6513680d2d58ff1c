"""The ranking of a call: raw and adjusted as the page shows it, and what a task adds to it.

Raw and adjusted are worked out on the page and kept in the cache under a fingerprint of the scores they rest on. Ranges
and agreement take longer: a task stores them as a RankingAnalysis with the same fingerprint.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.contrib.postgres.aggregates import JSONBAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import CharField, DecimalField, F, Func, Subquery, Sum
from django.db.models.functions import Cast, JSONArray, JSONObject

from proposals import scoring
from proposals.models import Call, CriterionWeight, Panel, Proposal, RankingAnalysis, Review
from proposals.readings import portfolio

KEPT_FOR = 3600  # seconds; the fingerprint says whether it still holds


class Line(NamedTuple):
    """Where one proposal stands. Plain values: this is what the cache keeps."""

    pk: int
    reference: str
    amount: Decimal | None
    rank: int | None
    mean: Decimal | None
    reviews: int
    lay_mean: Decimal | None
    lay_reviews: int
    widest: int
    wide_on: tuple[str, ...]  # titles of criteria whose scores lie 3 or more apart
    adjusted: Decimal | None
    adjusted_rank: int | None
    group: int
    leaving_out: tuple[int, int] | None  # best and worst rank
    resampled: tuple[int, int] | None
    adjusted_range: tuple[int, int] | None
    like: tuple  # (pk of another proposal, likeness)

    @property
    def is_wide(self) -> bool:
        return self.widest >= scoring.WIDE_SPREAD


DECIMALS = [Line._fields.index(name) for name in ("amount", "mean", "lay_mean", "adjusted")]


@dataclass(frozen=True)
class Ranking:
    lines: list[Line]
    reviewers: int
    reviews: int
    groups: int
    reviewers_of_one: int  # reviewers of a single proposal: of no use to the adjustment

    def __getstate__(self):
        """For the cache: columns instead of lines and texts instead of decimals, a third of the time."""
        columns = [list(column) for column in zip(*self.lines, strict=True)]
        for place in DECIMALS if columns else ():
            columns[place] = [None if value is None else str(value) for value in columns[place]]
        return vars(self) | {"lines": columns}

    def __setstate__(self, state):
        columns = state["lines"]
        for place in DECIMALS if columns else ():
            columns[place] = [None if text is None else Decimal(text) for text in columns[place]]
        vars(self).update(state | {"lines": list(map(Line, *columns)) if columns else []})

    @property
    def is_connected(self) -> bool:
        return self.groups <= 1

    @property
    def ranks(self) -> dict[int, int | None]:
        return {line.pk: line.rank for line in self.lines}

    @property
    def asked(self) -> dict[int, Decimal | None]:
        return {line.pk: line.amount for line in self.lines}


@dataclass(frozen=True)
class Ranked:
    """One line with its proposal, as a page shows it."""

    proposal: Proposal
    line: Line

    def __getattr__(self, name):
        return getattr(self.line, name)


# What a ranking rests on ----------------------------------------------------------------------------------------------
def assessed(call_or_pk, user=None):
    """The eligible proposals of a call; for a user only those whose scores are theirs to see."""
    proposals = Proposal.objects.filter(call=call_or_pk, status__in=Proposal.ELIGIBLE)
    if user is not None:
        proposals = proposals.seen_by_staff(user).without_open_review_of(user)
    return proposals


def _counted(call_or_pk):
    """The reviews that count, of all assessed proposals of a call."""
    return Review.objects.counted().filter(proposal__call=call_or_pk, proposal__status__in=Proposal.ELIGIBLE)


def _mark(rows, group, *columns):
    """One number that changes with any of these columns of any row: a sum of hashes, made in the database."""
    one = Func(*columns, template="hash_record_extended(ROW(%(expressions)s), 0)", output_field=DecimalField())
    return Subquery(rows.order_by().values(group).annotate(mark=Sum(one)).values("mark"))


def ranking_field(call: Call | int, user=None) -> Call:
    """A call with what its ranking rests on: weights, marks of its proposals and scores, latest analysis. One query.

    `field_proposals` is what `user` sees of `all_proposals`.

    Raises:
        Call.DoesNotExist: there is none of this number.
    """
    pk = call.pk if isinstance(call, Call) else call
    weights = CriterionWeight.objects.filter(call=pk).order_by("criterion__number")
    analysis = RankingAnalysis.objects.filter(call=pk)
    return Call.objects.annotate(
        all_proposals=_mark(assessed(pk), "call", "pk"),
        field_proposals=_mark(assessed(pk, user), "call", "pk") if user else F("all_proposals"),
        all_reviews=_mark(_counted(pk), "proposal__call", "pk", "locked_at"),
        field_weights=ArraySubquery(
            weights.values(
                data=JSONObject(
                    criterion="criterion_id",
                    number="criterion__number",
                    code="criterion__code",
                    title="criterion__title",
                    weight="weight",
                )
            )
        ),
        latest_analysis=Subquery(
            analysis.values(
                data=JSONObject(id="pk", calculated_at="calculated_at", fingerprint="fingerprint", basis="basis")
            )[:1]
        ),
        panel_weights=Subquery(Panel.objects.filter(call=pk).values("weights")[:1]),
    ).get(pk=pk)


def fingerprint(call) -> str:
    """SHA-256 of all proposals, their scores and the published weights, of a call out of `ranking_field`."""
    weights = ",".join(f"{one['criterion']}:{one['weight']}" for one in call.field_weights)
    return hashlib.sha256(f"{call.pk}|{call.all_proposals}|{call.all_reviews}|{weights}".encode()).hexdigest()


class Scored(NamedTuple):
    """One counted review, as plain values."""

    reviewer: int
    is_lay: bool
    scores: Sequence[int | None]  # in the order of the criteria's numbers


def scores_of(call, proposals) -> dict[int, list[Scored]]:
    """The counted reviews of each of `proposals` (keys of assessed ones) that has any. One query."""
    rows = _counted(call).order_by("pk")
    found: dict[int, list[Scored]] = {}
    columns = rows.values_list("proposal_id", "reviewer_id", "assignment__is_lay", "scores_in_order")
    for proposal, reviewer, is_lay, scores in columns:
        if proposal in proposals:
            found.setdefault(proposal, []).append(Scored(reviewer, is_lay, scores))
    return found


def ratings_of(scores: dict[int, list[Scored]], weights: Sequence[int]) -> list[scoring.Rating]:
    """The totals of all reviews out of `scores_of`. `weights` in the order of the criteria's numbers."""
    return [
        scoring.Rating(proposal, review.reviewer, total)
        for proposal, reviews in scores.items()
        for review in reviews
        if (total := scoring.weighted_mean(review.scores, weights)) is not None
    ]


def criterion_means(call, user=None) -> dict[int, dict[int, Decimal]]:
    """By proposal and criterion: the mean of the counted scores, not applicable left out."""
    criteria = list(call.weights.values_list("criterion", flat=True))
    scores = scores_of(call, set(assessed(call, user).values_list("pk", flat=True)))
    return {
        proposal: {
            criterion: scoring.mean([Decimal(score) for score in given if score is not None])
            for criterion, given in zip(criteria, zip(*[one.scores for one in reviews], strict=True), strict=True)
        }
        for proposal, reviews in scores.items()
    }


# Working it out -------------------------------------------------------------------------------------------------------
def rank_proposals(
    proposals, scores: dict[int, list[Scored]], weights: Sequence[int], titles: Sequence[str], analysis: dict
) -> Ranking:
    """Raw and adjusted standing of each of `proposals` ((pk, reference, amount) each), best raw mean first.

    Args:
        scores: out of `scores_of`, of these proposals only.
        weights, titles: in the order of the criteria's numbers.
        analysis: results of a RankingAnalysis, or nothing.
    """
    ratings = ratings_of(scores, weights)
    adjustment = scoring.adjusted(ratings)
    adjusted_ranks = scoring.adjusted_ranks(adjustment)
    totals: dict[int, dict[int, Decimal]] = {}
    for proposal, reviewer, total in ratings:
        totals.setdefault(proposal, {})[reviewer] = total
    means = {pk: scoring.mean(totals.get(pk, {}).values()) for pk, _reference, _amount in proposals}
    ranks = scoring.ranks(means)
    leaving_out, resampled, adjusted_range = (
        {int(pk): tuple(ends) for pk, ends in analysis.get(name, {}).items()}
        for name in ("leaving_out", "resampled", "adjusted")
    )
    like = _alike(analysis, means)
    lines = []
    for pk, reference, amount in proposals:
        reviews = scores.get(pk, [])
        mine = totals.get(pk, {})
        lay = [mine[review.reviewer] for review in reviews if review.is_lay and review.reviewer in mine]
        widths = scoring.spreads([review.scores for review in reviews])
        lines.append(
            Line(
                pk=pk,
                reference=reference,
                amount=amount,
                rank=ranks[pk],
                mean=means[pk],
                reviews=len(mine),
                lay_mean=scoring.mean(lay),
                lay_reviews=len(lay),
                widest=max(widths, default=0),
                wide_on=tuple([titles[place] for place, width in enumerate(widths) if width >= scoring.WIDE_SPREAD]),
                adjusted=adjustment.means.get(pk),
                adjusted_rank=adjusted_ranks.get(pk),
                group=adjustment.group_of.get(pk, 0),
                leaving_out=leaving_out.get(pk),
                resampled=resampled.get(pk),
                adjusted_range=adjusted_range.get(pk),
                like=tuple(like.get(pk, ())),
            )
        )
    lines.sort(key=lambda line: (line.rank is None, line.rank or 0, line.reference))
    scored_by = Counter(reviewer for _, reviewer, _ in ratings)
    return Ranking(
        lines=lines,
        reviewers=len(scored_by),
        reviews=len(ratings),
        groups=adjustment.groups,
        reviewers_of_one=sum(count == 1 for count in scored_by.values()),
    )


def ranking_of(call, user=None, *, weights: dict[int, int] | None = None, with_analysis=False) -> Ranking:
    """The ranking of a call out of `ranking_field(…, user)`, kept until scores, weights or proposals change.

    Args:
        weights: by criterion id, instead of the published ones; counted in proportion.
        with_analysis: whether the lines carry the stored ranges and likenesses. These rest on every proposal, so only
            for a user from whom none is hidden.
    """
    used = weights or {one["criterion"]: one["weight"] for one in call.field_weights}
    analysis = call.latest_analysis["id"] if with_analysis and call.latest_analysis else None
    return _kept(call, ("whole", sorted(used.items()), analysis), lambda: _worked_out(call, user, used, analysis))


def _kept(call, what, make):
    """Out of the cache, or made and put there: under what it is, and everything that it rests on."""
    basis = f"{fingerprint(call)}|{call.field_proposals}|{what}"
    key = f"ranking-columns:{call.pk}:{hashlib.sha256(basis.encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_FOR)
    return found


PER_PAGE = 50
ORDERS = {
    "mean": ("Mean", lambda line: (line.rank is None, line.rank or 0, line.reference)),
    "adjusted": (
        "Adjusted mean",
        lambda line: (line.adjusted is None, line.group, line.adjusted_rank or 0, line.reference),
    ),
    "lay": ("Lay mean", lambda line: (line.lay_mean is None, -(line.lay_mean or 0), line.reference)),
    "spread": ("Widest spread", lambda line: (-line.widest, line.rank is None, line.rank or 0, line.reference)),
}


@dataclass(frozen=True)
class RankingPage:
    """What one page of a long ranking shows."""

    ranking: Ranking  # with this page's lines only
    number: int
    lines_in_all: int
    money_line: scoring.MoneyLine

    @property
    def page(self):
        """For the links to the other pages."""
        return Paginator(range(self.lines_in_all), PER_PAGE).page(self.number)


def ranking_page(call, user, *, order: str, number: int, with_analysis: bool) -> RankingPage:
    """One page of a ranking in one of the ORDERS: kept by itself, since reading all lines takes longer than showing it.

    Args:
        call: out of `ranking_field(…, user)`.
        number: from 1; beyond the last page it is the last.
    """

    def make():
        ranking = ranking_of(call, user, with_analysis=with_analysis)
        lines = sorted(ranking.lines, key=ORDERS[order][1])
        page = Paginator(lines, PER_PAGE).get_page(number)
        money_line = portfolio.fundable_of(ranking, call)
        return RankingPage(replace(ranking, lines=page.object_list), page.number, len(lines), money_line)

    analysis = call.latest_analysis["id"] if with_analysis and call.latest_analysis else None
    return _kept(call, ("page", order, number, call.money_total, analysis), make)


def _worked_out(call, user, weights, analysis) -> Ranking:
    rows, results = _rows_with_results(assessed(call, user), analysis)
    in_order = [weights[one["criterion"]] for one in call.field_weights]
    titles = [one["title"] for one in call.field_weights]
    return rank_proposals(rows, scores_of(call, {pk for pk, *_ in rows}), in_order, titles, results)


def _rows_with_results(proposals, analysis) -> tuple[list, dict]:
    """(pk, reference, amount) of each proposal, and the results of an analysis if one is wanted: in one query."""
    if analysis is None:
        return list(proposals.order_by("pk").values_list("pk", "reference", "amount_asked")), {}
    row = JSONArray("pk", "reference", Cast("amount_asked", CharField()))
    rows = proposals.order_by().values("call").annotate(rows=JSONBAgg(row, order_by="pk")).values("rows")
    found, results = RankingAnalysis.objects.filter(pk=analysis).values_list(Subquery(rows), "results").get()
    return [(pk, reference, amount and Decimal(amount)) for pk, reference, amount in found or []], results


def _alike(analysis: dict, shown) -> dict[int, list]:
    """By proposal: each of `shown` that its text is like, and how much."""
    like: dict[int, list] = {}
    for one, other, likeness in analysis.get("alike", []):
        if one in shown and other in shown:
            like.setdefault(one, []).append((other, likeness))
            like.setdefault(other, []).append((one, likeness))
    return like


@dataclass(frozen=True)
class Analysed:
    """The stored analysis as a page shows it to one user."""

    analysis: RankingAnalysis | None
    is_out_of_date: bool  # scores have changed since
    is_hidden: bool  # something of this call is hidden from the user: ranges would tell where it stands


def analysed_for(call) -> Analysed:
    """What the page says of the latest analysis. `call` out of `ranking_field(…, user)`."""
    is_hidden = call.field_proposals != call.all_proposals
    if call.latest_analysis is None:
        return Analysed(None, is_out_of_date=False, is_hidden=is_hidden)
    found = call.latest_analysis | {"calculated_at": datetime.fromisoformat(call.latest_analysis["calculated_at"])}
    return Analysed(RankingAnalysis(call=call, **found), found["fingerprint"] != fingerprint(call), is_hidden)


def ranking(call: Call) -> list[Ranked]:
    """Assessed proposals of a call with their standing, best raw mean first; those without a review last."""
    shown = Proposal.objects.filter(call=call, status__in=Proposal.ELIGIBLE).select_related("organisation").in_bulk()
    return [Ranked(shown[line.pk], line) for line in ranking_of(ranking_field(call)).lines]
