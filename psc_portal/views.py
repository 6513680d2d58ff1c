"""Pages that compose several apps: home and the whole thread."""

from collections import Counter
from datetime import timedelta

from django.shortcuts import render

from measurement.providers import new_signals
from projects.models import Consultation, Priority, System
from proposals.models import Call
from psc_portal.annual_report.models import AnnualReport
from psc_portal.common import clock, registry
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import kept_until, kept_with_pages, public_page
from psc_portal.forms import ThreadFilters
from psc_portal.programme import Asked, programme_of

NEW_FOR = timedelta(days=31)
SHOWN = 6  # of each kind on the home page
ROWS_OF_A_PRIORITY = 12  # of each kind, where all priorities are shown
ROWS_OF_ONE = 50  # a page, where one is


@public_page
def home(request):
    """For everybody who comes: each block says what is true now, or hides itself."""
    now = clock.now()
    since = now - NEW_FOR
    priorities = list(Priority.objects.current())
    calls = Call.objects.open_at(now).union(Call.objects.upcoming_at(now)).order_by("closes_at")
    calls = list(calls.values_list("title", "slug", "opens_at", "closes_at"))
    consultations = list(Consultation.objects.open_at(now).order_by("closes_at")[:SHOWN])
    news = sorted(registry.news.collect(since, SHOWN), key=lambda item: item.at, reverse=True)
    context = {
        "must_do_topics": [priority for priority in priorities if priority.is_must_do],
        "local_priorities": [priority for priority in priorities if not priority.is_must_do],
        "open_calls": [call for call in calls if call[2] <= now],
        "coming_calls": [call for call in calls if call[2] > now],
        "consultations": consultations,
        "news": list({item.url: item for item in reversed(news)}.values())[::-1][:SHOWN],
        "since": since,
        "signals": kept_with_pages("new-signals", lambda: new_signals(since)),
        "report": AnnualReport.objects.published().order_by("-year_start").first(),
        "now": now,
    }
    moments = [moment for call in calls for moment in call[2:]] + [one.closes_at for one in consultations]
    return kept_until(render(request, "home.html", context), *moments)


# The whole thread ----------------------------------------------------------------------------------------------------
@public_page
def thread(request):
    """The whole programme: one query for each app that provides, then the readings of the metrics that are shown."""
    strands = registry.programme.collect(request.user)
    systems = {system.code.lower(): system for system in System.objects.all()}
    priorities = {strand.key: strand for strand in strands if strand.kind == "priority"}
    form = ThreadFilters(request.GET, priorities=priorities, systems=systems)
    chosen = form.chosen
    system = systems.get(chosen.get("system"))
    asked = Asked(chosen.get("q", ""), system and system.pk, chosen.get("stage", ""))
    programme = programme_of(strands, asked)
    branches = [*programme.branches, programme.unplaced]
    if one := chosen.get("priority"):
        branches = [branch for branch in branches if branch.priority == priorities.get(one)]
    size = ROWS_OF_ONE if one else ROWS_OF_A_PRIORITY
    page = paginate(request, range(branches[0].pages(size)), per_page=1) if one else None
    number = page.number if page else 1
    pages = [branch.page(number, size) for branch in branches]
    is_filtered = bool(chosen.keys() - {"priority"})
    shown = [part for part in pages if not (part.whole.is_empty and (is_filtered or part.whole.priority is None))]
    context = {
        "form": form,
        "parts": shown,
        "left_out": [part.whole.priority for part in pages if part not in shown and part.whole.priority],
        "reports": programme.reports,
        "signals": _signals_of([pk for part in shown for pk in part.metric_pks], request.user),
        "page": page,
        "one": one,
        "is_filtered": is_filtered,
        "counts": Counter(strand.kind for strand in strands),
        "crumbs": [],
    }
    return render(request, "portal/thread.html", context)


def _signals_of(metrics: list[int], user) -> dict[int, registry.Signal]:
    if not metrics:
        return {}
    found = registry.signals.collect(registry.Place("programme", 0, {"metric": metrics}), user)
    return {signal.metric: signal for signal in found}
