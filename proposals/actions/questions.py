"""What one call asks beside the common questions: set up while it is a draft, frozen once it is published."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions
from proposals.actions.locking import locked_call
from proposals.models import Call, CallQuestion
from proposals.readings.set_up import question_problems
from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

MOST_QUESTIONS = 30
AUDITED = ["kind", "is_required", "word_limit", "position", "shown_if", "names_people"]
WITH_CHOICES = (CallQuestion.Kind.CHOICE, CallQuestion.Kind.CHOICES)


@transaction.atomic
def add_question(*, call, by, **values) -> CallQuestion:
    """Add a question at the end of a draft call's own questions."""
    stored = _draft_call(call, by)
    last = stored.questions.last()
    if stored.questions.count() >= MOST_QUESTIONS:
        raise ActionRefused(f"A call can ask up to {MOST_QUESTIONS} questions of its own. Remove one first.")
    question = CallQuestion(call=stored, position=last.position + 1 if last else 1)
    _write(question, values)
    audit.record("add_question", question, by=by, after=audit.snapshot(question, AUDITED))
    return question


@transaction.atomic
def edit_question(*, call_question, by, **values) -> CallQuestion:
    """Change a question of a draft call; refused where another question would no longer know when to be asked."""
    question = _stored(call_question, by)
    before = audit.snapshot(question, AUDITED)
    _write(question, values)
    audit.record("edit_question", question, by=by, before=before, after=audit.snapshot(question, AUDITED))
    return question


@transaction.atomic
def move_question(*, call_question, by, step) -> CallQuestion:
    """Move a question up (step -1) or down (step 1). At the end of the list it stays where it is."""
    question = _stored(call_question, by)
    ordered = list(question.call.questions.all())
    place = ordered.index(question)
    if 0 <= place + step < len(ordered):
        ordered.insert(place + step, ordered.pop(place))
        _number(ordered)
        _check(question.call)
        audit.record("move_question", question, by=by, after={"position": place + step + 1})
    return question


@transaction.atomic
def remove_question(*, call_question, by) -> None:
    """Take a question out of a draft call."""
    question = _stored(call_question, by)
    dependent = CallQuestion.objects.filter(shown_if=question).first()
    if dependent:
        raise ActionRefused(
            f"“{dependent.text}” is asked only for a certain answer to this question. "
            "Change when it is asked, or remove it first."
        )
    audit.record("remove_question", question, by=by, before=audit.snapshot(question, AUDITED))
    call = question.call
    question.delete()
    _number(list(call.questions.all()))


def _draft_call(call, by) -> Call:
    stored = locked_call(call.pk)
    if not permissions.can_manage_call(by, stored):
        raise PermissionDenied
    if stored.status != Call.Status.DRAFT:
        raise ActionRefused(
            "This call is published and its questions are frozen, so that everyone answers the same ones. "
            "To ask something else, copy the call."
        )
    return stored


def _stored(call_question, by) -> CallQuestion:
    _draft_call(call_question.call, by)
    stored = CallQuestion.objects.select_related("call").filter(pk=call_question.pk).first()
    if stored is None:
        raise ActionRefused("This question has been removed already.")
    return stored


def _write(question, values):
    kind = values["kind"]
    question.text = " ".join(values["text"].split())
    question.hint = values.get("hint", "").strip()
    question.kind = kind
    question.choices = list(values.get("choices") or []) if kind in WITH_CHOICES else []
    question.word_limit = values.get("word_limit") if kind == CallQuestion.Kind.LONG_TEXT else None
    question.is_required = values.get("is_required", True)
    question.names_people = values.get("names_people", False)
    question.shown_if = values.get("shown_if")
    question.shown_if_answer = values.get("shown_if_answer", "") if question.shown_if else ""
    if question.shown_if and question.shown_if.call_id != question.call_id:
        raise ActionRefused("A question can only depend on another question of the same call.")
    if len(set(question.choices)) != len(question.choices):
        raise ActionRefused("Two of the answers to choose from are the same. Leave one out.")
    refuse_nhs_numbers({"Question": question.text, "Hint": question.hint, "Answers": "\n".join(question.choices)})
    question.save()
    _check(question.call)


def _check(call):
    if problems := question_problems(list(call.questions.all())):
        raise ActionRefused(" ".join(problems))


def _number(ordered):
    """Number them from 1; by way of free numbers, since two may never have the same."""
    for start in (1000, 1):
        for position, question in enumerate(ordered, start):
            question.position = position
            question.save(update_fields=["position"])
