from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from psc_portal.accounts import actions
from psc_portal.common.refusals import ActionRefused


class Command(BaseCommand):
    help = "Make the first administrator of a new installation and print the link at which they set their password."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="full name, as others shall see it")

    def handle(self, *, email, name, **options):
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an email address")
        try:
            link = actions.create_first_administrator(email=email, full_name=name)
        except ActionRefused as refusal:
            raise CommandError(str(refusal))
        self.stdout.write(f"{email} is the administrator of this portal. The link works once, for one day:\n{link}")
