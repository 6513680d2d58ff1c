from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "psc_portal.accounts"
    label = "accounts"

    def ready(self):
        from psc_portal.accounts import events, personal_data
        from psc_portal.common import personal_data as people

        events.connect()
        people.listed += personal_data.HELD
