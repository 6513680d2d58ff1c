"""Open data of calls: what was asked for, how many answered, and what was funded. Nothing else is ever named."""

from dataclasses import replace

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery

from projects.datasets import ORGANISATION, PAGE, PRIORITIES, UPDATED, public_priorities
from proposals.models import Call, Decision, Proposal
from proposals.readings import CallCounts, counts_of_calls
from psc_portal.common.datasets import AT_A_TIME, Column, Dataset, address

SECTION = "Calls for proposals"


def _priorities(relation, row: str):
    shown = public_priorities().order_by().values("pk")
    linked = relation.through.objects.filter(**{row: OuterRef("pk")}, priority__in=shown).order_by("priority__slug")
    return ArraySubquery(linked.values("priority__slug"))


def _calls():
    return (
        Call.objects.published()
        .defer("search", "about", "eligibility")
        .annotate(priority_slugs=_priorities(Call.priorities, "call"))
        .order_by("slug")
    )


def _with_counts():
    """Calls with what the public may know of their proposals, as their pages have it."""
    counts = counts_of_calls(Call.objects.published().order_by().values("pk"))
    for call in _calls().iterator(chunk_size=AT_A_TIME):
        call.counts = counts.get(call.pk, CallCounts())
        yield call


def _of_past(name: str):
    return lambda call: getattr(call.counts, name) if call.is_past else None


def _of_decided(name: str):
    return lambda call: getattr(call.counts, name) if call.is_decided else None


def _funded():
    awards = Decision.objects.filter(
        proposal=OuterRef("pk"), outcome__in=Proposal.FUNDED, letter__released_at__isnull=False
    ).order_by("-decided_at", "-pk")
    return (
        Proposal.objects.public()
        .filter(call__in=Call.objects.published().order_by().values("pk"))
        .select_related("call", "organisation", "project")
        .defer("answers", "search", "named", "interests", "call__search", "organisation__search", "project__search")
        .annotate(
            award=Subquery(awards.values("amount")[:1]), priority_slugs=_priorities(Proposal.priorities, "proposal")
        )
        .order_by("reference")
    )


def _page(proposal) -> str:
    return f"{address(proposal.call.get_absolute_url())}#{proposal.reference}"


DATASETS = [
    Dataset(
        name="calls",
        title="Calls and what came of them",
        summary="Every call for proposals: when it was open, how much money there was, and how many proposals were "
        "received, were eligible and were funded.",
        section=SECTION,
        page="proposals:call_list",
        key=("slug",),
        rows=_with_counts,
        stored=_calls,
        every="When a call opens, closes or is decided",
        notes=(
            "How many were received is told once a call has closed; the rest once everyone has been told the decision.",
            "What was not funded is counted and never named.",
        ),
        columns=(
            Column("slug", "string", "Short name, which never changes", example="safer-discharge-2026", is_always=True),
            Column("title", "string", "What it is called", example="Safer discharge", is_always=True),
            Column("summary", "string", "Who could apply, for what", example="For teams that have made care safer.",
                   is_always=True),
            PRIORITIES,
            Column("opens_at", "datetime", "When it opens", example="2026-05-01T08:00:00Z", is_always=True),
            Column("closes_at", "datetime", "When it closes", example="2026-06-12T11:00:00Z", is_always=True),
            Column("decision_on", "date", "By when everyone was promised a decision", example="2026-09-01",
                   is_always=True),
            Column("status", "string", "How far it is, beside its dates", example="decided", is_always=True,
                   choices={value: label for value, label in Call.Status.choices if value != Call.Status.DRAFT}),
            Column("money_total", "number", "Money to share out", unit="pounds", example="250000", least=0,
                   is_always=True),
            Column("money_per_project", "number", "The most that one proposal could ask for; empty: no limit",
                   unit="pounds", example="50000", least=0),
            Column("reviews_wanted", "integer", "Independent reviews of each proposal", unit="reviews", example="3",
                   least=0, is_always=True),
            Column("is_blind", "boolean", "Whether reviewers did not see who applied", example="false", is_always=True),
            Column("received", "integer", "Proposals that were submitted, also those withdrawn later; empty until the "
                   "call has closed", unit="proposals", example="14", least=0, of=_of_past("received")),
            Column("eligible", "integer", "Those that met the rules of the call; empty until it is decided",
                   unit="proposals", example="12", least=0, of=_of_decided("eligible")),
            Column("funded", "integer", "Those that were funded; empty until the call is decided", unit="proposals",
                   example="4", least=0, of=_of_decided("funded")),
            Column("awarded", "number", "Money awarded in all; empty until the call is decided", unit="pounds",
                   example="187500", least=0, of=_of_decided("awarded")),
            Column("median_days", "integer", "Half of the applicants had their decision within so many days of "
                   "submitting; empty until the call is decided", unit="days", example="71", least=0,
                   of=_of_decided("median_days")),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="funded-proposals",
        title="Funded proposals",
        summary="Each proposal that was funded: by which call, whose it is, what it is about in plain words, how much "
        "it was awarded and which project came of it.",
        section=SECTION,
        page="proposals:call_list",
        key=("reference",),
        rows=_funded,
        every="When a call is decided",
        notes=("Only proposals whose team has been told. Applicants are named as organisations, never as people.",),
        columns=(
            Column("reference", "string", "Reference of the proposal", example="EX-2026-0007", is_always=True),
            Column("call", "string", "Short name of the call", example="safer-discharge-2026", is_always=True,
                   refers_to="calls.slug", of=lambda row: row.call.slug),
            Column("title", "string", "What it is called", example="Fewer falls on the ward", is_always=True),
            Column("lay_summary", "string", "What it is about, in plain words",
                   example="A check on the first day finds who may fall."),
            replace(ORGANISATION, meaning="Short name of the organisation that applied; empty where it is not on the "
                    "register", is_always=False, of=lambda row: row.organisation.slug if row.organisation else None),
            Column("organisation_name", "string", "What that organisation is called",
                   example="Riverside Hospitals NHS Trust", of=lambda row: row.applicant_organisation_name),
            replace(PRIORITIES, of=lambda row: row.priority_slugs),
            Column("awarded", "number", "Money awarded; empty until the call is decided", unit="pounds",
                   example="48000", least=0, of=lambda row: row.award if row.call.is_decided else None),
            Column("project", "string", "Short name of the project that came of it", example="call-dont-fall",
                   refers_to="projects.slug",
                   of=lambda row: row.project.slug if row.project and row.project.is_public else None),
            replace(PAGE, of=_page),
        ),
    ),
]  # fmt: skip
