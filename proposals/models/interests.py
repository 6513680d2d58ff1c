"""Interests that follow from what the portal knows, in the database: `proposals.ties` finds the same and says why."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Func, Q, TextField, Value

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


class InConflictWith(Func):
    """Ids of the proposals in which a person has an interest, to be used as `pk__in`.

    The function (migration 0012) takes the person, the domain of their address where it belongs to one organisation,
    the domains above it, since when work together counts, and today.
    """

    function = "proposals_in_conflict_with"
    template = "(SELECT %(function)s(%(expressions)s))"
    output_field = BigIntegerField()

    def __init__(self, user, **extra):
        domain = identities.own_domain(user.email)
        super().__init__(
            Value(user.pk),
            Value(domain),
            Value(identities.parents(domain), output_field=ArrayField(TextField())),
            Value(dt.datetime.combine(years_ago(), dt.time(), clock.UK)),
            Value(clock.today()),
            **extra,
        )


def affiliations_since(since: dt.date):
    """Where people belong or belonged since a date, confirmed or as they say themselves."""
    return Affiliation.objects.exclude(status=Affiliation.Status.DECLINED).filter(
        Q(to_date__isnull=True) | Q(to_date__gte=since), from_date__lte=clock.today()
    )


def leads_since(since: dt.date):
    return ProjectLead.objects.filter(Q(to_date__isnull=True) | Q(to_date__gte=since), from_date__lte=clock.today())


def projects_since(since: dt.date):
    return Project.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=since)).order_by()
