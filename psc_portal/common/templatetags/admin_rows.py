"""The rows of a list of the admin, made column by column.

Django's own tag asks for each cell anew what kind of column it stands in and for each link where it leads; here that is
found once a page. The markup is the same, headings included; forms inside a list (`list_editable`) are not supported.
"""

import datetime as dt
from collections.abc import Callable

from django import template
from django.contrib.admin.templatetags.admin_list import _coerce_field_name, result_headers
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_field, display_for_value, lookup_field
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.inclusion_tag("admin/change_list_results.html")
def list_rows(cl):
    headers = list(result_headers(cl))
    return {
        "cl": cl,
        "result_hidden_fields": [],
        "result_headers": headers,
        "num_sorted_fields": sum(header["sortable"] and header["sorted"] for header in headers),
        "results": _rows(cl),
    }


def _rows(cl) -> list[list[str]]:
    columns = [_column(cl, name, index) for index, name in enumerate(cl.list_display)]
    linked = [name in cl.list_display_links for name in cl.list_display] if cl.list_display_links else []
    linked = linked or [index == 0 and cl.list_display_links is not None for index in range(len(columns))]
    rows = []
    for row in cl.result_list:
        cells, url, is_first = [], "", True
        for (name, shown), is_linked in zip(columns, linked, strict=True):
            text, nowrap = shown(row)
            css = f' class="field-{name}{" nowrap" if nowrap else ""}"'
            if is_linked:
                url = url or conditional_escape(_url(cl, row))
                tag, is_first = ("th" if is_first else "td"), False
                cells.append(SafeString(f'<{tag}{css}><a href="{url}">{text}</a></{tag}>'))
            else:
                cells.append(SafeString(f"<td{css}>{text}</td>"))
        rows.append(_Row(cells))
    return rows


class _Row(list):
    form = None  # what the stock template asks for


def _url(cl, row) -> str:
    filters = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}
    return add_preserved_filters(filters, cl.url_for_result(row))


def _column(cl, field_name, index) -> tuple[str, Callable]:
    """The name of a column, and a function that gives for a row its escaped text and whether it must not wrap."""
    admin, name = cl.model_admin, _coerce_field_name(field_name, index)
    empty = admin.get_empty_value_display()
    method = getattr(admin, field_name, None) if isinstance(field_name, str) else None
    if callable(method) and not getattr(method, "boolean", False):
        nothing = getattr(method, "empty_value_display", empty)
        return name, lambda row: _value(method(row), nothing)
    try:
        field = cl.model._meta.get_field(field_name)
    except FieldDoesNotExist:
        field = None
    if field is not None and field.choices:
        labels = {value: conditional_escape(label) for value, label in field.flatchoices}
        return name, lambda row: (labels.get(getattr(row, field.attname), empty), False)
    return name, lambda row: _stock(admin, field_name, row, empty)


def _value(value, empty) -> tuple[str, bool]:
    if type(value) is str:  # the usual case first
        return (conditional_escape(value) if value else format_html("{}", empty)), False
    shown = display_for_value(value, empty, False)
    return conditional_escape(shown), isinstance(value, dt.date | dt.time)


def _stock(admin, field_name, row, empty) -> tuple[str, bool]:
    try:
        field, attr, value = lookup_field(field_name, row, admin)
    except ObjectDoesNotExist:
        return conditional_escape(empty), False
    if field is None or field.auto_created:
        return conditional_escape(display_for_value(value, empty, getattr(attr, "boolean", False))), False
    if isinstance(field.remote_field, models.ManyToOneRel):
        return conditional_escape(empty if value is None else value), isinstance(field, models.ForeignKey)
    nowrap = isinstance(field, models.DateField | models.TimeField)
    return conditional_escape(display_for_field(value, field, empty)), nowrap
