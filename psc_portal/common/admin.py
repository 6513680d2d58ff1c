"""Admin pages whose every change is an action.

In stock admin a refusal in `save_model` is a 500, an unseen row a redirect and a missing permission a 403. Here rows
are read-only; what can be done with one is a verb: a form (or a plain question), then a function of actions.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from inspect import signature

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.db.models import Count, Window
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import format_html

from psc_portal.common import registry
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused


def is_programme_staff(user, obj=None) -> bool:
    return user.is_programme_staff


@dataclass(frozen=True)
class Verb:
    """Something that can be done with a row of the admin, or (as `add`) that makes one."""

    name: str
    action: Callable
    label: str
    form: type | None = None
    permission: Callable = is_programme_staff  # (user, obj) -> bool; for add: (user) -> bool
    when: Callable | None = None  # obj -> bool: whether the button makes sense now
    initial: Callable | None = None  # obj -> dict
    form_kwargs: Callable | None = None  # (request, obj) -> dict
    context: Callable | None = None  # (request, obj) -> dict, for a template of one's own
    intro: str | Callable = ""  # a sentence above the form; may depend on the row
    success: str | Callable = ""  # or (obj, result) -> str
    template: str = "admin/verb_form.html"
    success_url: Callable | None = None  # (obj, result) -> url; the row's page if left out
    extra: dict = field(default_factory=dict)  # further keywords for the action

    def is_offered(self, user, obj) -> bool:
        return self.permission(user, obj) and (self.when is None or self.when(obj))


def verb(name: str, *, action: Callable, label: str = "", **options) -> Verb:
    return Verb(name=name, action=action, label=label or name.replace("_", " ").capitalize(), **options)


def keyword_of(model) -> str:
    """What actions call a row of `model`: the class name in snake case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


class PageList(ChangeList):
    """A list that reads only the columns it shows, and works out figures for the rows of the page, not for all."""

    def get_queryset(self, request, exclude_parameters=None):
        rows = super().get_queryset(request, exclude_parameters)
        return rows.only(*self.model_admin.list_only) if self.model_admin.list_only else rows

    def get_results(self, request):
        if self.show_all or self.page_num < 1:
            super().get_results(request)
        else:
            self._read_page(request)
        self.result_list = self.model_admin.with_figures(request, list(self.result_list))

    def _read_page(self, request):
        """The rows of the page, and how many there are in all, from one query: who sees what is asked once."""
        first = (self.page_num - 1) * self.list_per_page
        counted = self.queryset.annotate(rows_in_all=Window(Count("*")))
        rows = list(counted[first : first + self.list_per_page])
        if not rows and first:
            raise IncorrectLookupParameters
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.paginator.count = self.result_count = rows[0].rows_in_all if rows else 0
        self.result_list = rows
        self.multi_page = self.result_count > self.list_per_page
        self.can_show_all = self.result_count <= self.list_max_show_all
        self.show_full_result_count, self.full_result_count, self.show_admin_actions = False, None, True


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that the admin shows and never changes; what one may not see is a 404."""

    list_only: list[str] = []  # the columns that the list reads; all if left out
    list_per_page = 50
    show_full_result_count = False
    actions = None
    change_form_template = "admin/action_change_form.html"

    def can_view(self, request, obj=None) -> bool:
        return request.user.is_programme_staff

    def has_module_permission(self, request):
        return request.user.is_authenticated and self.can_view(request)

    def has_view_permission(self, request, obj=None):
        return self.can_view(request, obj)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def lookup_allowed(self, lookup, value, request):
        """Only what the list offers as a filter: stock admin takes any column of the table from the address, and
        by counting rows one reads there what no page shows."""
        filters = self.get_list_filter(request)
        if lookup in {getattr(one, "parameter_name", None) for one in filters}:  # a filter of its own making
            return super().lookup_allowed(lookup, value, request)
        name = lookup.split("__")[0]
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            return super().lookup_allowed(lookup, value, request)
        offered = [one[0] if isinstance(one, tuple) else one for one in filters]
        offered += [self.date_hierarchy]
        is_offered = name in {one.split("__")[0] for one in offered if isinstance(one, str)}
        return is_offered and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request, **kwargs):
        return PageList

    def with_figures(self, request, rows: list) -> list:
        """The rows of one page of the list, with what a query for all of them together says of each."""
        return rows

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise Http404

    def add_view(self, request, form_url="", extra_context=None):
        raise Http404

    def delete_view(self, request, object_id, extra_context=None):
        raise Http404

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise Http404
        return super().changelist_view(request, extra_context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except PermissionDenied:
            raise Http404

    def history_view(self, request, object_id, extra_context=None):
        try:
            return super().history_view(request, object_id, extra_context)
        except PermissionDenied:
            raise Http404


class ActionAdmin(ReadOnlyAdmin):
    add: Verb | None = None
    verbs: list[Verb] = []

    def has_add_permission(self, request):
        return self.add is not None and self._may(self.add, request.user)

    @staticmethod
    def _may(one: Verb, user) -> bool:
        """An add verb's permission may be written for a user alone."""
        return one.permission(user) if len(signature(one.permission).parameters) == 1 else one.permission(user, None)

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        mine = [
            path(
                f"<path:object_id>/{one.name}/",
                self.admin_site.admin_view(partial(self.verb_view, one=one)),
                name=f"{name}_{one.name}",
            )
            for one in self.verbs
        ]
        return mine + super().get_urls()

    def verb_url(self, one: Verb, obj) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{one.name}", args=[obj.pk])

    def verb_links(self, request, obj) -> list[tuple[str, str]]:
        return [(one.label, self.verb_url(one, obj)) for one in self.verbs if one.is_offered(request.user, obj)]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        context = {"verb_links": self.verb_links(request, obj), "title": str(obj), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise Http404
        return self._answer(request, self.add, None)

    def row_of_verb(self, request, object_id, one: Verb):
        """The row that the address of a verb names. The verb's permission is asked after this."""
        return self.get_object(request, object_id)

    def verb_view(self, request, object_id, one: Verb):
        obj = self.row_of_verb(request, unquote(object_id), one)
        if obj is None or not self.has_view_permission(request, obj) or not one.permission(request.user, obj):
            raise Http404
        return self._answer(request, one, obj)

    def _answer(self, request, one: Verb, obj):
        form = self._form(request, one, obj)
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                return self._act(request, one, obj, form)
            except PermissionDenied:
                raise Http404
            except ActionRefused as refusal:
                if form is None:
                    messages.error(request, str(refusal))
                    return HttpResponseRedirect(self._row_url(obj))
                form.refusal = refusal  # for a page that shows more of it than the sentence
                form.add_error(None, str(refusal))
        return self._page(request, one, obj, form)

    def _form(self, request, one: Verb, obj):
        if one.form is None:
            return None
        kwargs = one.form_kwargs(request, obj) if one.form_kwargs else {}
        if one.initial and obj is not None:
            kwargs.setdefault("initial", one.initial(obj))
        if request.method == "POST":
            kwargs |= {"data": request.POST, "files": request.FILES}
        return one.form(**kwargs)

    def _act(self, request, one: Verb, obj, form):
        values = dict(form.cleaned_data) if form else {}
        if obj is not None:
            values[keyword_of(self.model)] = obj
        result = one.action(**values, **one.extra, by=request.user)
        shown = obj if obj is not None else result
        success = one.success(obj, result) if callable(one.success) else one.success
        messages.success(request, success or f"{one.label}: done for “{shown}”.")
        if one.success_url:
            return HttpResponseRedirect(one.success_url(obj, result))
        return HttpResponseRedirect(self._row_url(shown))

    def _row_url(self, obj) -> str:
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        if isinstance(obj, self.model) and isinstance(obj, models.Model):
            return reverse(f"admin:{model}_change", args=[obj.pk])
        return reverse(f"admin:{model}_changelist")

    def _page(self, request, one: Verb, obj, form):
        context = {
            **self.admin_site.each_context(request),
            "title": one.label if obj is None else f"{one.label}: {obj}",
            "opts": self.opts,
            "form": form,
            "subject": obj,
            "verb": one,
            "intro": one.intro(obj) if callable(one.intro) else one.intro,
            "back_url": self._row_url(obj),
            **(one.context(request, obj) if one.context else {}),
        }
        return TemplateResponse(request, one.template, context)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "verb", "subject_type", "subject_id"]
    list_filter = ["verb", "subject_type"]
    list_select_related = ["by"]
    date_hierarchy = "at"
    readonly_fields = ["values_shown"]

    def get_fields(self, request, obj=None):
        is_confidential = obj is not None and obj.subject_type in registry.confidential
        values = ["values_shown"] if is_confidential else ["before", "after"]
        return ["at", "by", "verb", "subject_type", "subject_id", *values]

    @admin.display(description="before and after")
    def values_shown(self, event):
        kept = (
            "Kept, and not shown here: whoever has an interest in the proposal, or is still to review it, must not "
            "read it."
        )
        try:
            url = reverse(f"admin:{event.subject_type.replace('.', '_')}_change", args=[event.subject_id])
        except NoReverseMatch:
            return f"{kept} Those who may will find it with the proposal."
        return format_html('{} Those who may will find it on <a href="{}">the page of what was changed</a>.', kept, url)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Whether things leave. Not to whom and not what about: a mail tells its reader alone."""

    list_display = ["pk", "kind", "key", "task", "status", "created_at", "sent_at", "attempts", "problem"]
    list_filter = ["kind", "status"]
    fields = ["kind", "key", "task", "arguments", "status", "created_at", "sent_at", "attempts", "next_attempt_at",
              "problem"]  # fmt: skip
    readonly_fields = ["problem"]

    @admin.display(description="error")
    def problem(self, message):
        """Of a mail what kind of error: a mail server repeats the address that it refuses."""
        is_mail = message.kind == OutboxMessage.Kind.MAIL
        return message.error.partition(":")[0] if is_mail else message.error
