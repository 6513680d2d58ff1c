from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "psc_portal.accounts"
    label = "accounts"
