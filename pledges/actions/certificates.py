"""The certificate of published pledges: a PDF for the organisation to show, the same whenever it is made."""

import hashlib
import logging
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string

from pledges.models import ImprovementArea, SignUp
from psc_portal.common import clock, demonstration, outbox
from psc_portal.common.pdf import PdfFailed, render_pdf

logger = logging.getLogger(__name__)
TASK = "pledges.make_certificate"
SWEPT_AFTER_MINUTES = 3
SWEPT_FOR_DAYS = 2  # older ones are made when somebody asks for them


def order_certificate(sign_up, *, again=False) -> None:
    """Have it made by a job. `again`: the first job was lost or failed; then at most one an hour."""
    key = f"{TASK}.{sign_up.pk}"
    outbox.enqueue(TASK, sign_up.pk, key=f"{key}.{clock.now():%Y%m%d%H}" if again else key)


def certificate_html(sign_up) -> str:
    """The certificate as HTML. Depends on nothing but what was published."""
    areas = list(sign_up.areas.all())
    context = {
        "sign_up": sign_up,
        "pledges": list(sign_up.wording_set.pledges.all()),
        "areas": [(scope.label, [one.name for one in areas if one.scope == scope]) for scope in ImprovementArea.Scope],
        "url": settings.PORTAL_URL + sign_up.get_absolute_url(),
        "collaborative": settings.COLLABORATIVE,
        "mark": demonstration.SENTENCE if demonstration.is_demonstration() else "",
    }
    return render_to_string("pdf/certificate.html", context)


def make_certificate(*, sign_up) -> SignUp:
    """Make and store the certificate, once. May run twice or at the same time: one file stays."""
    stored = SignUp.objects.select_related("organisation", "wording_set").get(pk=sign_up.pk)
    if stored.status != SignUp.Status.PUBLISHED or stored.certificate:
        return stored
    try:
        pdf = render_pdf(certificate_html(stored), stylesheets=("report.css", "certificate.css"))
    except PdfFailed as failure:
        logger.error("no certificate of sign-up %s: %s %s", stored.pk, failure, failure.detail)
        return stored
    with transaction.atomic():
        stored = SignUp.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=stored.pk)
        if not stored.certificate:
            stored.certificate.save("certificate.pdf", ContentFile(pdf.content), save=False)
            stored.certificate_sha256 = hashlib.sha256(pdf.content).hexdigest()
            stored.save(update_fields=["certificate", "certificate_sha256"])
    return stored


def sweep_certificates() -> int:
    """Order again what a crash lost. Returns how many."""
    now = clock.now()
    missing = SignUp.objects.public().filter(
        certificate="",
        published_at__gt=now - timedelta(days=SWEPT_FOR_DAYS),
        published_at__lt=now - timedelta(minutes=SWEPT_AFTER_MINUTES),
    )[:20]
    for sign_up in missing:
        order_certificate(sign_up, again=True)
    return len(missing)
