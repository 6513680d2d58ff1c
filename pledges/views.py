import uuid
from collections import Counter

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Prefetch, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from measurement.models import Series
from measurement.readings import readings_of
from pledges import actions, forms, permissions
from pledges.freshness import LABELS
from pledges.models import PLEDGES_IN_A_SET, ImprovementArea, ProgressUpdate, SignUp, Statement, WordingSet
from projects.actions import claim_affiliation
from projects.models import Affiliation, Organisation
from psc_portal.common import registry
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date

WALL = ("Pledges", "/pledges/")
FRESHNESS_TONES = {"current": "done", "complete": "done", "due": "waiting", "overdue": "problem", "lapsed": "problem"}
PROGRESS_TONES = {"not_started": "plain", "under_way": "going", "done": "done", "stopped": "problem"}


# For everybody -------------------------------------------------------------------------------------------------------
@public_page
def wall(request):
    """Every organisation with published pledges; filters by system, kind and improvement area."""
    form = forms.WallFilters(request.GET)
    sign_ups = form.narrow(SignUp.objects.public()).with_last_update()
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
        "freshness": _count_freshness(SignUp.objects.public().with_last_update()),
    }
    return render(request, "pledges/wall.html", context)


def _for_the_wall(sign_ups):
    return (
        sign_ups.select_related("organisation__system")
        .prefetch_related("areas")
        .annotate(pledges_with_progress=Count("statements", filter=Q(statements__updates__isnull=False), distinct=True))
        .order_by("organisation_name", "pk")
    )


def _count_freshness(sign_ups):
    """[(words, how many)] over all published pledges, the freshest first."""
    found = Counter(sign_up.freshness.label for sign_up in sign_ups.only("published_at"))
    return [(label, found[label]) for label in LABELS.values() if found[label]]


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
    context = {
        "sign_up": sign_up,
        "organisation": sign_up.organisation,
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
    for statement in statements:
        latest, *statement.earlier_updates = [*statement.updates.all()] or [None]
        statement.latest_update = latest
        statement.progress_label = (
            latest.get_progress_display() if latest else ProgressUpdate.Progress.NOT_STARTED.label
        )
        statement.progress_tone = PROGRESS_TONES[latest.progress if latest else ProgressUpdate.Progress.NOT_STARTED]
        statement.reading = by_metric.get(statement.metric_id)
    return statements


def _readings(metrics, organisation_id):
    """The reading of each metric: the organisation's own values, else the region's; never those of another one."""
    of_both = Q(organisation=organisation_id) | Q(organisation__isnull=True)
    series = Series.objects.filter(of_both, metric__in=metrics).select_related("metric", "organisation")
    chosen = {one.metric_id: one for one in sorted(series, key=lambda one: one.organisation_id is not None)}
    return {reading.metric_pk: reading for reading in readings_of(chosen.values())} if chosen else {}


@public_page
def sign_up_start(request):
    """What signing up means, and a way back to what was begun."""
    begun = []
    if request.user.is_authenticated:
        mine = Q(signatory=request.user) | Q(organisation__in=Organisation.objects.of_member(request.user))
        begun = SignUp.objects.live().filter(mine).exclude(status=SignUp.Status.PUBLISHED)
        begun = begun.select_related("organisation").order_by("-updated_at")
    wording_set = WordingSet.objects.in_force().prefetch_related("pledges").first()
    return render(request, "pledges/sign_up_start.html", {"begun": begun, "wording_set": wording_set, "crumbs": [WALL]})


# Signing up ----------------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def sign_up_organisation(request):
    affiliations = Affiliation.objects.filter(
        Q(pk__in=Affiliation.objects.current()) | Q(status=Affiliation.Status.CLAIMED), user=request.user
    )
    organisations = Organisation.objects.current().filter(affiliations__in=affiliations).order_by("name").distinct()
    form = forms.OrganisationForm(request.POST or None, organisations=organisations)
    if not organisations:
        form.initial["organisation"] = forms.OTHER
    if form.is_valid():
        chosen, must_claim = form.chosen
        try:
            if must_claim:
                claim_affiliation(organisation=chosen, role=form.cleaned_data["role"], by=request.user)
            sign_up = actions.start_sign_up(organisation=chosen, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            if sign_up.status == SignUp.Status.PUBLISHED:
                messages.info(request, f"{chosen.name} has signed already. These are its pledges.")
                return redirect(sign_up)
            return redirect(sign_up.get_edit_url())
    context = {"form": form, "heading": "Your organisation", "crumbs": _crumbs()}
    return render(request, "pledges/sign_up_organisation.html", context)


def _crumbs(sign_up=None):
    crumbs = [WALL, ("Sign up", reverse("pledges:sign_up_start"))]
    return [*crumbs, (sign_up.organisation.name, sign_up.get_edit_url())] if sign_up else crumbs


def _sign_up_or_404(request, public_id):
    visible = SignUp.objects.visible_to(request.user).select_related("organisation", "wording_set", "signatory")
    return get_object_or_404(visible, public_id=public_id)


STEPS = [*(f"statement-{number}" for number in range(1, PLEDGES_IN_A_SET + 1)), "areas", "plan", "signatory"]


@login_required
def sign_up_tasks(request, public_id):
    """The task list: what is done, what is not, and where it stands."""
    sign_up = _sign_up_or_404(request, public_id)
    may_edit = permissions.can_edit(request.user, sign_up)
    problems = {}
    for problem in sign_up.problems():
        problems.setdefault(problem.step, problem)
    statements = list(sign_up.statements.select_related("pledge").defer("search"))
    titles = {one.step: f"{one.pledge.number}. {one.pledge.title}" for one in statements}
    titles |= {"areas": "Improvement areas", "plan": "Board approval and plan", "signatory": "Who signs"}
    started = {one.step for one in statements if one.text.strip()}
    items = [_task(sign_up, step, titles[step], problems.get(step), step in started) for step in STEPS]
    context = {
        "sign_up": sign_up,
        "may_edit": may_edit,
        "may_withdraw": permissions.can_withdraw(request.user, sign_up),
        "pledge_items": items[:PLEDGES_IN_A_SET],
        "other_items": items[PLEDGES_IN_A_SET:],
        "done": len(STEPS) - len(problems),
        "steps": len(STEPS),
        "is_complete": not problems,
        "note": sign_up.moderation_notes.first(),
        "crumbs": _crumbs(),
    }
    return render(request, "pledges/sign_up_tasks.html", context)


def _task(sign_up, step, title, problem, is_started):
    """One item of the NHS.UK task list."""
    if problem is None:
        status = {"text": "Completed"}
    else:
        text, colour = ("Incomplete", "blue") if is_started else ("Not started", "grey")
        status = {"tag": {"text": text, "classes": f"nhsuk-tag--{colour}"}}
    return {"title": {"text": title}, "href": _step_url(sign_up, step) if sign_up.is_editable else "", "status": status}


def _step_url(sign_up, step):
    return reverse("pledges:sign_up_step", args=[sign_up.public_id, step])


@login_required
@require_http_methods(["GET", "POST"])
def sign_up_step(request, public_id, step):
    """One step. What is typed is kept whatever its length; going on asks for it to be right."""
    sign_up = _sign_up_or_404(request, public_id)
    if step not in STEPS:
        raise Http404
    if not permissions.can_edit(request.user, sign_up):
        return redirect(sign_up.get_edit_url())
    kind, _, number = step.partition("-")
    statement = sign_up.statements.select_related("pledge").get(pledge__number=number) if number else None
    form = _step_form(kind, sign_up, statement, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            _save_step(kind, form, sign_up, statement, request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            if "later" in request.POST:
                messages.success(request, "Saved. You can come back at any time.")
                return redirect(sign_up.get_edit_url())
            if _is_right(form, sign_up, step, statement):
                return redirect(_next_url(request, sign_up, step))
    context = {
        "form": form,
        "sign_up": sign_up,
        "statement": statement,
        "step": step,
        "heading": statement.pledge.title if statement else HEADINGS[kind],
        "example": _example(statement) if statement else None,
        "crumbs": _crumbs(sign_up),
    }
    return render(request, f"pledges/sign_up_{kind}.html", context)


HEADINGS = {"areas": "Improvement areas", "plan": "Board approval and plan", "signatory": "Who signs"}


def _step_form(kind, sign_up, statement, data):
    if kind == "statement":
        return forms.StatementForm(data, initial={"text": statement.text, "metric": statement.metric_id})
    if kind == "areas":
        return forms.AreasForm(data, initial=forms.AreasForm.initial_of(sign_up))
    form = {"plan": forms.PlanForm, "signatory": forms.SignatoryForm}[kind]
    return form(data, initial={name: getattr(sign_up, name) for name in form.base_fields})


def _save_step(kind, form, sign_up, statement, by):
    if kind == "statement":
        values = form.cleaned_data
        actions.save_statement(
            sign_up=sign_up, number=statement.pledge.number, text=values["text"], metric=values["metric"], by=by
        )
    elif kind == "areas":
        actions.save_areas(sign_up=sign_up, **form.values, by=by)
    elif kind == "plan":
        actions.save_plan(sign_up=sign_up, **form.cleaned_data, by=by)
    else:
        actions.save_signatory(sign_up=sign_up, **form.cleaned_data, by=by)


def _is_right(form, sign_up, step, statement):
    """Whether the saved step is complete; if not, the form says what to do."""
    if statement:
        try:
            refuse_nhs_numbers({statement.pledge.title: form.cleaned_data["text"]})
        except ActionRefused as refusal:
            form.add_error("text", str(refusal))
    saved = SignUp.objects.get(pk=sign_up.pk)
    for problem in saved.problems():
        if problem.step == step:
            form.add_error("text" if statement else None, f"{problem.text} What you wrote is saved.")
    return not form.errors


def _next_url(request, sign_up, step):
    if request.GET.get("back") == "check" or step == STEPS[-1]:
        return reverse("pledges:sign_up_check", args=[sign_up.public_id])
    return _step_url(sign_up, STEPS[STEPS.index(step) + 1])


def _example(statement):
    """How the network that runs the collaborative answered the same pledge."""
    return (
        Statement.objects.filter(
            pledge=statement.pledge_id,
            sign_up__status=SignUp.Status.PUBLISHED,
            sign_up__organisation__kind=Organisation.Kind.NETWORK,
        )
        .exclude(sign_up=statement.sign_up_id)
        .select_related("sign_up")
        .first()
    )


@login_required
@require_http_methods(["GET", "POST"])
def sign_up_check(request, public_id):
    """Check answers, then submit."""
    sign_up = _sign_up_or_404(request, public_id)
    if request.method == "POST":
        try:
            actions.submit_sign_up(sign_up=sign_up, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            return redirect("pledges:sign_up_submitted", public_id=sign_up.public_id)
        return redirect("pledges:sign_up_check", public_id=sign_up.public_id)
    context = {
        **_answers(sign_up),
        "may_edit": permissions.can_edit(request.user, sign_up),
        "problems": sign_up.problems(),
        "crumbs": _crumbs(sign_up),
    }
    return render(request, "pledges/sign_up_check.html", context)


def _answers(sign_up):
    areas = list(sign_up.areas.all())
    return {
        "sign_up": sign_up,
        "statements": sign_up.statements.select_related("pledge", "metric").defer("search"),
        "national": [area for area in areas if area.scope == ImprovementArea.Scope.NATIONAL],
        "local": [area for area in areas if area.scope == ImprovementArea.Scope.LOCAL],
    }


@login_required
def sign_up_submitted(request, public_id):
    sign_up = _sign_up_or_404(request, public_id)
    if sign_up.is_editable:
        return redirect(sign_up.get_edit_url())
    context = {"sign_up": sign_up, "is_confirmed": sign_up.is_confirmed, "crumbs": _crumbs()}
    return render(request, "pledges/sign_up_submitted.html", context)


@login_required
def sign_up_print(request, public_id):
    """A copy to print for the board to read and sign."""
    sign_up = _sign_up_or_404(request, public_id)
    return render(request, "pledges/sign_up_print.html", {**_answers(sign_up), "crumbs": _crumbs(sign_up)})


@login_required
@require_http_methods(["GET", "POST"])
def sign_up_withdraw(request, public_id):
    sign_up = _sign_up_or_404(request, public_id)
    if not permissions.can_withdraw(request.user, sign_up):
        raise Http404
    form = forms.WithdrawForm(request.POST or None)
    if form.is_valid():
        try:
            actions.withdraw_sign_up(sign_up=sign_up, reasons=form.cleaned_data["reasons"], by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The sign-up of {sign_up.organisation.name} is withdrawn.")
            return redirect("pledges:sign_up_start")
    context = {
        "form": form,
        "heading": "Withdraw this sign-up",
        "intro": f"The draft of {sign_up.organisation.name} can then no longer be submitted. You can begin a new one.",
        "crumbs": _crumbs(sign_up),
    }
    return render(request, "layouts/form.html", context)


# Progress ------------------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def progress_post(request, slug, number):
    """Members of the organisation say what has come of pledge `number`. For everybody else there is no such page."""
    statement = get_object_or_404(
        Statement.objects.select_related("pledge", "sign_up__organisation").filter(
            sign_up__status=SignUp.Status.PUBLISHED,
            sign_up__organisation__in=Organisation.objects.of_member(request.user),
        ),
        sign_up__organisation__slug=slug,
        pledge__number=number,
    )
    sign_up = statement.sign_up
    form = forms.ProgressForm(request.POST or None, initial={"token": uuid.uuid4(), "metric": statement.metric_id})
    if form.is_valid():
        try:
            actions.post_progress(statement=statement, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Your update on “{statement.pledge.title}” is published.")
            return redirect(sign_up)
    context = {
        "form": form,
        "statement": statement,
        "heading": f"Post progress: {statement.pledge.title}",
        "crumbs": [WALL, (sign_up.organisation.name, sign_up.get_absolute_url())],
    }
    return render(request, "pledges/progress_post.html", context)
