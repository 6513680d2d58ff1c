"""Signing up in steps: what is typed is kept whatever its length, and nobody's change is written over unseen."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pledges import actions, forms, permissions
from pledges.models import PLEDGES_IN_A_SET, ImprovementArea, SignUp, Statement
from pledges.plans import as_boxes, as_outline, write_outline
from pledges.views.public import WALL
from projects.actions import claim_affiliation
from projects.charts import drivers_svg
from projects.models import Affiliation, Organisation
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


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
                claim_affiliation(organisation=chosen, role=form.cleaned_data["role"], signs=True, by=request.user)
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


HEADINGS = {
    "areas": "Improvement areas",
    "drivers": "Driver diagram",
    "plan": "Board approval and plan",
    "signatory": "Who signs",
}
STEPS = [*(f"statement-{number}" for number in range(1, PLEDGES_IN_A_SET + 1)), *HEADINGS]


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
    titles |= HEADINGS
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
    stored_meanwhile = None
    if form.is_valid():
        try:
            _save_step(kind, form, sign_up, statement, request.user)
        except actions.ChangedMeanwhile as clash:
            stored_meanwhile = [(name, value) for name, value in _shown(clash.stored).items()]
            form = form.with_mark(clash.mark)
            form.add_error(None, str(clash))
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            form = form.with_mark(sign_up.mark_of(step))
            if "later" in request.POST:
                messages.success(request, "Saved. You can come back at any time.")
                return redirect(sign_up.get_edit_url())
            if "find_metrics" not in request.POST and _is_right(form, sign_up, step, statement):
                return redirect(_next_url(request, sign_up, step))
    context = {
        "form": form,
        "sign_up": sign_up,
        "statement": statement,
        "step": step,
        "heading": statement.pledge.title if statement else HEADINGS[kind],
        "example": _example(statement) if statement else None,
        "stored_meanwhile": stored_meanwhile,
        "crumbs": _crumbs(sign_up),
    }
    return render(request, f"pledges/sign_up_{kind}.html", context)


def _shown(stored):
    """What is stored, as the boxes of the step show it."""
    return {name: write_outline(value) if isinstance(value, list) else value for name, value in stored.items()}


def _step_form(kind, sign_up, statement, data):
    if kind == "statement":
        initial = {"text": statement.text, "metric": statement.metric_id}
        initial["mark"] = sign_up.mark_of(statement.step)
        return forms.StatementForm(data, initial=initial, chosen=statement.metric_id)
    mark = {"mark": sign_up.mark_of(kind)}
    if kind == "areas":
        return forms.AreasForm(data, initial=forms.AreasForm.initial_of(sign_up) | mark)
    if kind == "drivers":
        initial = {"aim": sign_up.aim, "outline": write_outline(sign_up.drivers)}
        return forms.DriversForm(data, initial=initial | mark)
    form = {"plan": forms.PlanForm, "signatory": forms.SignatoryForm}[kind]
    return form(data, initial={name: getattr(sign_up, name) for name in form.base_fields if name != "mark"} | mark)


def _save_step(kind, form, sign_up, statement, by):
    if kind == "statement":
        values = {name: form.cleaned_data[name] for name in ("text", "metric", "mark")}
        actions.save_statement(sign_up=sign_up, number=statement.pledge.number, **values, by=by)
    elif kind == "areas":
        actions.save_areas(sign_up=sign_up, **form.values, mark=form.cleaned_data["mark"], by=by)
    elif kind == "drivers":
        actions.save_drivers(sign_up=sign_up, **form.cleaned_data, by=by)
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
    """How the network that runs the collaborative answered the same pledge, else the one of this number before."""
    examples = (
        Statement.objects.filter(
            pledge__number=statement.pledge.number,
            sign_up__status__in=[SignUp.Status.PUBLISHED, SignUp.Status.ENDED],
            sign_up__organisation__kind=Organisation.Kind.NETWORK,
        )
        .exclude(sign_up=statement.sign_up_id)
        .select_related("sign_up__wording_set", "pledge")
        .order_by("-sign_up__published_at")
    )
    return next((one for one in examples if one.pledge_id == statement.pledge_id), None) or examples.first()


@login_required
@require_http_methods(["GET", "POST"])
def sign_up_check(request, public_id):
    """Check answers, then submit."""
    sign_up = _sign_up_or_404(request, public_id)
    form = forms.SubmitForm(request.POST if request.method == "POST" else None, sign_up=sign_up)
    if form.is_valid():
        try:
            actions.submit_sign_up(sign_up=sign_up, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            if not form.fields:
                messages.error(request, str(refusal))
                return redirect("pledges:sign_up_check", public_id=sign_up.public_id)
            form.add_error("numbers_explained", str(refusal))
        else:
            return redirect("pledges:sign_up_submitted", public_id=sign_up.public_id)
    context = {
        **_answers(sign_up),
        "form": form,
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
        "outline": as_outline(sign_up.drivers),
        "drawing": drivers_svg(sign_up.aim, as_boxes(sign_up.drivers)) if sign_up.drivers else "",
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
