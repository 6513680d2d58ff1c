from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "psc_portal.common"
    label = "common"
