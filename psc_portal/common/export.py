"""CSV downloads: streamed, safe to open in a spreadsheet, marked where the data is for demonstration."""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence

from django.http import StreamingHttpResponse

from psc_portal.common import demonstration

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?%?\Z")


class _Echo:
    def write(self, line):
        return line


def safe_cell(value):
    """Text that a spreadsheet would take for a formula gets a leading quote; numbers stay numbers.

    Source: OWASP ASVS 5.0, 1.2.10.
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, str) and value[:1] in "=+-@\t\r\0\n" and value and not NUMBER.match(value):
        return "'" + value
    return value


def csv_lines(header: Sequence[str], rows: Iterable[Sequence]) -> Iterable[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # tells Excel that this is UTF-8
    if demonstration.is_demonstration():
        yield writer.writerow([demonstration.SENTENCE])
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        csv_lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
