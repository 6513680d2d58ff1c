"""The ranking of a call: raw and adjusted as the page shows it, and what a task adds to it.

Raw and adjusted are worked out on the page and kept in the cache under a fingerprint of the scores they rest on. Ranges
and agreement take longer: a task stores them as a RankingAnalysis with the same fingerprint.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import CharField, Func, Max, Q, StringAgg, Subquery, Value
from django.db.models.functions import Cast, Concat, JSONArray, JSONObject

from proposals import scoring
from proposals.models import Call, CriterionWeight, Panel, Proposal, RankingAnalysis, Review

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
    leaving_out: tuple[int, int] | None = None
    resampled: tuple[int, int] | None = None
    adjusted_range: tuple[int, int] | None = None
    like: tuple = ()  # (pk of another proposal, likeness)

    @property
    def is_wide(self) -> bool:
        return self.widest >= scoring.WIDE_SPREAD


@dataclass(frozen=True)
class Ranking:
    lines: list[Line]
    reviewers: int
    reviews: int
    groups: int
    reviewers_of_one: int  # reviewers of a single proposal: of no use to the adjustment
    effects: dict = field(default_factory=dict)

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


def _joined(rows, group, *parts):
    """One short hash over some columns of all rows, made in the database: thousands of rows need not come here."""
    text = Concat(Value(""), *[Cast(part, CharField()) for part in parts], output_field=CharField())
    listed = StringAgg(text, Value(","), order_by="pk")
    return Subquery(rows.order_by().values(group).annotate(joined=Func(listed, function="md5")).values("joined"))


def ranking_field(call: Call | int, user=None) -> Call:
    """A call with what its ranking rests on: weights, fingerprints, latest analysis. One query for all of it.

    `field_…` is what `user` sees; `all_proposals` says whether that is everything.

    Raises:
        Call.DoesNotExist: there is none of this number.
    """
    pk = call.pk if isinstance(call, Call) else call
    proposals = assessed(pk, user)
    reviews = Review.objects.counted().filter(proposal__call=pk, proposal__in=proposals.order_by().values("pk"))
    weights = CriterionWeight.objects.filter(call=pk).order_by("criterion__number")
    analysis = RankingAnalysis.objects.filter(call=pk)
    return Call.objects.annotate(
        all_proposals=_joined(assessed(pk), "call", "pk"),
        field_proposals=_joined(proposals, "call", "pk"),
        field_reviews=_joined(reviews, "proposal__call", "pk", "locked_at"),
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
    """SHA-256 of the scores, the proposals and the published weights, of a call out of `ranking_field`."""
    weights = ",".join(f"{one['criterion']}:{one['weight']}" for one in call.field_weights)
    text = f"{call.pk}|{call.field_proposals}|{call.field_reviews}|{weights}"
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Scores:
    """Every counted review of some proposals, as plain values."""

    by_proposal: dict[int, list[tuple[int, bool, dict[int, int | None]]]]  # (reviewer, is lay, score by criterion)

    def ratings(self, weights) -> list[scoring.Rating]:
        found = []
        for proposal, reviews in self.by_proposal.items():
            for reviewer, _is_lay, scores in reviews:
                total = scoring.weighted_mean(scores, weights)
                if total is not None:
                    found.append(scoring.Rating(proposal, reviewer, total))
        return found


def scores_of(proposals, criteria) -> Scores:
    """One query: a row for each review, a column for each of `criteria` (ids)."""
    criteria = list(criteria)
    columns = {f"score_{one}": Max("scores__value", filter=Q(scores__criterion=one)) for one in criteria}
    rows = (
        Review.objects.counted()
        .filter(proposal__in=proposals)
        .order_by("pk")
        .values_list("proposal_id", "reviewer_id", "assignment__is_lay")
        .annotate(**columns)
    )
    by_proposal: dict[int, list] = {}
    for proposal, reviewer, is_lay, *values in rows:
        scores = dict(zip(criteria, values, strict=True))
        by_proposal.setdefault(proposal, []).append((reviewer, is_lay, scores))
    return Scores(by_proposal)


def criterion_means(call, user=None) -> dict[int, dict[int, Decimal]]:
    """By proposal and criterion: the mean of the counted scores, not applicable left out."""
    found = {}
    criteria = call.weights.values_list("criterion", flat=True)
    for proposal, reviews in scores_of(assessed(call, user).order_by().values("pk"), criteria).by_proposal.items():
        given: dict[int, list[Decimal]] = {}
        for _reviewer, _is_lay, scores in reviews:
            for criterion, score in scores.items():
                if score is not None:
                    given.setdefault(criterion, []).append(Decimal(score))
        found[proposal] = {criterion: scoring.mean(values) for criterion, values in given.items()}
    return found


# Working it out -------------------------------------------------------------------------------------------------------
def rank_proposals(proposals, scores: Scores, weights: dict[int, int], titles: dict[int, str]) -> Ranking:
    """Raw and adjusted standing of each of `proposals` ((pk, reference, amount) each), best raw mean first."""
    ratings = scores.ratings(weights)
    adjustment = scoring.adjusted(ratings)
    adjusted_ranks = scoring.adjusted_ranks(adjustment)
    totals: dict[int, dict[int, Decimal]] = {}
    scored_by: dict[int, int] = {}
    for proposal, reviewer, total in ratings:
        totals.setdefault(proposal, {})[reviewer] = total
        scored_by[reviewer] = scored_by.get(reviewer, 0) + 1
    means = {pk: scoring.mean(totals.get(pk, {}).values()) for pk, _reference, _amount in proposals}
    ranks = scoring.ranks(means)
    lines = []
    for pk, reference, amount in proposals:
        reviews = scores.by_proposal.get(pk, [])
        mine = totals.get(pk, {})
        lay = [mine[reviewer] for reviewer, is_lay, _scores in reviews if is_lay and reviewer in mine]
        spreads = scoring.spreads([given for _reviewer, _is_lay, given in reviews])
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
                widest=max((spread.width for spread in spreads), default=0),
                wide_on=tuple(titles[spread.criterion] for spread in spreads if spread.is_wide),
                adjusted=adjustment.means.get(pk),
                adjusted_rank=adjusted_ranks.get(pk),
                group=adjustment.group_of.get(pk, 0),
            )
        )
    lines.sort(key=lambda line: (line.rank is None, line.rank or 0, line.reference))
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
    published = {one["criterion"]: one["weight"] for one in call.field_weights}
    used = weights or published
    setting = ",".join(f"{criterion}:{weight}" for criterion, weight in sorted(used.items()))
    analysis = call.latest_analysis["id"] if with_analysis and call.latest_analysis else None
    basis = f"{fingerprint(call)}|{setting}|{analysis}"
    key = f"ranking:{call.pk}:{hashlib.sha256(basis.encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        found = _worked_out(call, user, used, analysis)
        cache.set(key, found, KEPT_FOR)
    return found


def _worked_out(call, user, weights, analysis) -> Ranking:
    proposals = assessed(call, user)
    titles = {one["criterion"]: one["title"] for one in call.field_weights}
    rows, results = _rows_with_results(proposals.order_by("pk"), analysis)
    ranking = rank_proposals(rows, scores_of(proposals.order_by().values("pk"), titles), weights, titles)
    return _with_analysis(ranking, results) if results else ranking


def _rows_with_results(proposals, analysis) -> tuple[list, dict]:
    """(pk, reference, amount) of each proposal, and the results of an analysis if one is wanted: in one query."""
    if analysis is None:
        return list(proposals.values_list("pk", "reference", "amount_asked")), {}
    rows = ArraySubquery(proposals.values_list(JSONArray("pk", "reference", Cast("amount_asked", CharField()))))
    found, results = RankingAnalysis.objects.filter(pk=analysis).values_list(rows, "results").get()
    return [(pk, reference, amount and Decimal(amount)) for pk, reference, amount in found], results


def _with_analysis(ranking: Ranking, results: dict) -> Ranking:
    def found(name, pk):
        pair = results.get(name, {}).get(str(pk))
        return tuple(pair) if pair else None

    shown = {line.pk for line in ranking.lines}
    like: dict[int, list] = {}
    for one, other, likeness in results.get("alike", []):
        if one in shown and other in shown:
            like.setdefault(one, []).append((other, likeness))
            like.setdefault(other, []).append((one, likeness))
    lines = [
        line._replace(
            leaving_out=found("leaving_out", line.pk),
            resampled=found("resampled", line.pk),
            adjusted_range=found("adjusted", line.pk),
            like=tuple(like.get(line.pk, ())),
        )
        for line in ranking.lines
    ]
    return Ranking(**(vars(ranking) | {"lines": lines}))


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
    now = fingerprint(ranking_field(call) if is_hidden else call)
    return Analysed(RankingAnalysis(call=call, **found), found["fingerprint"] != now, is_hidden)


def ranking(call: Call, proposals=None) -> list[Ranked]:
    """Assessed proposals of a call with their standing, best raw mean first; those without a review last."""
    proposals = call.proposals.all() if proposals is None else proposals
    proposals = proposals.filter(status__in=Proposal.ELIGIBLE).select_related("organisation")
    by_pk = {proposal.pk: proposal for proposal in proposals}
    weights = call.weights.select_related("criterion")
    titles = {weight.criterion_id: weight.criterion.title for weight in weights}
    weight_of = {weight.criterion_id: weight.weight for weight in weights}
    rows = [(one.pk, one.reference, one.amount_asked) for one in by_pk.values()]
    found = rank_proposals(rows, scores_of(list(by_pk), titles), weight_of, titles)
    return [Ranked(by_pk[line.pk], line) for line in found.lines]
