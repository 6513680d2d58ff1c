"""What script/bench measures with: the smallest portal it can fill, and how it judges what it measured."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from psc_portal.management.bench import works
from psc_portal.management.bench.seed import seed
from psc_portal.management.commands.bench import Portal, result_of, table
from psc_portal.management.commands.bench_seed import count_queries
from tests.factories.proposals import criteria

LIST = next(work for work in works.WORKS if work.name == "List of reviews, 50 with spread")
EXPORT = next(work for work in works.WORKS if work.is_download)


@pytest.fixture
def bench(settings):
    settings.ROOT_URLCONF = "psc_portal.management.bench.urls"
    settings.KEEP_PUBLIC_PAGES = True


@pytest.mark.django_db
def test_every_page_that_is_measured_answers_with_its_floor_and_within_its_queries(bench):
    criteria()
    found = seed(24)

    queries = {work.name: count_queries(work, found) for work in works.WORKS}
    floors = {name: Client().get(f"/floor/{name}/").status_code for name in works.FLOORS}

    assert json.dumps(found)
    assert floors == dict.fromkeys(works.FLOORS, 200)
    assert {work.name: queries[work.name] for work in works.WORKS if queries[work.name] > work.queries} == {}


def judged(work, *, ours, floor, fewer, queries, memory=None, first_byte=0.0):
    times = {
        work.name: {"many": [9, ours, ours], "fewer": [fewer] * 3, "first byte many": [first_byte] * 3},
        f"floor {work.floor}": {"many": [floor, floor, 9]},
    }
    return result_of(work, times, Portal("many", 0, None, {}, {}, {}, {work.name: queries}), memory)


def test_medians_are_judged_against_the_budgets():
    good = judged(LIST, ours=0.1, floor=0.05, fewer=0.1, queries=10)
    bad = judged(LIST, ours=0.3, floor=0.05, fewer=0.1, queries=11)
    export = judged(EXPORT, ours=1.0, floor=0.5, fewer=0.2, queries=4, memory=21.5, first_byte=0.9)

    assert (good.ratio, good.problems) == (2, [])
    assert bad.problems == ["time", "queries", "growth"]
    assert export.problems == ["first byte", "memory"]
    assert "over: time, queries, growth" in table([good, bad]) and "ok" in table([good])


@pytest.mark.django_db
def test_the_seed_refuses_every_database_but_its_own():
    with pytest.raises(CommandError, match="part of script/bench"):
        call_command("bench_seed", "--proposals", "1", stdout=io.StringIO())
