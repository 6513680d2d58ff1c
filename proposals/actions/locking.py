"""The one order in which rows are locked, so that no two actions can wait for each other.

First the call, then its proposals (several by primary key), then whatever hangs on a proposal: whoever changes more of
that than one row of their own holds the proposal. Locks are "for no key update": they keep others out and still let
rows be added that refer to the locked one, so that a lock is never waited for in the other direction either.
"""

from proposals.models import Call, Proposal


def hold(rows):
    """The rows themselves, not what is joined to them, locked in the order they come in."""
    return rows.select_for_update(of=["self"], no_key=True)


def locked_call(pk) -> Call:
    return hold(Call.objects).get(pk=pk)


def locked_proposal(pk, *related) -> Proposal:
    """The proposal alone, for what goes by its own status and asks nothing of its call."""
    return hold(Proposal.objects).select_related("call", *related).get(pk=pk)


def locked_under_call(proposal) -> Proposal:
    """Call and proposal: closing time and status of either cannot move under what is decided now."""
    call = locked_call(proposal.call_id)
    stored = locked_proposal(proposal.pk)
    stored.call = call
    return stored


def lock_all(pks) -> None:
    """Hold several proposals. Their order is the same for everybody."""
    list(hold(Proposal.objects).filter(pk__in=pks).order_by("pk").values_list("pk"))
