from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "psc_portal.accounts"
    label = "accounts"

    def ready(self):
        from psc_portal.accounts import events

        events.connect()
