from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend

from psc_portal.accounts.adapter import may_log_in


class AuthenticationBackend(AllauthBackend):
    """Also asked on every request of an open session: a closed account or a demonstration user stops there."""

    def user_can_authenticate(self, user):
        return may_log_in(user)
