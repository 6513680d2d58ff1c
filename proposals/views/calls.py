"""Pages of calls, for everyone."""

from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from proposals import questions, readings
from proposals.models import Call, CriterionWeight, PromisedBenefit
from psc_portal.common import clock, registry
from psc_portal.common.export import csv_response
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.templatetags.portal import uk_date, uk_datetime

CALLS = [("Calls for proposals", "/calls/")]


@require_GET
@public_page
def call_list(request):
    now = clock.now()
    calls = Call.objects.defer("about", "search")
    current = list(calls.open_at(now) | calls.upcoming_at(now))
    past = paginate(request, calls.past_at(now), per_page=10)
    prefetch_related_objects([*current, *past], "priorities")
    counts = readings.counts_of_calls([call.pk for call in past])
    for call in past:
        call.counts = counts.get(call.pk, readings.CallCounts())
    return render(
        request,
        "proposals/call_list.html",
        {
            "open_calls": sorted((one for one in current if one.is_open_at(now)), key=lambda one: one.closes_at),
            "upcoming_calls": sorted((one for one in current if one.is_upcoming_at(now)), key=lambda one: one.opens_at),
            "past_calls": past,
        },
    )


def published_call(slug) -> Call:
    weights = CriterionWeight.objects.select_related("criterion").prefetch_related("criterion__levels")
    calls = Call.objects.published().defer("search").prefetch_related("priorities", Prefetch("weights", weights))
    return get_object_or_404(calls, slug=slug)


@require_GET
@public_page
def call_detail(request, slug):
    call = published_call(slug)
    is_past = call.is_past
    funded = list(call.proposals.public().select_related("organisation", "project")) if is_past else []
    known = {
        "priority": [priority.pk for priority in call.priorities.all()],
        "project": [proposal.project_id for proposal in funded if proposal.project_id],
        "metric": list(
            PromisedBenefit.objects.filter(proposal__in=funded, metric__isnull=False).values_list("metric", flat=True)
        ),
    }
    return render(
        request,
        "proposals/call_detail.html",
        {
            "call": call,
            "crumbs": CALLS,
            "facts": _facts(call),
            "extensions": call.extensions.filter(applicant__isnull=True),
            "counts": readings.counts_of_calls([call.pk]).get(call.pk, readings.CallCounts()) if is_past else None,
            "answers": call.answers.all(),
            "funded": funded,
            "thread": registry.thread_of("call", call.pk, user=request.user, known=known),
        },
    )


def _facts(call) -> list[tuple[str, str]]:
    facts = [("Opens", uk_datetime(call.opens_at)), ("Closes", uk_datetime(call.closes_at))]
    if call.grace:
        facts.append(("Accepted until", uk_datetime(call.accepts_until)))
    if call.reviews_due_on:
        facts.append(("Reviews finished by", uk_date(call.reviews_due_on)))
    facts += [
        ("Decision and feedback by", uk_date(call.decision_on)),
        ("Money in all", questions.pounds(call.money_total)),
    ]
    if call.money_per_project:
        facts.append(("Most for one proposal", questions.pounds(call.money_per_project)))
    facts.append(("Reviews", call.reviews_in_words))
    return facts


@require_GET
@public_page
def call_form(request, slug):
    """Every question, with criteria, weights and descriptors, to read and print before any account."""
    call = published_call(slug)
    weights = {weight.criterion.code: weight for weight in call.weights.all()}
    blanks = questions.blank_form(questions.sections_of(call), questions.Choices(call))
    return render(
        request,
        "proposals/call_form.html",
        {
            "call": call,
            "crumbs": [*CALLS, (call.title, call.get_absolute_url())],
            "sections": [(blank, weights.get(blank.section.criterion)) for blank in blanks],
        },
    )


def _decided_call(slug) -> Call:
    """The report is there once every applicant has been told; before that there is no such page."""
    calls = Call.objects.published().select_related("panel__chair")
    call = get_object_or_404(calls, slug=slug)
    if not call.is_decided:
        raise Http404
    return call


@require_GET
@public_page
def call_report(request, slug):
    """The public account of a decided call. Who was declined is named nowhere."""
    call = _decided_call(slug)
    report = readings.call_report(call)
    return render(
        request,
        "proposals/call_report.html",
        {
            "call": call,
            "report": report,
            "money": questions.pounds(call.money_total),
            "figures": _figures(report.counts),
            "crumbs": [*CALLS, (call.title, call.get_absolute_url())],
        },
    )


def _figures(counts) -> list[tuple[str, str]]:
    days = "Not known" if counts.median_days is None else f"{counts.median_days} days"
    return [
        ("Received", str(counts.received)),
        ("Eligible", str(counts.eligible)),
        ("Funded", str(counts.funded)),
        ("Awarded in all", counts.awarded_shown),
        ("From submission to decision, median", days),
    ]


@require_GET
@public_page
def call_report_csv(request, slug):
    call = _decided_call(slug)
    report = readings.call_report(call)
    header = ["Counted by", "Name", "Received", "Eligible", "Funded", "Awarded (pounds)", "Median days to decision"]
    lines = [("All", call.title, report.counts)]
    lines += [("System of the lead organisation", name, counts) for name, counts in report.by_system]
    lines += [("Priority", name, counts) for name, counts in report.by_priority]
    rows = ((what, name, one.received, one.eligible, one.funded, one.awarded, one.median_days)
            for what, name, one in lines)  # fmt: skip
    return csv_response(f"{call.slug}-report.csv", header, rows)
