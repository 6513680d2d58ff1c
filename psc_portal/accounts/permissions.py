"""Who may do what with accounts."""

from psc_portal.accounts import second_factor


def may_open_admin(request) -> bool:
    """The admin is for programme staff and reviewers whose session has shown a second factor."""
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return False
    return (user.is_programme_staff or user.is_reviewer) and second_factor.was_shown(request)


def can_manage_users(user, subject=None) -> bool:
    return bool(user and user.is_active and user.is_programme_staff)


def can_deactivate(user, subject) -> bool:
    """Nobody ends their own account by accident: another member of staff does it."""
    return can_manage_users(user) and user.pk != subject.pk


def can_reset_second_factor(user, subject) -> bool:
    """Your own factor is changed on your own pages, after showing it."""
    return can_manage_users(user) and user.pk != subject.pk
