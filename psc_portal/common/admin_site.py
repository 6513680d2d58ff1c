from functools import partial

from django.conf import settings
from django.contrib.admin import AdminSite
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string


class PortalAdminSite(AdminSite):
    """Django's admin under the portal's own log-in: staff with a second factor only."""

    site_title = settings.COLLABORATIVE["short_name"]
    site_header = settings.COLLABORATIVE["name"]
    index_title = "Running the programme"
    enable_nav_sidebar = False

    def has_permission(self, request):
        return import_string("psc_portal.accounts.permissions.may_open_admin")(request)

    def get_app_list(self, request, app_label=None):
        """Asked for on every page and shown on two: each model is asked for permissions and addresses only there."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def login(self, request, extra_context=None):
        """The log-in of the portal, with its limits and its second factor, instead of the admin's own."""
        return import_string("allauth.account.decorators.secure_admin_login")(super().login)(request, extra_context)
