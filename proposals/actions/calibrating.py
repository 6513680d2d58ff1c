"""Example proposals that reviewers score to see how far apart they are. Never part of any ranking."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from proposals import permissions
from proposals.actions.locking import hold, locked_call
from proposals.models import CalibrationExample, CalibrationScore, Call
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

MOST_EXAMPLES = 2  # more cost reviewers more time than they bring
BEFORE_PANEL = (Call.Status.DRAFT, Call.Status.PUBLISHED, Call.Status.ASSESSMENT)


def _refuse_late(call):
    if call.status not in BEFORE_PANEL:
        raise ActionRefused("The panel of this call has begun. Examples can no longer be changed or scored.")


@transaction.atomic
def add_example(*, call, by, title, text, afterword="") -> CalibrationExample:
    """Add an example proposal to a call."""
    stored = locked_call(call.pk)
    if not permissions.can_manage_call(by, stored):
        raise PermissionDenied
    _refuse_late(stored)
    if stored.examples.count() >= MOST_EXAMPLES:
        raise ActionRefused(f"A call has at most {MOST_EXAMPLES} examples. Change one of them instead.")
    refuse_nhs_numbers({"Title": title, "Text": text, "Afterword": afterword})
    last = stored.examples.aggregate(last=Max("position"))["last"] or 0
    example = CalibrationExample.objects.create(
        call=stored, position=last + 1, title=title.strip(), text=text.strip(), afterword=afterword.strip()
    )
    audit.record("add_example", example, by=by)
    return example


def _locked(example, by) -> CalibrationExample:
    stored = hold(CalibrationExample.objects).select_related("call").get(pk=example.pk)
    if not permissions.can_manage_call(by, stored.call):
        raise PermissionDenied
    _refuse_late(stored.call)
    return stored


@transaction.atomic
def edit_example(*, calibration_example, by, title, text, afterword="") -> CalibrationExample:
    """Change an example. Once somebody has scored it only its afterword can change."""
    stored = _locked(calibration_example, by)
    title, text = title.strip(), text.strip()
    if stored.scores.exists() and (title, text) != (stored.title, stored.text):
        raise ActionRefused("Reviewers have scored this text. You can still change the afterword.")
    refuse_nhs_numbers({"Title": title, "Text": text, "Afterword": afterword})
    stored.title, stored.text, stored.afterword = title, text, afterword.strip()
    stored.save()
    audit.record("edit_example", stored, by=by)
    return stored


@transaction.atomic
def remove_example(*, calibration_example, by) -> None:
    stored = _locked(calibration_example, by)
    if stored.scores.exists():
        raise ActionRefused("Reviewers have scored this example. It stays.")
    audit.record("remove_example", stored, by=by)
    stored.delete()


@transaction.atomic
def score_example(*, calibration_example, by, scores) -> CalibrationExample:
    """A reviewer scores an example once; after that the spread of all who did is shown.

    Args:
        scores: by criterion id: (0 to 5 or None, is not applicable, reason).
    """
    stored = hold(CalibrationExample.objects).select_related("call").get(pk=calibration_example.pk)
    if not permissions.can_score_example(by, stored):
        raise PermissionDenied
    _refuse_late(stored.call)
    if stored.scores.filter(reviewer=by).exists():
        raise ActionRefused("You have scored this example already. Go back to it to see the spread.")
    refuse_nhs_numbers({f"Why {number}": reason for number, (_v, _na, reason) in enumerate(scores.values(), 1)})
    criteria = list(stored.call.criterion_set.criteria.all())
    missing = [str(one) for one in criteria if scores.get(one.pk, (None, False, ""))[:2] == (None, False)]
    if missing:
        raise ActionRefused(f"Give a score, or “not applicable”, for: {'; '.join(missing)}.")
    now = clock.now()
    CalibrationScore.objects.bulk_create(
        CalibrationScore(
            example=stored,
            reviewer=by,
            criterion=criterion,
            value=None if scores[criterion.pk][1] else scores[criterion.pk][0],
            is_not_applicable=scores[criterion.pk][1],
            reason=scores[criterion.pk][2].strip(),
            scored_at=now,
        )
        for criterion in criteria
    )
    audit.record("score_example", stored, by=by)
    return stored
