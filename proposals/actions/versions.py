"""Earlier versions of a draft: bringing text back, and keeping them from piling up."""

import datetime as dt

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber, TruncHour

from proposals.actions.drafting import draft_of, store_version
from proposals.models import DraftVersion, Proposal
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused

ALL_KEPT_FOR = dt.timedelta(days=1)


@transaction.atomic
def restore_version(*, proposal, by, number, section=None) -> Proposal:
    """Bring back the answers of an earlier version, of one section or of all, as a new version: nothing is lost.

    Raises:
        PermissionDenied: `by` may not write it.
        ActionRefused: it is no draft any more, there is no such version, or it says the same.
    """
    stored = draft_of(by, proposal)
    version = stored.versions.filter(number=number).first()
    if version is None:
        raise ActionRefused("There is no such version any more. Look at the list of those that are kept.")
    if section is None:
        answers = dict(version.answers)
    else:
        names = set(section.names())
        answers = {name: value for name, value in stored.answers.items() if name not in names}
        answers |= {name: value for name, value in version.answers.items() if name in names}
    if answers == stored.answers:
        raise ActionRefused("This version says the same as your draft does now. Nothing was changed.")
    return store_version(stored, answers, by)


@transaction.atomic
def restore_not_taken(*, proposal, by, number, name) -> Proposal:
    """Use a text that had not been taken, in place of the one that stands: an earlier version has that."""
    stored = draft_of(by, proposal)
    version = stored.versions.filter(number=number).first()
    if version is None or name not in version.not_taken:
        raise ActionRefused("There is no such text any more. Look at the list of versions that are kept.")
    if stored.answers.get(name) == version.not_taken[name]:
        raise ActionRefused("Your draft says the same already. Nothing was changed.")
    return store_version(stored, stored.answers | {name: version.not_taken[name]}, by)


def thin_out_versions() -> int:
    """Of what pages saved by themselves more than a day ago, keep the last one an hour. Returns how many went.

    What somebody saved by a button, the version that a proposal stands at, and texts that were not taken all stay.
    """
    old = (
        DraftVersion.objects.filter(is_automatic=True, not_taken={}, saved_at__lt=clock.now() - ALL_KEPT_FOR)
        .exclude(number=F("proposal__version"))
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=["proposal", "saved_by", TruncHour("saved_at")],
                order_by=["-number"],
            )
        )
        .filter(place__gt=1)
    )
    gone, _ = DraftVersion.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:20_000])).delete()
    return gone
