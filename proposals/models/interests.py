"""Interests that follow from what the portal knows, in the database: `proposals.ties` finds the same and says why."""

import datetime as dt

from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, TextField
from django.db.models.functions import Coalesce

from projects.models import Affiliation, Project, ProjectLead
from proposals import identities
from psc_portal.common import clock

YEARS = 5  # as research funders ask: work together in the past five years is an interest


def years_ago() -> dt.date:
    today = clock.today()
    return today.replace(year=today.year - YEARS, day=28 if (today.month, today.day) == (2, 29) else today.day)


class PlainWords(Func):
    """Words of a text as `identities.plain_words` gives them."""

    function = "proposals_plain_words"
    output_field = TextField()


class Names(Func):
    """Whether plain words name an organisation: arguments words, name, short name, former names."""

    function = "proposals_names"
    output_field = BooleanField()


def affiliations_since(since: dt.date):
    """Where people belong or belonged since a date, confirmed or as they say themselves."""
    return Affiliation.objects.exclude(status=Affiliation.Status.DECLINED).filter(
        Q(to_date__isnull=True) | Q(to_date__gte=since), from_date__lte=clock.today()
    )


def leads_since(since: dt.date):
    return ProjectLead.objects.filter(Q(to_date__isnull=True) | Q(to_date__gte=since), from_date__lte=clock.today())


def projects_since(since: dt.date):
    return Project.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=since)).order_by()


def ties_of(user) -> dict[str, Q]:
    """By kind of conflict: which proposals the user has such a tie to."""
    from proposals.models.drafts import Collaborator, Proposal
    from proposals.models.reviews import ConflictOfInterest

    kinds = ConflictOfInterest.Kind
    since = years_ago()
    belongs = affiliations_since(since).filter(user=user).order_by()
    teams = Collaborator.objects.filter(accepted_at__isnull=False).order_by()

    def with_partner(organisations):
        return Q(pk__in=Proposal.partners.through.objects.filter(organisation__in=organisations).values("proposal"))

    organisations = belongs.values("organisation")
    named = belongs.filter(
        Names(
            OuterRef("named"),
            F("organisation__name"),
            F("organisation__short_name"),
            F("organisation__former_names"),
        )
    )
    ties = {
        kinds.SAME_ORGANISATION: Q(organisation__in=organisations) | with_partner(organisations),
        kinds.NAMED: Exists(named),
    }
    if domain := identities.own_domain(user.email):
        same = _addresses("applicant__email", domain) | Q(
            pk__in=teams.filter(_addresses("user__email", domain), left_at__isnull=True).values("proposal")
        )
        same |= _domains("organisation__email_domain", domain)
        same |= Q(
            pk__in=Proposal.partners.through.objects.filter(_domains("organisation__email_domain", domain)).values(
                "proposal"
            )
        )
        ties[kinds.SAME_DOMAIN] = same
    moment = dt.datetime.combine(since, dt.time(), clock.UK)
    mine = (
        Proposal.objects.annotate(worked_at=Coalesce("submitted_at", "created_at"))
        .filter(Q(applicant=user) | Q(pk__in=teams.filter(user=user).values("proposal")), worked_at__gte=moment)
        .order_by()
    )
    led = leads_since(since).filter(user=user, project__in=projects_since(since).values("pk")).values("project")
    together = [
        mine.values("applicant"),
        teams.filter(proposal__in=mine.values("pk")).values("user"),
        leads_since(since).filter(project__in=led).values("user"),
    ]
    worked = Q()
    for people in together:
        worked |= Q(applicant__in=people) | Q(
            pk__in=teams.filter(user__in=people, left_at__isnull=True).values("proposal")
        )
    worked |= Q(organisation__in=Project.objects.filter(pk__in=led).order_by().values("lead_organisation"))
    worked |= Q(organisation__in=Project.partners.through.objects.filter(project__in=led).values("organisation"))
    ties[kinds.WORKED_TOGETHER] = worked
    return ties


def _addresses(name, domain) -> Q:
    """E-mail addresses of a domain, of one within it, or of one above it."""
    found = Q(**{f"{name}__iendswith": f"@{domain}"}) | Q(**{f"{name}__iendswith": f".{domain}"})
    for parent in identities.parents(domain):
        found |= Q(**{f"{name}__iendswith": f"@{parent}"})
    return found


def _domains(name, domain) -> Q:
    return Q(**{f"{name}__in": [domain, *identities.parents(domain)]}) | Q(**{f"{name}__iendswith": f".{domain}"})
