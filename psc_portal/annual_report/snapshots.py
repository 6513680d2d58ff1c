"""What a report knows of the year, as plain values: collected from the live data, kept as canonical JSON.

Names that end in `_on` are dates and in `_at` moments, both in ISO form; in `_pounds` an amount. Only what the public
may see is collected. What happened after the report's data cut is left out.
"""

import datetime as dt
import json
from collections import Counter

from django.conf import settings
from django.db.models import Prefetch

from measurement import readings
from measurement.models import Metric
from pledges.freshness import freshness
from pledges.models import ProgressUpdate, SignUp
from projects.models import CareSetting, Priority, Project
from proposals.models import Call, Decision, Proposal
from psc_portal.annual_report import figures as named_figures
from psc_portal.annual_report import glossary, placeholders
from psc_portal.annual_report.models import Mention, Section
from psc_portal.common import clock, demonstration

FORMAT = 2  # of the snapshot; grows when a key changes its meaning


def canonical(data: dict) -> str:
    """One text for equal data: sorted keys, no spare blanks, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def collect(report, sections, *, frozen_at: dt.datetime | None = None) -> dict:
    """Everything that the report says, with its numbers up to the data cut. `frozen_at` is None for a preview."""
    year = Year(report)
    metrics = collect_metrics(year)
    projects = collect_projects(year, metrics)
    data = {
        "format": FORMAT,
        "collaborative": settings.COLLABORATIVE,
        "portal_url": settings.PORTAL_URL,
        "demonstration": demonstration.SENTENCE if demonstration.is_demonstration() else "",
        "year": report.year,
        "year_label": report.year_label,
        "starts_on": report.year_start.isoformat(),
        "ends_on": report.year_end.isoformat(),
        "data_cut_on": report.data_cut_on.isoformat(),
        "frozen_at": frozen_at.isoformat() if frozen_at else None,
        "sections": [collect_section(section) for section in sections if not section.is_left_out],
        "priorities": collect_priorities(projects, metrics),
        "projects": projects,
        "metrics": metrics,
        "calls": collect_calls(year),
        "pledges": collect_pledges(year),
    }
    named = named_figures.all_of(data)
    data["figures"] = figures(data, named)
    data["glossary"] = glossary.used_in(data)
    data["sections"] = [filled(section, named) for section in data["sections"]]
    data["named_figures"] = {reference: figure.shown for reference, figure in named.items()}
    return data


def figures_now(report) -> dict[str, named_figures.Figure]:
    """The figures of a report that is being written, from the live data."""
    return named_figures.all_of(collect(report, []))


class Year:
    """The days that a report is about."""

    def __init__(self, report):
        self.starts_on, self.cut_on = report.year_start, report.data_cut_on
        self.starts_at = dt.datetime.combine(self.starts_on, dt.time.min, clock.UK)
        after = self.cut_on + dt.timedelta(days=1)
        self.cut_at = dt.datetime.combine(after, dt.time.min, clock.UK)  # the first moment that is out


def anchor_of(section) -> str:
    if section.kind == Section.Kind.PRIORITY:
        return f"priority-{section.priority.slug}"
    return section.kind.replace("_", "-")


def collect_section(section) -> dict:
    return {
        "kind": section.kind,
        "anchor": anchor_of(section),
        "heading": section.heading,
        "text": section.text,
        "priority": section.priority.slug if section.priority else None,
    }


def collect_priorities(projects, metrics) -> list[dict]:
    return [
        {
            "pk": priority.pk,
            "slug": priority.slug,
            "title": priority.title,
            "is_must_do": priority.is_must_do,
            "summary": priority.summary,
            "why_chosen": priority.why_chosen,
            "source": priority.source,
            "projects": [project["slug"] for project in projects if priority.slug in project["priorities"]],
            "metrics": [metric["code"] for metric in metrics if metric["priority"] == priority.slug],
        }
        for priority in Priority.objects.current()
    ]


def stage_on(project, moment) -> str:
    """The stage the project was in just before `moment`, by its history."""
    changes = project.status_changes.all()  # oldest first
    before = [change for change in changes if change.at < moment]
    if before:
        return before[-1].to_status
    return changes[0].from_status if changes else project.status


def collect_projects(year, metrics) -> list[dict]:
    stages, settings_of_care = dict(Project.Status.choices), dict(CareSetting.choices)
    projects = (
        Project.objects.filter(is_public=True, created_at__lt=year.cut_at)
        .select_related("lead_organisation")
        .prefetch_related("partners", "priorities", "status_changes")
    )
    collected = []
    for project in projects:
        stage = stage_on(project, year.cut_at)
        collected.append(
            {
                "pk": project.pk,
                "slug": project.slug,
                "title": project.title,
                "lay_summary": project.lay_summary,
                "aim": project.aim,
                "stage": stage,
                "stage_label": stages[stage],
                "lead": project.lead_organisation.name,
                "partners": [partner.name for partner in project.partners.all()],
                "care_settings": [settings_of_care[name] for name in project.care_settings],
                "priorities": [priority.slug for priority in project.priorities.all()],
                "metrics": [metric["code"] for metric in metrics if metric["project"] == project.slug],
                "from_call": project.origin == Project.Origin.CALL,
                "evidence_level": project.evidence_level,
                "evidence_label": project.get_evidence_level_display(),
                "result": project.result,
                "what_did_not_work": project.what_did_not_work,
                "stopped_reason": project.stopped_reason,
                "is_new": project.created_at >= year.starts_at,
            }
        )
    order = list(stages)
    return sorted(collected, key=lambda project: (order.index(project["stage"]), project["title"]))


def collect_metrics(year) -> list[dict]:
    metrics = list(
        Metric.objects.filter(is_public=True)
        .in_plan_order()
        .select_related("priority", "project")
        .prefetch_related("versions")
    )
    collected = []
    of_the_year = readings.readings_of(metrics, audience="public", until=year.cut_on)
    for metric, reading in zip(metrics, of_the_year, strict=True):
        version = metric.version
        collected.append(
            {
                "pk": metric.pk,
                "code": metric.code,
                "name": metric.name,
                "kind_label": metric.get_kind_display(),
                "dimension_label": metric.get_dimension_display(),
                "direction_label": metric.get_direction_display(),
                "unit": metric.unit,
                "frequency_label": metric.get_frequency_display(),
                "priority": metric.priority.slug if metric.priority else None,
                "project": metric.project.slug if metric.project and metric.project.is_public else None,
                "why_it_matters": metric.why_it_matters,
                "definition": version.operational_definition if version else "",
                "numerator": version.numerator if version else "",
                "denominator": version.denominator if version else "",
                "exclusions": version.exclusions if version else "",
                "source": version.source if version else "",
                "reading": reading.as_json(),
            }
        )
    return collected


def collect_calls(year) -> list[dict]:
    told = Decision.objects.filter(outcome__in=Proposal.FUNDED, letter__released_at__lt=year.cut_at)
    funded = (
        Proposal.objects.public()
        .filter(pk__in=told.values("proposal"))
        .select_related("organisation", "project")
        .prefetch_related(Prefetch("decisions", told, to_attr="awards"))
        .order_by("title", "pk")
    )
    calls = (
        Call.objects.published()
        .filter(opens_at__lt=year.cut_at, closes_at__gte=year.starts_at)
        .prefetch_related(
            "priorities",
            Prefetch("proposals", Proposal.objects.filter(submitted_at__lt=year.cut_at), to_attr="received"),
            Prefetch("proposals", funded, to_attr="funded"),
        )
        .order_by("opens_at", "pk")
    )
    return [
        {
            "pk": call.pk,
            "slug": call.slug,
            "title": call.title,
            "summary": call.summary,
            "opens_at": call.opens_at.isoformat(),
            "closes_at": call.closes_at.isoformat(),
            "priorities": [priority.slug for priority in call.priorities.all()],
            "received": len(call.received),
            "eligible": sum(proposal.status in Proposal.ELIGIBLE for proposal in call.received),
            "is_decided": call.status in (Call.Status.DECIDED, Call.Status.ARCHIVED) or bool(call.funded),
            "funded": [collect_award(proposal) for proposal in call.funded],
        }
        for call in calls
    ]


def collect_award(proposal) -> dict:
    amount = proposal.awards[-1].amount
    project = proposal.project
    return {
        "title": proposal.title,
        "organisation": proposal.applicant_organisation_name,
        "lay_summary": proposal.lay_summary,
        "amount_pounds": str(amount) if amount is not None else None,
        "project": project.slug if project and project.is_public else None,
    }


def collect_pledges(year) -> list[dict]:
    updates = ProgressUpdate.objects.filter(made_on__lte=year.cut_on).order_by("made_on", "pk")
    sign_ups = (
        SignUp.objects.public()
        .filter(published_at__lt=year.cut_at)
        .select_related("organisation", "wording_set")
        .prefetch_related("areas", "statements__pledge", Prefetch("statements__updates", updates, to_attr="until_cut"))
    )
    return [collect_sign_up(sign_up, year) for sign_up in sign_ups]


def collect_sign_up(sign_up, year) -> dict:
    statements = list(sign_up.statements.all())
    progress = Counter(progress_of(statement).value for statement in statements)
    made = [update.made_on for statement in statements for update in statement.until_cut]
    published_on = sign_up.published_at.astimezone(clock.UK).date()
    fresh = freshness(
        max(made, default=published_on), year.cut_on, settings.PLEDGE_FRESHNESS_DAYS, has_update=bool(made)
    )
    return {
        "pk": sign_up.pk,
        "slug": sign_up.organisation.slug,
        "organisation": sign_up.organisation_name,
        "published_on": published_on.isoformat(),
        "updated_on": max(made).isoformat() if made else None,
        "freshness": fresh.state,
        "freshness_label": fresh.label,
        "areas": [area.name for area in sign_up.areas.all()],
        "progress": {value: progress[value] for value in ProgressUpdate.Progress.values},
        "statements": [
            {
                "pledge": statement.pledge.title,
                "progress": (last := progress_of(statement)).value,
                "progress_label": last.label,
                "what_changed": statement.until_cut[-1].what_changed if statement.until_cut else "",
                "reason_stopped": statement.until_cut[-1].reason_stopped if statement.until_cut else "",
            }
            for statement in statements
        ],
    }


def progress_of(statement) -> ProgressUpdate.Progress:
    newest = statement.until_cut[-1].progress if statement.until_cut else ProgressUpdate.Progress.NOT_STARTED
    return ProgressUpdate.Progress(newest)


def filled(section: dict, named) -> dict:
    """The section as written, as read with each figure in the place of its placeholder, and the figures used."""
    written = section["text"]
    text = placeholders.replaced(written, named)
    return section | {"written": written, "text": text, "figures": placeholders.used(written, named)}


def figures(data, named) -> dict:
    """The numbers that the report counts itself, in the order in which its tables show them."""
    variations = sorted({(v["words"], v["name"]) for metric in data["metrics"] if (v := variation_of(metric))})
    stages = [(label, named[f"projects.{stage}"].value) for stage, label in Project.Status.choices]
    return {
        "priorities": named["priorities.all"].value,
        "must_do": named["priorities.must_do"].value,
        "projects": named["projects.all"].value,
        "projects_new": named["projects.new"].value,
        "projects_by_stage": [[label, count] for label, count in stages if count],
        "organisations_in_projects": named["projects.organisations"].value,
        "calls": named["calls.all"].value,
        "received": int(named["calls.received"].value),
        "eligible": int(named["calls.eligible"].value),
        "funded": named["calls.funded"].value,
        "awarded_pounds": f"{named['calls.awarded'].value:.2f}",
        "pledging": named["pledges.organisations"].value,
        "pledging_up_to_date": named["pledges.up_to_date"].value,
        "statements": named["pledges.all"].value,
        "statements_by_progress": [
            [label, named[f"pledges.{progress}"].value] for progress, label in ProgressUpdate.Progress.choices
        ],
        "metrics": named["metrics.all"].value,
        "metrics_with_data": named["metrics.with_data"].value,
        "metrics_by_variation": [[words, named[f"metrics.{name}"].value] for words, name in variations],
    }


def variation_of(metric) -> dict | None:
    return metric["reading"]["variation"] if named_figures.has_data(metric) else None


def store_mentions(snapshot):
    """Keep which subjects the snapshot speaks of and in which chapter, for the golden thread."""
    data = snapshot.data
    chapter_of = {s["priority"]: s["anchor"] for s in data["sections"] if s["priority"]}
    anchors = {s["kind"]: s["anchor"] for s in data["sections"]}

    def chapter(slugs, kind):
        return next((chapter_of[slug] for slug in slugs if slug in chapter_of), anchors.get(kind))

    found = [("priority", row["pk"], chapter([row["slug"]], "year_in_numbers")) for row in data["priorities"]]
    found += [("project", row["pk"], chapter(row["priorities"], "year_in_numbers")) for row in data["projects"]]
    found += [("metric", row["pk"], chapter([row["priority"]], "metrics")) for row in data["metrics"]]
    found += [("call", row["pk"], anchors.get("calls")) for row in data["calls"]]
    found += [("pledge", row["pk"], anchors.get("pledges")) for row in data["pledges"]]
    Mention.objects.bulk_create(
        Mention(snapshot=snapshot, kind=kind, subject_pk=pk, anchor=anchor) for kind, pk, anchor in found if anchor
    )
