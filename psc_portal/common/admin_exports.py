"""Exports of the admin: exactly the rows of the list as it is searched, filtered and ordered, as CSV or XLSX.

A list says its columns; rows are read from one query, value by value, without a model instance. Who sees what is the
list's own question: an export starts from the queryset that the list shows to the same person.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse

from psc_portal.common import audit, clock, export
from psc_portal.common.templatetags.portal import uk_datetime

ROWS_AT_ONCE = 500  # fetched from the database together


@dataclass(frozen=True)
class Column:
    """One column, or several that are read from one value.

    Args:
        heading: what stands above it; a tuple when `read` gives several values.
        source: a field path, or an expression over the list's queryset.
        read: what to make of the value; it is taken as it is if left out.
    """

    heading: str | tuple[str, ...]
    source: object
    read: Callable | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        return (self.heading,) if isinstance(self.heading, str) else self.heading


def labelled(choices) -> Callable:
    """Read a stored choice as its label."""
    labels = dict(choices.choices)
    return lambda value: labels.get(value, value)


def yes_no(value) -> str:
    return "Yes" if value else "No"


def values_of(rows: QuerySet, columns: Sequence[Column]) -> Iterator[list]:
    """The cells of each row, streamed from one query."""
    names = [f"export_{number}" for number in range(len(columns))]
    sources = (F(one.source) if isinstance(one.source, str) else one.source for one in columns)
    values = rows.annotate(**dict(zip(names, sources, strict=True))).values_list(*names)
    plain = [(number, one.read, isinstance(one.heading, tuple)) for number, one in enumerate(columns)]
    with transaction.atomic():  # so that the cursor sends rows as they are found, and all as of one moment
        for found in values.iterator(chunk_size=ROWS_AT_ONCE):
            cells = []
            for number, read, is_several in plain:
                value = found[number] if read is None else read(found[number])
                if is_several:
                    cells.extend(value)
                else:
                    cells.append(value)
            yield cells


class ExportAdmin(admin.ModelAdmin):
    """A list of the admin that can be downloaded."""

    change_list_template = "admin/export_change_list.html"
    export_columns: Callable  # (request) -> list[Column]: a method of each list

    def export_rows(self, request, rows):
        """The rows of the list with what only the export needs."""
        return rows

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        exports = [
            path(f"export.{kind}", self.admin_site.admin_view(self.export_view), {"kind": kind}, name=f"{name}_{kind}")
            for kind in export.FORMATS
        ]
        return exports + super().get_urls()

    def export_view(self, request, kind):
        if not self.has_view_permission(request):
            raise Http404
        try:
            shown = self._list_as_shown(request)
        except (IncorrectLookupParameters, SuspiciousOperation):
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        columns = self.export_columns(request)
        filters = _filters_in_words(shown)
        about = [
            ("What", str(self.opts.verbose_name_plural).capitalize()),
            ("Filter", "; ".join(filters) or "None: all that you may see"),
            ("Made", f"{uk_datetime(clock.now())} by {request.user.display_name}"),
        ]
        audit.record_export(self.model, by=request.user, kind=kind, filters=shown.used_parameters())
        table = export.Table(
            title=about[0][1],
            header=[heading for one in columns for heading in one.headings],
            rows=values_of(self.export_rows(request, shown.queryset), columns),
            about=about,
        )
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        return export.response(table, f"{name}-{clock.today().isoformat()}", kind)

    def _list_as_shown(self, request):
        """The change list with its search, filters and order, without counting or reading a row."""
        changelist = type("Export", (_Uncounted, self.get_changelist(request)), {})
        return changelist(
            request, self.model, self.get_list_display(request), None, self.get_list_filter(request),
            self.date_hierarchy, self.get_search_fields(request), False, self.list_per_page, self.list_max_show_all,
            (), self, self.get_sortable_by(request), self.search_help_text,
        )  # fmt: skip


class _Uncounted:
    def get_results(self, request):
        """Nothing: the rows are read while they are sent."""

    def used_parameters(self) -> dict:
        """What the address asked for, but for free text: the audit trail is never erased."""
        return {
            name: f"({len(value.split())} words)" if name == admin.views.main.SEARCH_VAR else value
            for name, value in self.params.items()
        }


def _filters_in_words(shown) -> list[str]:
    words = [f"search “{shown.query}”"] if shown.query else []
    used = set()
    for spec in shown.filter_specs:
        names = set(spec.expected_parameters()) & shown.params.keys()
        if names:
            used |= names
            chosen = [str(choice["display"]) for choice in spec.choices(shown) if choice.get("selected")]
            words.append(f"{spec.title}: {', '.join(chosen)}")
    ignored = {*admin.views.main.IGNORED_PARAMS, admin.views.main.SEARCH_VAR, *used}
    words += [f"{name}: {value}" for name, value in shown.params.items() if name not in ignored]
    return words
