"""Which people have a tie to which proposals, and why in words.

Access is decided in the database (`models.interests.InConflictWith`), for one person and any proposals; here for many
people and many proposals at once, in a fixed number of queries. A test holds the two to the same edges.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Coalesce

from projects.models import Project
from proposals import identities
from proposals.models import Collaborator, ConflictOfInterest, Proposal
from proposals.models.interests import affiliations_since, leads_since, projects_since, years_ago
from psc_portal.common import clock
from psc_portal.common.templatetags.portal import uk_date

Kind = ConflictOfInterest.Kind


@dataclass(frozen=True)
class Tie:
    proposal: int
    user: int
    kind: str
    why: str

    @property
    def key(self) -> tuple[int, int, str]:
        return self.proposal, self.user, self.kind


@dataclass
class Facts:
    """What is known of the people asked about."""

    users: dict
    since: dt.date
    belongs: dict[int, list] = field(default_factory=lambda: defaultdict(list))  # affiliations by organisation
    named: dict[str, list] = field(default_factory=lambda: defaultdict(list))  # affiliations by plain name
    domains: dict[str, list] = field(default_factory=lambda: defaultdict(list))  # users by own domain
    colleagues: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))  # by user, by other: how
    joined: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))  # by organisation, by user


def found(proposals: Iterable[Proposal], users: Iterable) -> list[Tie]:
    """Every tie between these people and these proposals, one a kind; who wrote a proposal has that tie only."""
    users = {user.pk: user for user in users}
    rows = Proposal.objects.filter(pk__in=[proposal.pk for proposal in proposals]).order_by("pk")
    rows = list(rows.select_related("applicant", "organisation").defer("answers", "search"))
    if not users or not rows:
        return []
    facts = _facts(users)
    partners, writers = _partners(rows), _writers(rows)
    ties = []
    for proposal in rows:
        team = {proposal.applicant_id: proposal.applicant, **writers.get(proposal.pk, {})}
        organisations = [(proposal.organisation, "the lead organisation")] if proposal.organisation else []
        organisations += [(partner, "a partner") for partner in partners.get(proposal.pk, [])]
        ties += [
            Tie(proposal.pk, user, Kind.INVOLVED, "Is on the team that wrote this proposal.")
            for user in team
            if user in users
        ]
        why = defaultdict(dict)  # by user, by kind; what was found first stays
        _belongs(facts, organisations, why)
        _is_named(facts, proposal, why)
        _shares_domain(facts, team, organisations, why)
        _worked_together(facts, proposal, team, why)
        ties += [
            Tie(proposal.pk, user, kind, words)
            for user, kinds in why.items()
            if user not in team
            for kind, words in kinds.items()
        ]
    return ties


def _partners(proposals) -> dict[int, list]:
    rows = Proposal.partners.through.objects.filter(proposal__in=proposals).select_related("organisation")
    partners = defaultdict(list)
    for row in rows.order_by("pk"):
        partners[row.proposal_id].append(row.organisation)
    return partners


def _writers(proposals) -> dict[int, dict]:
    writers = defaultdict(dict)
    for one in Collaborator.objects.current().filter(proposal__in=proposals).select_related("user"):
        writers[one.proposal_id][one.user_id] = one.user
    return writers


# What is known of people ----------------------------------------------------------------------------------------------
def _facts(users) -> Facts:
    facts = Facts(users, years_ago())
    for one in affiliations_since(facts.since).filter(user__in=users).select_related("organisation").order_by("pk"):
        facts.belongs[one.organisation_id].append(one)
        for name in (one.organisation.name, one.organisation.short_name, *one.organisation.former_names):
            plain = identities.plain_words(name)
            if len(plain.strip()) >= identities.SHORTEST_NAME:
                facts.named[plain].append((one, name))
    for user in users.values():
        if domain := identities.own_domain(user.email):
            facts.domains[domain].append(user.pk)
    _note_teams(facts)
    _note_projects(facts)
    return facts


def _note_teams(facts):
    """Who wrote a proposal with whom."""
    accepted = Collaborator.objects.filter(accepted_at__isnull=False).order_by("pk")
    since = dt.datetime.combine(facts.since, dt.time(), clock.UK)
    theirs = accepted.filter(user__in=facts.users).values("proposal")
    proposals = Proposal.objects.annotate(worked_at=Coalesce("submitted_at", "created_at")).filter(
        Q(applicant__in=facts.users) | Q(pk__in=theirs), worked_at__gte=since
    )
    teams, label = defaultdict(set), {}
    for pk, applicant, reference in proposals.order_by("pk").values_list("pk", "applicant", "reference"):
        teams[pk].add(applicant)
        label[pk] = reference or "a draft"
    for pk, user in accepted.filter(proposal__in=teams).values_list("proposal", "user"):
        teams[pk].add(user)
    for pk, team in teams.items():
        for user in team & facts.users.keys():
            for other in team - {user}:
                facts.colleagues[user].setdefault(other, f"Worked on {label[pk]} in the same team as {{name}}.")


def _note_projects(facts):
    """Who led a project with whom, and with which organisations."""
    open_ones = projects_since(facts.since).values("pk")
    leads = leads_since(facts.since)
    led = defaultdict(set)
    for user, project in leads.filter(user__in=facts.users, project__in=open_ones).values_list("user", "project"):
        led[project].add(user)
    projects = {one.pk: one for one in Project.objects.filter(pk__in=led)}
    for user, project in leads.filter(project__in=led).order_by("pk").values_list("user", "project"):
        for lead in led[project] - {user}:
            facts.colleagues[lead].setdefault(user, f"Leads or led the project “{projects[project]}” with {{name}}.")
    joined = Project.partners.through.objects.filter(project__in=led).values_list("project", "organisation")
    for project, organisation in [(one.pk, one.lead_organisation_id) for one in projects.values()] + list(joined):
        for user in led[project]:
            facts.joined[organisation].setdefault(
                user, f"Leads or led the project “{projects[project]}”, in which {{name}} takes part."
            )


# One proposal ---------------------------------------------------------------------------------------------------------
def _belongs(facts, organisations, why):
    for organisation, what in organisations:
        for one in facts.belongs.get(organisation.pk, []):
            words = f"{_times(one)} {organisation.name}, {what} of this proposal."
            why[one.user_id].setdefault(Kind.SAME_ORGANISATION, words)


def _times(affiliation) -> str:
    if affiliation.to_date and affiliation.to_date < clock.today():
        return f"Belonged until {uk_date(affiliation.to_date)} to"
    return "Belongs to" if affiliation.confirmed_by_id else "Says to belong to"


def _is_named(facts, proposal, why):
    if not proposal.named.strip():
        return
    for plain, belongs in facts.named.items():
        if plain in proposal.named:
            for one, name in belongs:
                words = f"{_times(one)} {one.organisation.name}, which the text of this proposal names (“{name}”)."
                why[one.user_id].setdefault(Kind.NAMED, words)


def _shares_domain(facts, team, organisations, why):
    theirs = [
        (identities.own_domain(one.email), f"{one.display_name}, who wrote this proposal") for one in team.values()
    ]
    theirs += [
        (identities.own_domain(one.email_domain), f"{one.name}, {what} of this proposal") for one, what in organisations
    ]
    for domain, whose in theirs:
        for mine, users in facts.domains.items():
            if identities.same_domain(mine, domain):
                for user in users:
                    words = f"Has an e-mail address at {mine}, like {whose}."
                    why[user].setdefault(Kind.SAME_DOMAIN, words)


def _worked_together(facts, proposal, team, why):
    for user, others in facts.colleagues.items():
        for other in team.keys() & others.keys() - {user}:
            why[user].setdefault(Kind.WORKED_TOGETHER, others[other].replace("{name}", team[other].display_name))
    for user, words in facts.joined.get(proposal.organisation_id, {}).items():
        why[user].setdefault(Kind.WORKED_TOGETHER, words.replace("{name}", proposal.organisation.name))
