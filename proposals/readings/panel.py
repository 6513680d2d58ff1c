"""The panel's agenda: each proposal with its scores, reasons, interests, and the money so far."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Prefetch

from proposals import scoring
from proposals.models import Decision, Panel, PanelMember, PanelScore, Proposal, Review, Score
from proposals.readings.ranking import Line, analysed_for, ranking_field, ranking_of
from proposals.readings.reviewing import people_with_interest


@dataclass(frozen=True)
class Money:
    """What has been awarded out of what there is. One definition for the panel, its refusals and its minutes."""

    total: Decimal
    awarded: Decimal
    unpriced: int  # approved without an amount

    @property
    def left(self) -> Decimal:
        return self.total - self.awarded

    @property
    def over(self) -> Decimal:
        return max(-self.left, Decimal(0))

    def over_with(self, amount: Decimal | None) -> Decimal:
        """By how much an award of `amount` would go beyond the total."""
        return max((amount or Decimal(0)) - self.left, Decimal(0))


def money_of(call) -> Money:
    """Awards that stand: the latest decision of each funded proposal."""
    latest = (
        Decision.objects.filter(proposal__call=call, proposal__status__in=Proposal.FUNDED)
        .order_by("proposal_id", "-decided_at", "-pk")
        .distinct("proposal")
        .values_list("amount", flat=True)
    )
    amounts = list(latest)
    awarded = sum((amount for amount in amounts if amount is not None), Decimal(0))
    return Money(call.money_total, awarded, sum(amount is None for amount in amounts))


@dataclass(frozen=True)
class Room:
    """Who decides on one proposal: the members present without an interest."""

    quorum: int
    present: tuple[PanelMember, ...]
    leaves: tuple[tuple[PanelMember, str], ...]  # members with an interest, present or not, and which
    chair_leaves: bool

    @property
    def is_quorate(self) -> bool:
        return len(self.present) >= self.quorum


def rooms_of(panel: Panel, proposals) -> dict[int, Room]:
    """By proposal: who stays in the room for it."""
    members = list(panel.members.select_related("user"))
    interests = people_with_interest(proposals, [member.user for member in members])

    def room(proposal):
        mine = interests.get(proposal.pk, {})
        return Room(
            quorum=panel.quorum,
            present=tuple(one for one in members if one.is_present and one.user_id not in mine),
            leaves=tuple((one, mine[one.user_id]) for one in members if one.user_id in mine),
            chair_leaves=panel.chair_id in mine,
        )

    return {proposal.pk: room(proposal) for proposal in proposals}


@dataclass(frozen=True)
class Item:
    """One proposal on the agenda."""

    proposal: Proposal
    line: Line
    panel_line: Line | None  # under the panel's own weighting, where it has one
    reviews: list[Review]  # counted, with their scores
    panel_scores: list[PanelScore]
    decision: Decision | None
    room: Room | None
    may_overspend: bool
    is_near_the_line: bool
    is_connected: bool  # or the adjusted rank is one among its group only
    reasons: list = field(default_factory=list)  # (criterion, [(score, is lay, mark)])

    @property
    def is_quorate(self) -> bool:
        return self.room is None or self.room.is_quorate

    @property
    def tone(self) -> str:
        """How the decision is coloured: funded, waiting, or neither."""
        if self.decision is None:
            return "going"
        outcome = self.decision.outcome
        return "done" if outcome in Proposal.FUNDED else "waiting" if outcome == Proposal.Status.RESERVE else "plain"

    @property
    def is_open(self) -> bool:
        return self.proposal.status == Proposal.Status.AT_PANEL


NEAR = 3  # ranks above or below the money line


def _edge(ranking, call) -> float | None:
    """Between which ranks the money ends; None where it reaches all."""
    line = scoring.money_line(ranking.ranks, asked=ranking.asked, money=call.money_total)
    return line.reaches_rank + 0.5 if line.on_the_line else None


def agenda_lines(ranking, call, statuses: dict[int, str]) -> list[Line]:
    """Lines in the order in which the panel talks: widest spread first, then closest to where the money ends."""
    edge = _edge(ranking, call)
    wanted = [line for line in ranking.lines if line.pk in statuses]
    return sorted(
        wanted,
        key=lambda line: (
            -line.widest,
            line.rank is None,
            abs((line.rank or 0) - (edge or 0)),
            line.reference,
        ),
    )


def agenda_of(call, user, *, with_analysis=False):
    """All lines of the agenda that the user may see, in order. `call` out of `ranking_field(…, user)`."""
    statuses = dict(
        Proposal.objects.filter(call=call)
        .seen_by_staff(user)
        .filter(status__in=(Proposal.Status.AT_PANEL, *Proposal.DECIDED))
        .values_list("pk", "status")
    )
    return agenda_lines(ranking_of(call, user, with_analysis=with_analysis), call, statuses), statuses


def items_of(call, panel, lines, user, *, with_analysis=False) -> list[Item]:
    """The lines of one page of the agenda with all that is shown of each. Equally many queries for any number."""
    ranking = ranking_of(call, user, with_analysis=with_analysis)
    edge = _edge(ranking, call)
    own = {}
    if panel and panel.weights:
        codes = {one["code"]: one["criterion"] for one in call.field_weights}
        weights = {codes[code]: weight for code, weight in panel.weights.items() if code in codes}
        own = {line.pk: line for line in ranking_of(call, user, weights=weights).lines}
    scores = Score.objects.select_related("criterion").order_by("criterion__number")
    reviews = Review.objects.counted().select_related("assignment").order_by("pk")
    proposals = {
        one.pk: one
        for one in Proposal.objects.filter(pk__in=[line.pk for line in lines])
        .select_related("organisation", "call")
        .defer("answers", "search", "call__search")
        .prefetch_related(
            Prefetch("reviews", reviews.prefetch_related(Prefetch("scores", scores)), to_attr="counted_reviews"),
            Prefetch("panel_scores", PanelScore.objects.select_related("by")),
            Prefetch("decisions", Decision.objects.select_related("decided_by")),
        )
    }
    rooms = rooms_of(panel, list(proposals.values())) if panel else {}
    money = money_of(call)
    found = []
    for line in lines:
        proposal = proposals[line.pk]
        decisions = list(proposal.decisions.all())
        found.append(
            Item(
                proposal=proposal,
                line=line,
                panel_line=own.get(line.pk),
                reviews=proposal.counted_reviews,
                panel_scores=list(proposal.panel_scores.all()),
                decision=decisions[-1] if decisions else None,
                room=rooms.get(line.pk),
                may_overspend=bool(money.over_with(proposal.amount_asked)),
                is_near_the_line=None not in (line.rank, edge) and abs(line.rank - edge) <= NEAR,
                is_connected=ranking.is_connected,
                reasons=_by_criterion(proposal.counted_reviews),
            )
        )
    return found


def _by_criterion(reviews):
    """What reviewers wrote, by criterion, without their names."""
    found: dict = {}
    for review in reviews:
        for score in review.scores.all():
            found.setdefault(score.criterion, []).append((score, review.assignment.is_lay, review.mark))
    return sorted(found.items(), key=lambda pair: pair[0].number)


# What a decision rested on --------------------------------------------------------------------------------------------
def basis_of_decision(proposal: Proposal, panel: Panel | None = None, **said) -> dict:
    """What the panel had before it, kept with the decision: weights, scores, ranges, and who was in the room.

    Args:
        said: reasons for what needed one (no quorum, more than there is).
    """
    call = ranking_field(proposal.call)
    analysed = analysed_for(call)
    is_fresh = analysed.analysis is not None and not analysed.is_out_of_date
    ranking = ranking_of(call, with_analysis=is_fresh)  # ranges of other scores are no basis beside a rank of these
    line = next(line for line in ranking.lines if line.pk == proposal.pk)
    found = {
        "weights": {one["code"]: one["weight"] for one in call.field_weights},
        "mean": _text(line.mean),
        "reviews": line.reviews,
        "widest_spread": line.widest,
        "rank": line.rank,
        "of": sum(one.rank is not None for one in ranking.lines),
        "adjusted": _text(line.adjusted),
        "adjusted_rank": line.adjusted_rank if ranking.is_connected else None,
        "lay_mean": _text(line.lay_mean),
        "leaving_out": line.leaving_out,
        "resampled": line.resampled,
        "ranges_calculated_at": analysed.analysis.calculated_at.isoformat() if is_fresh else None,
    }
    if panel is None:
        return found
    room = rooms_of(panel, [proposal])[proposal.pk]
    score = proposal.panel_scores.last()
    found["panel"] = {
        "present": [member.user_id for member in room.present],
        "left": [member.user_id for member, _why in room.leaves],
        "quorum": room.quorum,
        "score": _text(score.score if score else None),
    } | {name: text for name, text in said.items() if text}
    if panel.weights:
        codes = {one["code"]: one["criterion"] for one in call.field_weights}
        own = ranking_of(call, weights={codes[code]: weight for code, weight in panel.weights.items()})
        mine = next(one for one in own.lines if one.pk == proposal.pk)
        found["panel"] |= {"weights": panel.weights, "mean": _text(mine.mean), "rank": mine.rank}
    return found


def _text(number) -> str | None:
    return None if number is None else str(number)
