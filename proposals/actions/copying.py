"""The PDF copy of a proposal: what was submitted, with number and moment, for its team to keep."""

import hashlib
import logging
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string

from proposals import questions
from proposals.actions.locking import locked_proposal
from proposals.models import Proposal
from psc_portal.common import clock, demonstration, outbox
from psc_portal.common.pdf import PdfFailed, render_pdf

logger = logging.getLogger(__name__)
TASK = "proposals.make_copy"
SWEPT_AFTER_MINUTES = 3
SWEPT_FOR_DAYS = 2  # older ones are made when their team asks for them


def order_copy(proposal, *, again=False) -> None:
    """Have the copy made by a job. `again`: the first job was lost or failed; then at most one an hour."""
    key = f"{TASK}.{proposal.pk}"
    outbox.enqueue(TASK, proposal.pk, key=f"{key}.{clock.now():%Y%m%d%H}" if again else key)


def copy_html(proposal: Proposal) -> str:
    """The copy as HTML. Depends on nothing but what was submitted, so it comes out the same whenever it is made."""
    attachments = list(proposal.attachments.current())
    return render_to_string(
        "pdf/proposal.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "sections": questions.shown_of(proposal, attachments=attachments),
            "totals": questions.shown_totals(proposal.answers),
            "attachments": [file for file in attachments if not file.question],
            "url": settings.PORTAL_URL + proposal.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
            "mark": demonstration.SENTENCE if demonstration.is_demonstration() else "",
        },
    )


def make_copy(*, proposal) -> Proposal:
    """Make and store the PDF copy of a submitted proposal, once. May run twice or at the same time: one file stays."""
    stored = Proposal.objects.select_related("call", "applicant", "submitted_by").get(pk=proposal.pk)
    if stored.submitted_at is None or stored.copy_file:
        return stored
    try:
        pdf = render_pdf(copy_html(stored), stylesheets=("report.css", "proposal.css"))
    except PdfFailed as failure:
        logger.error("no PDF copy of %s: %s %s", stored.reference, failure, failure.detail)
        return stored
    with transaction.atomic():
        stored = locked_proposal(stored.pk)
        if not stored.copy_file:
            stored.copy_file.save("copy.pdf", ContentFile(pdf.content), save=False)
            stored.copy_sha256 = hashlib.sha256(pdf.content).hexdigest()
            stored.save(update_fields=["copy_file", "copy_sha256"])
    return stored


def sweep_copies() -> int:
    """Order again what a crash lost. Returns how many."""
    now = clock.now()
    missing = Proposal.objects.filter(
        copy_file="",
        submitted_at__gt=now - timedelta(days=SWEPT_FOR_DAYS),
        submitted_at__lt=now - timedelta(minutes=SWEPT_AFTER_MINUTES),
    ).order_by("pk")[:20]
    for proposal in missing:
        order_copy(proposal, again=True)
    return len(missing)
