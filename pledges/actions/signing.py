"""Signing up: a draft in steps, kept as it is typed, then submitted."""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from pledges import emails, permissions
from pledges.models import ImprovementArea, SignUp, Statement, WordingSet
from pledges.plans import digest, read_outline
from projects.actions import ask_to_sign
from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

Status = SignUp.Status


class ChangedMeanwhile(ActionRefused):
    """Somebody else has changed the step since it was opened: what is stored is shown beside what was typed."""

    def __init__(self, stored: dict, mark: str):
        super().__init__(
            "Somebody else has changed this step since you opened it. What you typed is not saved yet. Compare it with "
            "what is stored, below, take over what you need, then save again: yours then replaces it."
        )
        self.stored, self.mark = stored, mark


@transaction.atomic
def start_sign_up(*, organisation, by):
    """Begin the sign-up of an organisation to the wording in force, or come back to the one that was begun.

    Raises:
        PermissionDenied: `by` neither belongs to the organisation nor has claimed to.
        ActionRefused: somebody else has begun it and `by` is not a confirmed member, it is published already, or no
            wording is in force.
    """
    if not permissions.can_sign_for(by, organisation):
        raise PermissionDenied
    wording_set = WordingSet.objects.in_force().first()
    if wording_set is None:
        raise ActionRefused("No pledges can be signed at the moment. Contact us to ask when they can be again.")
    try:
        with transaction.atomic():
            sign_up = SignUp.objects.create(
                organisation=organisation,
                organisation_name=organisation.name,
                wording_set=wording_set,
                signatory=by,
                signatory_name=by.display_name,
            )
            Statement.objects.bulk_create(
                Statement(sign_up=sign_up, pledge=pledge) for pledge in wording_set.pledges.all()
            )
    except IntegrityError:  # one live sign-up per organisation and set: somebody was first, perhaps this moment
        sign_up = SignUp.objects.live().get(organisation=organisation, wording_set=wording_set)
        if not SignUp.objects.visible_to(by).filter(pk=sign_up.pk).exists():
            raise ActionRefused(
                f"Somebody else has begun to sign up {organisation.name}. You can join them once we have confirmed "
                "that you belong there. Contact us if that takes long."
            )
        return sign_up
    audit.record("start", sign_up, by=by, after={"organisation": organisation.pk, "wording_set": wording_set.version})
    return sign_up


def _locked(sign_up, by):
    sign_up = SignUp.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=sign_up.pk)
    if not permissions.can_edit(by, sign_up):
        if sign_up.status not in SignUp.EDITABLE and SignUp.objects.visible_to(by).filter(pk=sign_up.pk).exists():
            raise ActionRefused(
                f"These pledges are “{sign_up.get_status_display().lower()}” and cannot be changed now. "
                "Your text is kept here: copy what you need."
            )
        raise PermissionDenied
    return sign_up


class _Step:
    """One change of one step: refused where somebody else's has come between, unless both typed the same.

    `mark` is that of the step as the page showed it; without one nothing is compared.
    """

    def __init__(self, sign_up, step, mark):
        self.sign_up, self.step, self.mark = sign_up, step, mark
        self.stored = sign_up.stored_step(step) if mark else None

    def check(self):
        """After the change, before this transaction ends; raising takes it back."""
        if not self.mark or digest(self.stored) == self.mark:
            return
        if self.sign_up.mark_of(self.step) != digest(self.stored):
            raise ChangedMeanwhile(self.stored, digest(self.stored))


@transaction.atomic
def save_statement(*, sign_up, number, text, by, metric=None, mark=""):
    """Keep what is written under pledge `number`, of any length: a draft may be unfinished."""
    sign_up = _locked(sign_up, by)
    step = _Step(sign_up, f"statement-{number}", mark)
    statement = sign_up.statements.get(pledge__number=number)
    statement.text, statement.metric = text.replace("\r\n", "\n"), metric
    statement.save()
    step.check()
    return statement


@transaction.atomic
def save_areas(*, sign_up, priorities, national, own_words, by, mark=""):
    """Keep the improvement areas: priorities of the region, national programmes by name, local areas in own words.

    The two must-do topics count as national areas, other priorities as local ones.
    """
    sign_up = _locked(sign_up, by)
    step = _Step(sign_up, "areas", mark)
    named = [
        *((ImprovementArea.Scope.NATIONAL, priority.title, priority) for priority in priorities if priority.is_must_do),
        *((ImprovementArea.Scope.NATIONAL, name, None) for name in national),
        *(
            (ImprovementArea.Scope.LOCAL, priority.title, priority)
            for priority in priorities
            if not priority.is_must_do
        ),
        *((ImprovementArea.Scope.LOCAL, name, None) for name in own_words),
    ]
    areas = {}
    for scope, name, priority in named:
        slug = slugify(name)[:120]
        if slug:
            areas.setdefault(
                slug, ImprovementArea(sign_up=sign_up, scope=scope, name=name, slug=slug, priority=priority)
            )
    sign_up.areas.all().delete()
    ImprovementArea.objects.bulk_create(areas.values())
    step.check()
    return sign_up


@transaction.atomic
def save_drivers(*, sign_up, aim, outline, by, mark=""):
    """Keep the driver diagram: the aim, and an outline of what drives it (see `plans.read_outline`).

    Raises:
        ActionRefused: a line of the outline hangs on nothing, is too deep or too long.
    """
    sign_up = _locked(sign_up, by)
    step = _Step(sign_up, "drivers", mark)
    try:
        sign_up.drivers = read_outline(outline)
    except ValueError as problem:
        raise ActionRefused(f"{problem}.") from problem
    sign_up.aim = aim
    sign_up.save(update_fields=["aim", "drivers"])
    step.check()
    return sign_up


@transaction.atomic
def save_plan(*, sign_up, board_approved_on, plan_from, plan_to, own_page, by, mark=""):
    """Keep the dates of the plan.

    Raises:
        ActionRefused: the plan ends before it starts.
    """
    if plan_from and plan_to and plan_to <= plan_from:
        raise ActionRefused("The plan must end after it starts. Check both dates.")
    sign_up = _locked(sign_up, by)
    step = _Step(sign_up, "plan", mark)
    sign_up.board_approved_on, sign_up.plan_from, sign_up.plan_to = board_approved_on, plan_from, plan_to
    sign_up.own_page = own_page
    sign_up.save(update_fields=["board_approved_on", "plan_from", "plan_to", "own_page"])
    step.check()
    return sign_up


@transaction.atomic
def save_signatory(*, sign_up, signatory_name, signatory_role, by, mark=""):
    """Keep who signs for the organisation, as it will be published."""
    sign_up = _locked(sign_up, by)
    step = _Step(sign_up, "signatory", mark)
    sign_up.signatory_name, sign_up.signatory_role = signatory_name, signatory_role
    sign_up.save(update_fields=["signatory_name", "signatory_role"])
    step.check()
    return sign_up


@transaction.atomic
def submit_sign_up(*, sign_up, by, numbers_explained=""):
    """Send the pledges to be checked; whoever submits signs. The receipt is sent once that is stored.

    `numbers_explained`: why what looks like an NHS number is none; kept, and the audit trail says that it was given.

    Raises:
        PermissionDenied: `by` may not edit it.
        ActionRefused: something is missing, too short or too long, holds an NHS number, or it was submitted already.
    """
    sign_up = _locked(sign_up, by)
    refuse_nhs_numbers(sign_up.texts(), explained=numbers_explained)
    problems = sign_up.problems()
    if problems:
        raise ActionRefused(f"{problems[0].place}: {problems[0].text}")
    sign_up.signatory, sign_up.numbers_explained = by, numbers_explained.strip()
    sign_up.save(update_fields=["signatory", "numbers_explained"])
    ask_to_sign(organisation=sign_up.organisation, by=by)
    sign_up.change_status(Status.SUBMITTED, by=by)
    audit.record("submit", sign_up, by=by, after={"has_explained_numbers": bool(sign_up.numbers_explained)})
    emails.submitted(sign_up)
    return sign_up
