"""What other pages show of pledges."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q, TextField, Value
from django.urls import reverse

from pledges.models import ImprovementArea, ProgressUpdate, SignUp, Statement
from projects.models import Organisation
from psc_portal.common.registry import News, Source, Strand, ThreadItem, WaitingItem, joined

MOST = 25  # on one page's thread; the wall has them all


def news(since: dt.datetime, limit: int) -> list[News]:
    """Organisations that pledged, and progress that they posted: one query."""
    named = ("sign_up__organisation_name", "sign_up__organisation__slug")
    pledged = (
        SignUp.objects.public()
        .filter(published_at__gte=since)
        .order_by()
        .annotate(what=Value("Pledges published"))
        .values_list("what", "organisation_name", "organisation__slug", "published_at")
    )
    progress = (
        ProgressUpdate.objects.filter(statement__sign_up__status=SignUp.Status.PUBLISHED, at__gte=since)
        .order_by()
        .annotate(what=Value("Progress on pledges"))
        .values_list("what", *(f"statement__{name}" for name in named), "at")
    )
    rows = pledged.union(progress).order_by("-published_at")[:limit]
    return [News(at, what, name, reverse("pledges:organisation", args=[slug])) for what, name, slug, at in rows]


def thread(place, user):
    """Published pledges that hang on a priority by their improvement areas, on a metric by their statements."""
    hangs = {
        "priority": Q(areas__priority=place.pk),
        "metric": Q(statements__metric=place.pk),
        "project": Q(statements__metric__project=place.pk) | Q(statements__metric__in=place.known.get("metric", [])),
    }.get(place.kind, Q(pk__in=[]))
    if place.kind in {"call", "report"}:
        hangs |= Q(statements__metric__in=place.known.get("metric", []))
    if place.known.get("pledge"):
        hangs |= Q(pk__in=place.known["pledge"])
    sign_ups = SignUp.objects.public().filter(hangs).select_related("organisation")
    return [
        ThreadItem("pledge", sign_up.organisation_name, sign_up.get_absolute_url())
        for sign_up in sign_ups.distinct()[:MOST]
    ]


def programme(user):
    """Every published sign-up: it hangs on priorities by its improvement areas, on metrics by its statements."""
    areas = ImprovementArea.objects.filter(sign_up=OuterRef("pk"), priority__isnull=False).order_by()
    measured = Statement.objects.filter(sign_up=OuterRef("pk"), metric__isnull=False).order_by()
    rows = (
        SignUp.objects.public()
        .annotate(on=ArraySubquery(areas.values("priority")), by=ArraySubquery(measured.values("metric")))
        .values_list(
            "pk", "organisation_name", "organisation__slug", "on", "by",
            "organisation__system", "organisation__serves_all_systems",
        )
    )  # fmt: skip
    for pk, name, slug, priorities, metrics, system, is_everywhere in rows:
        yield Strand(
            kind="pledge",
            pk=pk,
            title=name,
            url=reverse("pledges:organisation", args=[slug]),
            priorities=tuple(dict.fromkeys(priorities)),
            metrics=tuple(dict.fromkeys(metrics)),
            systems=None if is_everywhere else frozenset({system}),
        )


def _url(slug: str) -> str:
    return reverse("pledges:organisation", args=[slug])


SOURCES = [
    Source(
        kind="pledge",
        many="Pledges",
        rows=lambda user: SignUp.objects.public(),
        key=F("organisation__slug"),
        url=_url,
        title=joined(Value("Pledges of "), "organisation_name"),
        text=Value("", output_field=TextField()),
        vector=F("organisation__search"),
        changed_at=F("updated_at"),
        priorities="areas__priority",
        organisations=("organisation",),
    ),
    Source(  # the same page by what it says
        kind="pledge",
        many="Pledges",
        rows=lambda user: Statement.objects.filter(sign_up__in=SignUp.objects.public().order_by().values("pk")),
        key=F("sign_up__organisation__slug"),
        url=_url,
        title=joined(Value("Pledges of "), "sign_up__organisation_name"),
        text=F("text"),
    ),
]


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
