"""The text of pages and documents as HTML: placeholders filled in, tables that can be read on a phone."""

import re
from itertools import cycle

from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from psc_portal.common.markdown import render_markdown
from psc_portal.content.placeholders import filled_in_markdown

TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
HEADING = re.compile(r"<th[^>]*>(.*?)</th>", re.DOTALL)


def prose(text: str) -> SafeString:
    html = render_markdown(filled_in_markdown(text))
    return mark_safe(TABLE.sub(_responsive, html))  # noqa: S308  sanitised; only fixed markup and its own words are added


def _responsive(match) -> str:
    """NHS.UK's responsive table: on a phone each cell names its column."""
    table = match[0]
    headings = [strip_tags(heading) for heading in HEADING.findall(table)]
    if not headings:
        return table
    names = cycle(headings)
    table = table.replace("<table>", '<table role="table" class="nhsuk-table-responsive">')
    table = table.replace("<thead>", '<thead role="rowgroup" class="nhsuk-table__head">')
    table = table.replace("<tbody>", '<tbody class="nhsuk-table__body">')
    table = re.sub(r"<th [^>]*>", '<th role="columnheader" scope="col">', table)
    table = table.replace("<tr>", '<tr role="row" class="nhsuk-table__row">')
    return re.sub(
        r"<td>(.*?)</td>",
        lambda cell: (
            '<td role="cell" class="nhsuk-table__cell"><span class="nhsuk-table-responsive__heading" '
            f'aria-hidden="true">{next(names)} </span>{cell[1]}</td>'
        ),
        table,
        flags=re.DOTALL,
    )
