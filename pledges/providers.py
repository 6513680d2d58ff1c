"""What other pages show of pledges."""

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, Q
from django.urls import reverse

from pledges.models import SignUp, Statement
from projects.models import Organisation
from psc_portal.common.highlight import headline, marked
from psc_portal.common.registry import SearchHit, ThreadItem, WaitingItem

MOST = 25  # on one page's thread; the wall has them all


def thread(place, user):
    """Published pledges that hang on a priority by their improvement areas, on a metric by their statements."""
    hangs = {
        "priority": Q(areas__priority=place.pk),
        "metric": Q(statements__metric=place.pk),
        "project": Q(statements__metric__project=place.pk) | Q(statements__metric__in=place.known.get("metric", [])),
    }.get(place.kind, Q(pk__in=[]))
    if place.known.get("pledge"):
        hangs |= Q(pk__in=place.known["pledge"])
    sign_ups = SignUp.objects.public().filter(hangs).select_related("organisation")
    return [
        ThreadItem("pledge", sign_up.organisation_name, sign_up.get_absolute_url())
        for sign_up in sign_ups.distinct()[:MOST]
    ]


def search(query, user, limit):
    """Published statements with these words, the best one of each organisation; also found by the organisation."""
    terms = SearchQuery(query, config="english", search_type="websearch")
    found = (
        Statement.objects.filter(
            Q(search=terms) | Q(sign_up__organisation_name__icontains=query), sign_up__status=SignUp.Status.PUBLISHED
        )
        .annotate(rank=SearchRank(F("search"), terms), snippet=headline("text", terms))
        .select_related("sign_up__organisation")
        .defer("search", "text")
        .order_by("-rank", "pk")
    )
    hits = {}
    for statement in found[: limit * 5]:
        sign_up = statement.sign_up
        if sign_up.pk not in hits and len(hits) < limit:
            hits[sign_up.pk] = SearchHit(
                "pledge", str(sign_up), sign_up.get_absolute_url(), marked(statement.snippet), statement.rank
            )
    return list(hits.values())


def waiting(user):
    """For members: what came back or was begun, and updates due. For staff: what is to be checked."""
    if not user.is_authenticated:
        return []
    return [*_waiting_for_member(user), *(_waiting_for_staff() if user.is_programme_staff else [])]


def _waiting_for_member(user):
    mine = SignUp.objects.filter(
        Q(signatory=user, status__in=SignUp.EDITABLE) | Q(organisation__in=Organisation.objects.of_member(user))
    ).live()
    for sign_up in mine.with_last_update().select_related("organisation"):
        if sign_up.is_editable:
            note = "Returned for changes" if sign_up.status == SignUp.Status.RETURNED else "Draft, not submitted yet"
            yield WaitingItem(str(sign_up), sign_up.get_edit_url(), note, section="Pledges")
        elif (freshness := sign_up.freshness) and freshness.needs_update:
            yield WaitingItem(
                f"Post progress for {sign_up.organisation_name}",
                sign_up.get_absolute_url(),
                freshness.label,
                due=freshness.overdue_on,
                section="Pledges",
            )


def _waiting_for_staff():
    for sign_up in SignUp.objects.to_moderate().order_by("updated_at"):
        yield WaitingItem(
            str(sign_up),
            reverse("admin:pledges_signup_change", args=[sign_up.pk]),
            f"Check and publish for {settings.COLLABORATIVE['short_name']}",
            section="Pledges to check",
        )
