import html
import json
import re
import secrets

from django.conf import settings
from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from proposals.models import Proposal
from psc_portal.management.bench import works
from psc_portal.management.bench.seed import seed

NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT")


class Command(BaseCommand):
    help = "Fill the empty database of script/bench, count the queries of each page, and print both as JSON"

    def add_arguments(self, parser):
        parser.add_argument("--proposals", type=int, required=True)

    def handle(self, *, proposals, **options):
        if settings.ROOT_URLCONF != "psc_portal.management.bench.urls":
            raise CommandError("This is a part of script/bench.")
        if Proposal.objects.exists():
            raise CommandError("There is data already: start from an empty database.")
        found = seed(proposals)
        queries = {work.name: count_queries(work, found) for work in works.WORKS}
        self.stdout.write(json.dumps(found | {"queries": queries}))


def count_queries(work, found) -> int:
    """Of the second look: the first one fills what is kept. What begins and ends transactions is not counted."""
    client = Client(headers={"cookie": found["cookies"][work.who]}, SERVER_NAME="127.0.0.1")
    path = works.path_of(work, found["addresses"])
    for _ in range(2):
        if work.is_cold:
            cache.clear()
        page = client.get(found["addresses"][work.page]).content.decode() if work.page else ""
        with CaptureQueriesContext(connection) as captured:
            _ask(client, path, work, typed_on(page, found) if page else None)
    return len([one for one in captured if not one["sql"].startswith(NOT_COUNTED)])


def typed_on(page: str, found) -> dict:
    """What somebody sends who has changed the title: all answers of the page, and its hidden fields."""
    found_hidden = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page)
    hidden = {name: html.unescape(value) for name, value in found_hidden}
    return found["typed"] | hidden | {"title": f"Title {secrets.token_hex(4)}"}


def _ask(client, path, work, form=None):
    answer = client.post(path, form) if form else client.get(path)
    if answer.status_code >= 400 or (answer.status_code == 302 and not form):
        raise CommandError(f"{work.name}: {path} answered {answer.status_code}")
    if answer.streaming:
        b"".join(answer.streaming_content)
