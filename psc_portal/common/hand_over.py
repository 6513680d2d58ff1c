"""When a person leaves: what they look after, handed over to somebody by name, or left to staff."""

from collections import defaultdict

from django import forms
from django.conf import settings
from django.db import transaction

from psc_portal.common import outbox, registry
from psc_portal.common.nhsuk import NhsukFormMixin
from psc_portal.common.refusals import ActionRefused

NOBODY = "nobody"


def duties_of(user, organisation_pk=None) -> list[registry.Duty]:
    """What the person looks after, in one organisation or everywhere; each app's provider tells of its own."""
    return registry.duties.collect(user, organisation_pk)


@transaction.atomic
def hand_over(*, user, successors, by, organisation_pk=None, leaver="") -> list[registry.Duty]:
    """Give each duty to its successor. `successors`: {key of the duty: person, or None for nobody}.

    Who takes something over is told by mail; staff are told what nobody took over, which is returned. `leaver` is what
    the mails call the person, instead of by name.

    Raises:
        ActionRefused: a successor has left, or may not take the duty over; then nothing has changed.
    """
    taken, left = defaultdict(list), []
    for duty in duties_of(user, organisation_pk):
        to = successors.get(duty.key)
        if to is None:
            duty.let_go(by=by)
            left.append(duty)
            continue
        if not to.is_active or to.pk == user.pk:
            raise ActionRefused(f"{to.display_name} cannot take over “{duty.title}”. Choose somebody else.")
        duty.hand_over(to, by=by)
        taken[to].append(duty)
    mails = [(to.email, to.display_name, duties) for to, duties in taken.items()]
    if left:
        mails.append((settings.COLLABORATIVE["email"], settings.COLLABORATIVE["short_name"], left))
    for address, name, duties in mails:
        context = {"name": name, "leaver": leaver or user.display_name, "is_left": duties is left}
        context |= {"duties": [(duty.kind, duty.title, settings.PORTAL_URL + duty.url) for duty in duties]}
        context["collaborative"] = settings.COLLABORATIVE
        outbox.send_mail(to=[address], template="handed_over", context=context)
    return left


class HandOverForm(NhsukFormMixin, forms.Form):
    """Who takes over each duty. `cleaned_data` is {"successors": {key: person or None}}."""

    submit_label = "End and hand over"

    def __init__(self, *args, duties, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        choices = [("", "Choose"), *((pk, person.display_name) for pk, person in self.people.items())]
        choices.append((NOBODY, "Nobody: staff will be asked"))
        for duty in duties:
            self.fields[duty.key] = forms.ChoiceField(label=f"{duty.kind}: {duty.title}", choices=choices)

    def clean(self):
        return {"successors": {key: self.people.get(value) for key, value in super().clean().items()}}
