"""Who may do what with pledges."""

from pledges.models import SignUp
from projects.models import Affiliation, Organisation


def is_member(user, organisation) -> bool:
    """Whether the user has a current, confirmed affiliation with the organisation."""
    return Organisation.objects.of_member(user).filter(pk=organisation.pk).exists()


def can_sign_for(user, organisation) -> bool:
    """A member, or somebody whose claim waits to be confirmed; publication waits for that confirmation."""
    if not user.is_authenticated or organisation.closed_on:
        return False
    has_claimed = Affiliation.objects.filter(
        user=user, organisation=organisation, status=Affiliation.Status.CLAIMED
    ).exists()
    return has_claimed or is_member(user, organisation)


def can_edit(user, sign_up) -> bool:
    """While it is a draft or returned: members, and whoever began it and has claimed to belong there."""
    if sign_up.status not in SignUp.EDITABLE:
        return False
    if sign_up.signatory_id == user.pk:
        return can_sign_for(user, sign_up.organisation)
    return user.is_authenticated and is_member(user, sign_up.organisation)


def can_withdraw(user, sign_up) -> bool:
    """Before publication, whoever may edit it; staff at any time before its end."""
    if not user.is_authenticated or sign_up.status in SignUp.OVER:
        return False
    if user.is_programme_staff:
        return True
    if sign_up.status == SignUp.Status.PUBLISHED:
        return False
    return sign_up.signatory_id == user.pk or is_member(user, sign_up.organisation)


def can_moderate(user, sign_up=None) -> bool:
    return user.is_authenticated and user.is_programme_staff


def can_post_progress(user, sign_up) -> bool:
    """Members of the organisation, while the pledges stand."""
    return user.is_authenticated and sign_up.status == SignUp.Status.PUBLISHED and is_member(user, sign_up.organisation)


def can_edit_wording(user, wording_set=None) -> bool:
    return user.is_authenticated and user.is_programme_staff
