from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from psc_portal.accounts.adapter import may_log_in


class AuthenticationBackend(AllauthBackend):
    """Also asked on every request of an open session: a closed account or a demonstration user stops there."""

    def user_can_authenticate(self, user):
        return may_log_in(user)

    def get_user(self, user_id):
        """With the roles, which nearly every page asks for: one query instead of two."""
        groups = Group.objects.filter(user=OuterRef("pk")).values("name")
        user = get_user_model().objects.filter(pk=user_id).annotate(group_names=ArraySubquery(groups)).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        user.roles = frozenset(user.group_names) if user.is_active else frozenset()
        return user
