import logging
from collections import Counter

from django.contrib import messages
from django.db.models import Count, F, Prefetch, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from measurement import charts
from measurement.models import Series
from measurement.readings import readings_of
from pledges import actions, forms, permissions
from pledges.freshness import LABELS
from pledges.models import Buddy, ImprovementArea, ProgressUpdate, SignUp, WordingSet
from pledges.plans import as_boxes, as_outline
from projects.charts import drivers_svg
from projects.models import Organisation
from psc_portal.common import registry
from psc_portal.common.files import attachment_response
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.templatetags.portal import uk_date

logger = logging.getLogger(__name__)
WALL = ("Pledges", "/pledges/")
OTHERS_SHOWN = 10
FRESHNESS_TONES = {"current": "done", "complete": "done", "due": "waiting", "overdue": "problem", "lapsed": "problem"}
PROGRESS_TONES = {"not_started": "plain", "under_way": "going", "done": "done", "stopped": "problem"}


# For everybody -------------------------------------------------------------------------------------------------------
@public_page
def wall(request):
    """Every organisation with published pledges; filters by system, kind and improvement area."""
    form = forms.WallFilters(request.GET)
    sign_ups = form.narrow(SignUp.objects.public().with_last_update())
    page = paginate(request, _for_the_wall(sign_ups))
    for sign_up in page:
        sign_up.tone = FRESHNESS_TONES[sign_up.freshness.state]
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "filters": form,
        "page": page,
        "query": query.urlencode(),
        "count": page.paginator.count,
        "is_filtered": any(request.GET.get(name) for name in form.fields),
        **_counts(SignUp.objects.public().with_last_update()),
    }
    return render(request, "pledges/wall.html", context)


def _for_the_wall(sign_ups):
    return (
        sign_ups.select_related("organisation__system")
        .prefetch_related("areas")
        .annotate(pledges_with_progress=Count("statements", filter=Q(statements__updates__isnull=False), distinct=True))
        .order_by(F("organisation__system__name").asc(nulls_first=True), "organisation_name", "pk")
    )


def _counts(sign_ups):
    """Over all published pledges: [(words, how many)], the freshest first, and [(system, its code, how many)]."""
    rows = sign_ups.only("published_at", "organisation__system").select_related("organisation__system")
    found, systems = Counter(), Counter()
    for sign_up in rows:
        found[sign_up.freshness.label] += 1
        system = sign_up.organisation.system
        systems[(system.name, system.code) if system else None] += 1
    return {
        "freshness": [(label, found[label]) for label in LABELS.values() if found[label]],
        "systems": [(*key, systems[key]) for key in sorted(filter(None, systems))],
    }


@public_page
def organisation(request, slug):
    """The five statements of an organisation beside what has come of them."""
    sign_ups = list(
        SignUp.objects.once_public()
        .filter(organisation__slug=slug)
        .with_last_update()
        .select_related("organisation__successor", "organisation__system", "wording_set")
        .order_by("-published_at")
    )
    if not sign_ups:
        raise Http404
    sign_up = next((one for one in sign_ups if one.status == SignUp.Status.PUBLISHED), sign_ups[0])
    statements = [] if sign_up.status == SignUp.Status.WITHDRAWN else _statements(sign_up)
    areas = list(sign_up.areas.all())
    known = {
        "priority": [area.priority_id for area in areas if area.priority_id],
        "metric": [statement.metric_id for statement in statements if statement.metric_id],
        "project": [one.metric.project_id for one in statements if one.metric and one.metric.project_id],
    }
    may_post = permissions.can_post_progress(request.user, sign_up)
    freshness = sign_up.freshness
    over = sign_up.status_changes.filter(to_status__in=SignUp.OVER).first() if sign_up.status in SignUp.OVER else None
    others = SignUp.objects.beside(sign_up).prefetch_related("areas", "statements__metric")[:OTHERS_SHOWN]
    newest = sign_up.organisation.newest_successor
    is_standing = sign_up.status == SignUp.Status.PUBLISHED
    context = {
        "sign_up": sign_up,
        "organisation": sign_up.organisation,
        "others": _in_common(areas, statements, others) if is_standing else [],
        "outline": as_outline(sign_up.drivers),
        "drawing": drivers_svg(sign_up.aim, as_boxes(sign_up.drivers)) if sign_up.drivers else "",
        "successions": sign_up.organisation.successions.select_related("successor"),
        "buddy": Buddy.objects.open().filter(organisation=sign_up.organisation_id).first() if is_standing else None,
        "newest": newest if newest != sign_up.organisation.successor else None,
        "predecessors": sign_up.organisation.succeeded.select_related("organisation").order_by("-took_effect_on"),
        "statements": statements,
        "freshness": freshness,
        "freshness_tone": FRESHNESS_TONES[freshness.state],
        "earlier": [one for one in sign_ups if one != sign_up],
        "facts": _facts(sign_up, areas, over),
        "may_post": may_post,
        "thread": registry.thread_of("pledge", sign_up.pk, user=request.user, known=known),
        "crumbs": [WALL],
    }
    return render(request, "pledges/organisation_detail.html", context)


def _in_common(areas, statements, others):
    """[(sign-up, what it has in common with this one, in words)]."""
    slugs = {area.slug for area in areas}
    metrics = {statement.metric_id for statement in statements if statement.metric and statement.metric.is_public}
    rows = []
    for other in others:
        shared = [area.name for area in other.areas.all() if area.slug in slugs]
        shared += [one.metric.name for one in other.statements.all() if one.metric_id in metrics]
        rows.append((other, list(dict.fromkeys(shared))))
    return rows


def _facts(sign_up, areas, over):
    """[(term, value)] beside the statements. What is withdrawn says little more than that."""
    facts = [(sign_up.get_status_display(), uk_date(over.at))] if over else []
    facts.append(("Published", uk_date(sign_up.published_at)))
    if sign_up.status != SignUp.Status.WITHDRAWN:
        named = {
            scope: ", ".join(area.name for area in areas if area.scope == scope) for scope in ImprovementArea.Scope
        }
        facts += [
            ("Signed by", f"{sign_up.signatory_name}, {sign_up.signatory_role}"),
            ("Board approval", uk_date(sign_up.board_approved_on)),
            ("Plan", f"{uk_date(sign_up.plan_from)} to {uk_date(sign_up.plan_to)}"),
            ("National areas", named[ImprovementArea.Scope.NATIONAL]),
            ("Local areas", named[ImprovementArea.Scope.LOCAL]),
        ]
    facts.append(("Wording", sign_up.wording_set))
    if sign_up.organisation.system:
        facts.append(("System", sign_up.organisation.system))
    return facts


def _statements(sign_up):
    """The five statements, each with its updates (newest first) and the reading of its metric."""
    updates = ProgressUpdate.objects.select_related("metric").order_by("-made_on", "-pk")
    statements = list(
        sign_up.statements.select_related("pledge", "metric")
        .prefetch_related(Prefetch("updates", queryset=updates))
        .defer("search")
        .order_by("pledge__number")
    )
    metrics = [statement.metric_id for statement in statements if statement.metric and statement.metric.is_public]
    by_metric = _readings(metrics, sign_up.organisation_id)
    drawn_at = {}  # by metric: the first pledge that has it, where its chart stands
    for statement in statements:
        latest, *statement.earlier_updates = [*statement.updates.all()] or [None]
        statement.latest_update = latest
        statement.progress_label = (
            latest.get_progress_display() if latest else ProgressUpdate.Progress.NOT_STARTED.label
        )
        statement.progress_tone = PROGRESS_TONES[latest.progress if latest else ProgressUpdate.Progress.NOT_STARTED]
        statement.reading = by_metric.get(statement.metric_id)
        statement.drawn_at = drawn_at.setdefault(statement.metric_id, statement.pledge)
        is_first = statement.drawn_at == statement.pledge
        statement.chart = charts.page_svg(statement.reading) if statement.reading and is_first else ""
    return statements


def _readings(metrics, organisation_id):
    """The reading of each metric: the organisation's own values, else the region's; never those of another one."""
    of_both = Q(organisation=organisation_id) | Q(organisation__isnull=True)
    series = Series.objects.filter(of_both, metric__in=metrics).select_related("metric", "organisation")
    chosen = {one.metric_id: one for one in sorted(series, key=lambda one: one.organisation_id is not None)}
    return {reading.metric_pk: reading for reading in readings_of(chosen.values())} if chosen else {}


@never_cache
@require_GET
def certificate(request, slug):
    """The certificate of what is published; where there is none yet, it is ordered and the page says so."""
    sign_up = get_object_or_404(SignUp.objects.public().select_related("organisation"), organisation__slug=slug)
    if not sign_up.certificate:
        actions.order_certificate(sign_up, again=True)
        messages.info(request, "The certificate is being made. Come back to this page in a minute.")
        return redirect(sign_up)
    try:
        return attachment_response(sign_up.certificate, f"pledges-{slug}.pdf", content_type="application/pdf")
    except OSError:
        logger.exception("the certificate of sign-up %s cannot be handed out", sign_up.pk)
        messages.error(request, "The certificate cannot be opened at the moment. Tell us if you need it.")
        return redirect(sign_up)


@public_page
def sign_up_start(request):
    """What signing up means, and a way back to what was begun."""
    begun = []
    if request.user.is_authenticated:
        mine = Q(signatory=request.user) | Q(organisation__in=Organisation.objects.of_member(request.user))
        begun = SignUp.objects.live().filter(mine).exclude(status=SignUp.Status.PUBLISHED)
        begun = begun.select_related("organisation").order_by("-updated_at")
    mine = SignUp.objects.public().filter(organisation__in=Organisation.objects.of_member(request.user))
    wording_set = WordingSet.objects.in_force().prefetch_related("pledges").first()
    context = {
        "begun": begun,
        "older": mine.exclude(wording_set=wording_set).select_related("organisation"),
        "wording_set": wording_set,
        "crumbs": [WALL],
    }
    return render(request, "pledges/sign_up_start.html", context)
