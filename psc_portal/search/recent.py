"""What is public, by when it last changed: for feeds, digests and the sitemap. One query over every source."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import DateTimeField, Q, TextField, Value
from django.db.models.functions import Cast, Left

from psc_portal.common import registry
from psc_portal.common.highlight import without_markdown
from psc_portal.search.finding import one_of

SUMMARY = 300  # characters


@dataclass(frozen=True)
class Item:
    kind: str
    one: str  # what its kind is called
    title: str
    summary: str
    url: str
    at: dt.datetime


def recent(
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    kind: str = "",
    priorities: Sequence[int] = (),
    organisations: Sequence[int] = (),
    limit: int,
) -> list[Item]:
    """What visitors may see that changed after `since` and not after `until`, the newest first.

    With priorities or organisations only what belongs to one of them.
    """
    parts, params = [], []
    for number, source in enumerate(registry.sources):
        if source.changed_at is None or (kind and source.kind != kind):
            continue
        belongs = _belongs(source, priorities, organisations)
        if belongs is None:
            continue
        rows = source.rows(AnonymousUser()).order_by().filter(belongs)
        rows = rows.annotate(
            item_source=Value(number),
            item_key=Cast(source.key, TextField()),
            item_title=Cast(source.title, TextField()),
            item_text=Left(Cast(source.text, TextField()), 2 * SUMMARY),
            item_at=Cast(source.changed_at, DateTimeField()),
        )
        rows = rows.filter(item_at__gt=since) if since else rows
        rows = rows.filter(item_at__lte=until) if until else rows
        columns = ("item_source", "item_key", "item_title", "item_text", "item_at")
        try:
            sql, given = rows.values_list(*columns).distinct().query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"({sql})")
        params += given
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 5 DESC, 1, 2 LIMIT %s", [*params, limit])
        found = cursor.fetchall()
    return list(_items(found))


def _belongs(source, priorities, organisations) -> Q | None:
    if not priorities and not organisations:
        return Q()
    ways = [Q(**{f"{source.priorities}__in": list(priorities)})] if priorities and source.priorities else []
    ways += [Q(**{f"{path}__in": list(organisations)}) for path in source.organisations if organisations]
    if not ways:
        return None
    either = ways[0]
    for way in ways[1:]:
        either |= way
    return either


def _items(found) -> Iterator[Item]:
    for number, key, title, text, at in found:
        source = registry.sources[number]
        words = without_markdown(source.said(text or ""))
        summary = words if len(words) <= SUMMARY else f"{words[:SUMMARY].rsplit(' ', 1)[0]}…"
        yield Item(source.kind, one_of(source), source.said(title), summary, source.url(key), at)


def addresses() -> list[tuple[str, dt.datetime]]:
    """Each public page with its day of change, for the sitemap."""
    return [(item.url, item.at) for item in recent(limit=1_000_000)]
