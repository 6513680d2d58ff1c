from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.core.management.base import BaseCommand, CommandError

from psc_portal.accounts import second_factor
from psc_portal.accounts.models import User
from psc_portal.management.demo.people import PASSWORD, PEOPLE


class Command(BaseCommand):
    help = "Print the current log-in code of a demonstration user; without one, all the demonstration log-ins"

    def add_arguments(self, parser):
        parser.add_argument("email", nargs="?")

    def handle(self, *, email, **options):
        if email:
            self.stdout.write(current_code(email))
            return
        self.stdout.write(f"The password of all of them is {PASSWORD}\n\n")
        for person in PEOPLE:
            second = "with a code" if person.totp_secret else ""
            self.stdout.write(f"  {person.email:<26}{second:<13}{person.who}")
        self.stdout.write("\nThe code of the minute: .venv/bin/python manage.py demo_code staff@demo.example")


def current_code(email: str) -> str:
    authenticator = Authenticator.objects.filter(
        user__email__iexact=email, user__is_demonstration=True, type=Authenticator.Type.TOTP
    ).first()
    if authenticator is None:
        if User.objects.filter(email__iexact=email, is_demonstration=True).exists():
            raise CommandError(f"{email} logs in without a code.")
        raise CommandError(f"{email} is no demonstration user. These are: {', '.join(p.email for p in PEOPLE)}")
    return second_factor.current_code(decrypt(authenticator.data["secret"]))
