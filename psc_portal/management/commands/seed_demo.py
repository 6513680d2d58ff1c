import datetime as dt
import time
from importlib import import_module

from django.core.management.base import BaseCommand, CommandError

from projects.models import Organisation
from psc_portal.accounts.models import User
from psc_portal.common import clock, demonstration
from psc_portal.management.demo.world import World

AREAS = [
    "organisations",
    "people",
    "consultations",
    "content",
    "projects",
    "learning",
    "measurement",
    "pledges",
    "proposals",
    "annual_report",
    "search",
]


class Command(BaseCommand):
    help = "Fill an empty database with the demonstration data, through the real actions"

    def add_arguments(self, parser):
        parser.add_argument("--today", type=dt.date.fromisoformat, default=None, help="the day that it is made for")
        parser.add_argument("--seed", type=int, default=2014)

    def handle(self, *, today, seed, **options):
        if Organisation.objects.exists() or User.objects.exists():
            raise CommandError("There is data already: start from an empty database.")
        world = World(today=today or clock.today(), seed=seed)
        demonstration.mark()
        for area in AREAS:
            started = time.monotonic()
            import_module(f"psc_portal.management.demo.{area}").make(world)
            self.stdout.write(f"{area.replace('_', ' ')}: {time.monotonic() - started:.1f} s")
