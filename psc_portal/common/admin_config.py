from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "psc_portal.common.admin_site.PortalAdminSite"
