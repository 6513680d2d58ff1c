"""Mails about the plan's data; each leaves through the outbox."""

from itertools import groupby

from django.conf import settings
from django.urls import reverse

from measurement.due import Due
from psc_portal.common import outbox


def late_data(person, late: list[Due]):
    """What is late and where to enter it, by place."""
    late = sorted(late, key=lambda one: (one.series.place, one.due_on))
    places = [
        {"name": place, "late": list(rows), "url": settings.PORTAL_URL + reverse("measurement:data_enter", args=[key])}
        for (place, key), rows in groupby(late, key=lambda one: (one.series.place, one.series.key))
    ]
    context = {"collaborative": settings.COLLABORATIVE, "name": person.display_name, "places": places}
    outbox.send_mail(to=[person.email], template="measurement/late_data", context=context)
