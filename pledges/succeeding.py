"""What becomes of pledges when a person leaves or is erased, and when organisations merge."""

from functools import partial

from pledges.actions.moderating import close
from pledges.models import Buddy, SignUp
from projects.actions import ask_to_sign
from projects.models import Organisation
from psc_portal.common import audit, clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.registry import Duty, MergeStep

Status = SignUp.Status


# A person leaves -----------------------------------------------------------------------------------------------------
def duties(user, organisation_pk):
    """Sign-ups that the person signs, from draft to published, and offers to be written to."""
    sign_ups = SignUp.objects.live().filter(signatory=user).select_related("organisation")
    buddies = Buddy.objects.filter(contact=user, closed_at__isnull=True).select_related("organisation")
    if organisation_pk:
        sign_ups, buddies = (rows.filter(organisation=organisation_pk) for rows in (sign_ups, buddies))
    for sign_up in sign_ups:
        is_public = sign_up.status == Status.PUBLISHED
        yield Duty(
            key=f"pledges-{sign_up.pk}",
            kind=f"Pledges ({sign_up.get_status_display().lower()})",
            title=sign_up.organisation_name,
            url=sign_up.get_absolute_url() if is_public else sign_up.get_edit_url(),
            hand_over=partial(_hand_over_sign_up, sign_up),
        )
    for buddy in buddies:
        yield Duty(
            key=f"buddy-{buddy.pk}",
            kind="Messages from other organisations",
            title=buddy.organisation.name,
            url="/pledges/",
            hand_over=partial(_hand_over_buddy, buddy),
            let_go=partial(_close_buddy, buddy),
        )


def _refuse_stranger(to, organisation):
    if not Organisation.objects.of_member(to).filter(pk=organisation.pk).exists():
        raise ActionRefused(f"{to.display_name} does not belong to {organisation}. Choose somebody who does.")


def _hand_over_sign_up(sign_up, to, *, by):
    """The name and role that were signed with stay; the person who answers for it in the portal changes."""
    _refuse_stranger(to, sign_up.organisation)
    before = audit.snapshot(sign_up, ["signatory"])
    sign_up.signatory = to
    sign_up.save(update_fields=["signatory"])
    ask_to_sign(organisation=sign_up.organisation, by=to)
    audit.record("hand_over", sign_up, by=by, before=before, after=audit.snapshot(sign_up, ["signatory"]))


def _hand_over_buddy(buddy, to, *, by):
    _refuse_stranger(to, buddy.organisation)
    buddy.contact = to
    buddy.save(update_fields=["contact"])
    audit.record("hand_over", buddy, by=by, after={"contact": to.pk})


def _close_buddy(buddy, *, by):
    buddy.closed_at = clock.now()
    buddy.save(update_fields=["closed_at"])
    audit.record("close", buddy, by=by)


# Organisations merge -------------------------------------------------------------------------------------------------
def merge_steps(organisation, into, on):
    taken = set(SignUp.objects.live().filter(organisation=into).values_list("wording_set", flat=True))
    for sign_up in SignUp.objects.live().filter(organisation=organisation).select_related("wording_set"):
        title = f"{sign_up.wording_set}, {sign_up.get_status_display().lower()}"
        if sign_up.status == Status.PUBLISHED:
            what = f"end and stay readable with the name of their time; {into} is invited to sign"
            yield MergeStep("Pledges", title, what, partial(_end, sign_up, into))
        elif sign_up.wording_set_id in taken:
            what = f"are withdrawn, because {into} has its own; the text stays readable for its members"
            yield MergeStep("Pledges", title, what, partial(_withdraw, sign_up, into))
        else:
            taken.add(sign_up.wording_set_id)
            yield MergeStep("Pledges", title, f"become those of {into}", partial(_move, sign_up, into))
    for buddy in Buddy.objects.filter(organisation=organisation, closed_at__isnull=True):
        yield MergeStep("Pledges", "Offer to be written to", "closes", partial(_close_buddy, buddy))


def _end(sign_up, into, *, by):
    close(sign_up, Status.ENDED, f"The organisation has become part of {into.name}.", by)


def _withdraw(sign_up, into, *, by):
    close(sign_up, Status.WITHDRAWN, f"The organisation has become part of {into.name}, which has its own.", by)


def _move(sign_up, into, *, by):
    before = audit.snapshot(sign_up, ["organisation", "organisation_name"])
    sign_up.organisation, sign_up.organisation_name = into, into.name
    sign_up.save(update_fields=["organisation", "organisation_name"])
    after = audit.snapshot(sign_up, ["organisation", "organisation_name"])
    audit.record("merge_organisation", sign_up, by=by, before=before, after=after)
