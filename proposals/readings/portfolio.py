"""Fit with the wider portfolio: possible duplicates, overlap with running projects, what stays uncovered."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func

from projects.models import Priority, Project, System
from proposals import likeness, questions, scoring
from proposals.models import Proposal

RUNNING = [status for status in Project.Status.values if status not in ("closed", "stopped")]


def words_of(rows) -> dict[int, list[str]]:
    """The word stems of each row's text, as the search index has them."""
    words = Func(F("search"), function="tsvector_to_array", output_field=ArrayField(CharField()))
    return dict(rows.order_by("pk").annotate(words=words).values_list("pk", "words"))


@dataclass(frozen=True)
class Overlap:
    one: Proposal
    other: object  # a proposal or a project
    why: tuple[str, ...]


@dataclass(frozen=True)
class Covered:
    """How many fundable proposals cover a system, by what they rest it on."""

    system: System
    by_team: int  # the lead or a partner belongs to it, or serves all systems
    by_adopter: int  # an adopter in it is listed under criterion 3
    by_agreed: int  # of these: one has agreed in writing


@dataclass(frozen=True)
class Portfolio:
    duplicates: list[Overlap]
    running: list[Overlap]
    priorities: list[tuple[Priority, int]]  # of the call, each with how many fundable proposals serve it
    systems: list[Covered]
    fundable: int


def portfolio_of(call, proposals, fundable) -> Portfolio:
    """How the proposals of a call fit with each other and with what is running.

    Args:
        proposals: QuerySet of those that the user may see.
        fundable: primary keys of those that the money reaches, or that are funded.
    """
    proposals = proposals.select_related("organisation__system").prefetch_related("priorities", "partners__system")
    by_pk = {proposal.pk: proposal for proposal in proposals.defer("answers", "search").order_by("reference")}
    words = words_of(Proposal.objects.filter(pk__in=by_pk))
    mine = {proposal.project_id for proposal in by_pk.values()} - {None}
    projects = {one.pk: one for one in Project.objects.filter(status__in=RUNNING).exclude(pk__in=mine)}
    project_words = words_of(Project.objects.filter(pk__in=projects))
    return Portfolio(
        duplicates=_duplicates(by_pk, words),
        running=[
            Overlap(by_pk[pair.one], projects[pair.other], (_alike(pair.likeness),))
            for pair in likeness.alike(words, project_words, at_least=RUNNING_ALIKE)
        ],
        priorities=_covered_priorities(call, by_pk, fundable),
        systems=_covered_systems(by_pk, fundable),
        fundable=len(fundable),
    )


RUNNING_ALIKE = 0.35  # a project's text also tells of its results, so the same work shares fewer of its words


MOST_OF_ONE = 15  # an organisation with more proposals than this is no sign of a duplicate


def _alike(value) -> str:
    return f"text {100 * value:.0f}% alike"


def _duplicates(by_pk, words) -> list[Overlap]:
    reasons: dict[tuple[int, int], list[str]] = {}
    for pair in likeness.alike(words):
        reasons.setdefault(tuple(sorted((pair.one, pair.other))), []).append(_alike(pair.likeness))
    by_organisation: dict[int, list[Proposal]] = {}
    for proposal in by_pk.values():
        if proposal.organisation_id:
            by_organisation.setdefault(proposal.organisation_id, []).append(proposal)
    for found in by_organisation.values():
        if len(found) > MOST_OF_ONE:
            continue
        for one, other in combinations(found, 2):
            shared = {priority.title for priority in one.priorities.all()} & {
                priority.title for priority in other.priorities.all()
            }
            if shared:
                why = f"same organisation, and both for {', '.join(sorted(shared))}"
                reasons.setdefault(tuple(sorted((one.pk, other.pk))), []).append(why)
    rows = [Overlap(by_pk[one], by_pk[other], tuple(why)) for (one, other), why in reasons.items()]
    return sorted(rows, key=lambda row: (-len(row.why), "alike" not in row.why[0], row.one.reference))


def _covered_priorities(call, by_pk, fundable) -> list[tuple[Priority, int]]:
    counts: dict[int, int] = {}
    for pk in fundable:
        for priority in by_pk[pk].priorities.all() if pk in by_pk else ():
            counts[priority.pk] = counts.get(priority.pk, 0) + 1
    return [(priority, counts.get(priority.pk, 0)) for priority in call.priorities.all()]


def _covered_systems(by_pk, fundable) -> list[Covered]:
    systems = list(System.objects.all())
    answers = dict(Proposal.objects.filter(pk__in=set(fundable) & by_pk.keys()).values_list("pk", "answers"))
    everywhere = {one.code for one in systems}
    team, adopters, agreed = Counter(), Counter(), Counter()
    for proposal in (by_pk[pk] for pk in fundable if pk in by_pk):
        involved = [one for one in (proposal.organisation, *proposal.partners.all()) if one]
        if any(one.serves_all_systems for one in involved):
            team.update(everywhere)
        else:
            team.update({one.system.code for one in involved if one.system})
        adopters.update(questions.systems_named(answers[proposal.pk]))
        agreed.update(questions.systems_named(answers[proposal.pk], agreed=True))
    return [Covered(one, team[one.code], adopters[one.code], agreed[one.code]) for one in systems]


def fundable_of(ranking, call) -> scoring.MoneyLine:
    """What the call's money reaches, going down the published ranking."""
    return scoring.money_line(ranking.ranks, asked=ranking.asked, money=call.money_total)
