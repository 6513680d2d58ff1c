"""All components and form fields in all states on one page, for developers (DEBUG or DEMO only)."""

import datetime as dt

from crispy_forms.layout import Column, Fieldset, Layout, Row
from django import forms
from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils.html import format_html

from psc_portal.common.nhsuk import DateInputField, MaxWordsValidator, MomentInputField, NhsukFormMixin, RevealRadios
from psc_portal.common.registry import KINDS, ThreadItem, ThreadStep

CHOICES = [("acute", "Acute hospital"), ("community", "Community services"), ("other", "Another place")]


class ExampleForm(NhsukFormMixin, forms.Form):
    """One field of each shape."""

    submit_label = "Save and continue"
    secondary_submit = ("draft", "Save and come back later")

    title = forms.CharField(max_length=60, help_text="A short name that people outside your team understand.")
    email = forms.EmailField(label="E-mail address")
    number = forms.IntegerField(label="Number of wards", min_value=1, max_value=99)
    rate = forms.DecimalField(label="Rate", required=False)
    summary = forms.CharField(
        label="Lay summary",
        widget=forms.Textarea,
        max_length=500,
        help_text="Do not write anything that could identify a patient.",
    )
    change = forms.CharField(
        label="What changes for patients?", widget=forms.Textarea, validators=[MaxWordsValidator(50)]
    )
    note = forms.CharField(widget=forms.Textarea({"rows": 3}), required=False)
    setting = forms.ChoiceField(
        choices=CHOICES, widget=RevealRadios(reveals={"other": "other_setting"}), label="Where will it be used?"
    )
    other_setting = forms.CharField(label="Which place?", required=False)
    topics = forms.MultipleChoiceField(
        choices=[("falls", "Falls"), ("delirium", "Delirium")], widget=forms.CheckboxSelectMultiple
    )
    organisation = forms.ChoiceField(choices=[("", "Choose one"), *CHOICES])
    starts_on = DateInputField(label="Start date", help_text="For example, 28 6 2026")
    closes_at = MomentInputField(label="Closing time", help_text="For example, 28 6 2026 5pm. UK time.")
    evidence = forms.FileField(help_text="PDF, Word or Excel, up to 10 MB", required=False)
    password = forms.CharField(widget=forms.PasswordInput)
    agrees = forms.BooleanField(label="My organisation’s board has approved this")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)

    form_layout = Layout(
        Row(Column("title"), Column("email")),
        Fieldset("About the idea", "number", "rate", "summary", "change", "note", "setting", "topics"),
        "organisation",
        "starts_on",
        "closes_at",
        "evidence",
        "password",
        "agrees",
    )


class FilterForm(forms.Form):
    priority = forms.ChoiceField(choices=[("", "All priorities"), ("falls", "Falls")], required=False)
    words = forms.CharField(required=False)


def components(request):
    wrong = {
        "title": "x" * 70,
        "email": "not an address",
        "number": "0",
        "summary": "",
        "change": "word " * 60,
        "setting": "other",
        "starts_on_day": "31",
        "starts_on_month": "2",
        "starts_on_year": "2026",
        "closes_at_day": "1",
        "closes_at_month": "7",
        "closes_at_year": "2026",
        "closes_at_time": "25 o’clock",
    }
    moment = dt.datetime(2026, 6, 28, 16, 0, tzinfo=dt.UTC)
    context = {
        "empty_form": ExampleForm(prefix="empty"),
        "full_form": ExampleForm(
            prefix="full",
            initial={
                "title": "Falls on Ward 7",
                "setting": "other",
                "other_setting": "A hospice",
                "topics": ["falls"],
                "starts_on": moment.date(),
                "closes_at": moment,
                "agrees": True,
            },
        ),
        "wrong_form": ExampleForm(wrong),
        "filter_form": FilterForm(prefix="filter"),
        "moment": moment,
        "typed": "One line\nand the next\n\nA new paragraph",
        "page": Paginator(range(300), 10).get_page(request.GET.get("page", 5)),
        "crumbs": [("Projects", "/projects/"), ("Falls on Ward 7", "")],
        "thread": _thread(),
        "tags": ["blue", "green", "yellow", "red", "grey", "purple", "pink", "orange", "aqua-green", "white"],
        "statuses": [
            ("done", "Decided"),
            ("going", "In review"),
            ("waiting", "Due"),
            ("problem", "Overdue"),
            ("", "Draft"),
        ],
        "facts": [("Stage", "Testing"), ("Started", "28 June 2026"), ("Evidence level", "3 of 5")],
        "rows": [
            {"key": {"text": "Lead organisation"}, "value": {"text": "A hospital with a fairly long name NHS Trust"}},
            {"key": {"text": "Stage"}, "value": {"text": "Testing"}},
        ],
        "heads": [{"text": "Month"}, {"text": "Falls", "format": "numeric"}],
        "cells": [[{"text": "June 2026"}, {"text": "12", "format": "numeric"}]],
        "tasks": [
            {"title": {"text": "Your idea"}, "href": "#", "status": {"text": "Completed"}},
            {"title": {"text": "Evidence"}, "href": "#", "status": {"tag": {"text": "Not started"}}},
        ],
        "svg": format_html(
            '<svg viewBox="0 0 600 120" role="img" aria-label="{}"><path d="M10 90 L150 60 L300 70 L450 30 L590 40" '
            'fill="none" stroke="#005eb8" stroke-width="3"/></svg>',
            "Five points that rise",
        ),
        "snippet": format_html("Fewer <mark>{}</mark> on wards for older people", "falls"),
    }
    return render(request, "developers/components.html", context)


def _thread():
    known = {
        "priority": [ThreadItem("priority", "Older people", "#a")],
        "project": [ThreadItem("project", "Falls on Ward 7", "#b", "testing")],
        "metric": [ThreadItem("metric", "Falls per 1,000 bed days", "#c"), ThreadItem("metric", "Harm", "#d")],
    }
    return [
        ThreadStep(kind, one, many, [] if kind == "project" else known.get(kind, []), is_here=kind == "project")
        for kind, (one, many) in KINDS.items()
    ]
