import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

import psycopg2
import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from psc_portal.management.bench import charts, works
from psc_portal.management.bench.settings import CACHE_DATABASE
from psc_portal.management.bench.works import FLOORS, WORKS
from psc_portal.management.commands.bench_seed import typed_on

STARTS_WITHIN = 30  # seconds
WARM_UP = 16  # rounds: each thread of each process has its own connection, and its first queries are planned
HEAVY_EACH = 3  # rounds


class Command(BaseCommand):
    help = (
        "Measure the analysis of charts beside a plain pass, and the pages of calls and proposals beside bare Django "
        "views, at two sizes, and compare with the budgets"
    )

    def add_arguments(self, parser):
        parser.add_argument("--proposals", type=int, default=2000)
        parser.add_argument("--fewer", type=int, default=300, help="the size that growth is measured from")
        parser.add_argument("--rounds", type=int, default=30, help="times that each page is asked for")
        parser.add_argument("--only", default="", help="only works whose name holds this text")

    def handle(self, *, proposals, fewer, rounds, only, **options):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was made is dropped
        chosen = [work for work in WORKS if only.lower() in work.name.lower()]
        speed = charts.measure() if only.lower() in charts.NAME.lower() else None
        if speed:
            self.stdout.write(str(speed))
        if chosen:
            self.measure_pages(chosen, proposals, fewer, rounds)
        if speed and speed.is_over:
            raise SystemExit(1)

    def measure_pages(self, chosen, proposals, fewer, rounds):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="portal-bench-")))
            self.stdout.write(f"Filling two portals, with {proposals:,} and {fewer:,} proposals")
            portals = stack.enter_context(filled_portals({"many": proposals, "fewer": fewer}, folder))
            self.stdout.write(f"Measuring, {rounds} rounds")
            times = measure(chosen, portals["many"], portals["fewer"], rounds)
            downloads = {work.name: memory_of(work, portals["many"]) for work in chosen if work.is_download}
        results = [result_of(work, times, portals["many"], downloads.get(work.name)) for work in chosen]
        self.stdout.write(table(results))
        if any(result.problems for result in results):
            raise SystemExit(1)


# Portals that live as long as the measurement ------------------------------------------------------------------------
@dataclass
class Portal:
    name: str
    port: int
    process: subprocess.Popen
    addresses: dict
    typed: dict
    cookies: dict
    queries: dict


@contextmanager
def filled_portals(sizes: dict[str, int], folder: Path):
    with ExitStack() as stack:
        base = stack.enter_context(database("base"))
        secret = secrets.token_urlsafe(50)
        manage(environment(base, 1, "base", folder, secret), "migrate", "-v0")
        portals = {}
        for name, size in sizes.items():
            port = free_port()
            env = environment(stack.enter_context(database(name, like=base)), port, name, folder, secret)
            stack.callback(empty_cache, name)
            found = json.loads(manage(env, "bench_seed", "--proposals", str(size)).splitlines()[-1])
            portals[name] = Portal(name, port, stack.enter_context(served(env, port, folder)), **found)
        yield portals


@contextmanager
def database(name, like=None):
    """A database of our own on the portal's server, dropped at the end."""
    name = f"bench_{os.getpid()}_{name}"
    admin = psycopg2.connect(**{**connection.get_connection_params(), "cursor_factory": None})
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{like}"' if like else ""))
        yield name
    finally:
        with admin.cursor() as cursor:
            # Not WITH (FORCE): that may not end a vacuum, for which a plain DROP waits.
            ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = USER"
            cursor.execute(ours, [name])
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.close()


def environment(database_name, port, name, folder, secret) -> dict:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "psc_portal.management.bench.settings",
        "DATABASE_URL": _database_url(database_name),
        "REDIS_URL": settings.REDIS_URL,
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "BIND": f"127.0.0.1:{port}",
        "DEMO": "1",
        "DEBUG": "",
        "SECRET_KEY": secret,
        "MEDIA_ROOT": str(folder / "media"),
        "BENCH_NAME": f"{os.getpid()}-{name}",
        "WEB_CONCURRENCY": "2",
    }


def _database_url(name) -> str:
    there = settings.DATABASES["default"]
    password = f":{quote(there['PASSWORD'], safe='')}" if there.get("PASSWORD") else ""
    port = f":{there['PORT']}" if there.get("PORT") else ""
    return f"postgresql://{quote(there['USER'], safe='')}{password}@{quote(there['HOST'], safe='')}{port}/{name}"


def manage(env, *arguments) -> str:
    ran = subprocess.run(
        [sys.executable, "manage.py", *arguments], env=env, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    if ran.returncode:
        raise CommandError(f"{arguments[0]} failed:\n{ran.stderr[-3000:]}")
    return ran.stdout


@contextmanager
def served(env, port, folder):
    """Gunicorn with two workers, reachable from this machine only."""
    with (folder / f"{port}.log").open("wb") as log:
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "psc_portal.wsgi"]
        process = subprocess.Popen(command, env=env, cwd=settings.BASE_DIR, stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + STARTS_WITHIN
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > give_up:
                raise CommandError("gunicorn did not start:\n" + (folder / f"{port}.log").read_text()[-3000:])
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=40)


def _answers(port) -> bool:
    try:
        return ask(port, "/floor/cards/").status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def empty_cache(portal: str) -> None:
    """Of one portal: what the others keep stays kept."""
    client = redis.Redis.from_url(settings.REDIS_URL, db=CACHE_DATABASE)
    for key in client.scan_iter(f"bench-{os.getpid()}-{portal}:*"):
        client.delete(key)


# Asking --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    status: int
    body: bytes
    seconds: float
    first_byte: float


def ask(port, path, cookie="", form=None) -> Asked:
    server = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Cookie": cookie} if cookie else {}
    body = None
    if form:
        body = urlencode(form, doseq=True)
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{port}"}
    began = time.perf_counter()
    server.request("POST" if form else "GET", path, body, headers)
    answer = server.getresponse()
    first = answer.read(1)
    first_byte = time.perf_counter() - began
    content = first + answer.read()
    ended = time.perf_counter() - began
    server.close()
    return Asked(answer.status, content, ended, first_byte)


def do(work, portal) -> Asked:
    """One request, checked: a page that refuses would be quick."""
    path, cookie = works.path_of(work, portal.addresses), portal.cookies[work.who]
    form = None
    if work.page:
        page = ask(portal.port, portal.addresses[work.page], cookie)
        form = typed_on(page.body.decode(), {"typed": portal.typed})
        token = form["csrfmiddlewaretoken"]
        cookie = f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}"
    if work.is_cold:
        empty_cache(portal.name)
    asked = ask(portal.port, path, cookie, form)
    if asked.status != 200:
        raise CommandError(f"{work.name}: {path} answered {asked.status}\n{asked.body[:500].decode(errors='replace')}")
    return asked


def measure(chosen, many, fewer, rounds) -> dict[str, dict[str, list[float]]]:
    """Seconds by name and portal. Ours, the floor and the smaller size come in turn, so that whatever else the machine
    does falls on all alike."""
    times = {}
    floors = {work.floor for work in chosen}
    for number in range(-WARM_UP, rounds):
        is_counted = number >= 0
        for name in FLOORS:
            if name in floors and (number % HEAVY_EACH == 0 or name != "csv"):
                for _ in range(3 if name == "cached" else 1):
                    asked = ask(many.port, f"/floor/{name}/")
                    if asked.status != 200:
                        raise CommandError(f"The floor {name} answered {asked.status}")
                    seconds = asked.seconds
                    if is_counted:
                        times.setdefault(f"floor {name}", {}).setdefault("many", []).append(seconds)
        for work in chosen:
            if work.is_heavy and number % HEAVY_EACH:
                continue
            for portal in (many, fewer):
                asked = do(work, portal)
                if is_counted:
                    kept = times.setdefault(work.name, {})
                    kept.setdefault(portal.name, []).append(asked.seconds)
                    kept.setdefault(f"first byte {portal.name}", []).append(asked.first_byte)
    return times


def memory_of(work, portal) -> float | None:
    """Megabytes that the busiest process of the portal needed on top of what it had, for one download. Linux only."""
    if sys.platform != "linux":
        return None
    children = Path(f"/proc/{portal.process.pid}/task/{portal.process.pid}/children").read_text()
    processes = [int(pid) for pid in children.split()]
    for pid in processes:
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the highest use so far
        except OSError:
            return None
    before = {pid: _status(pid, "VmRSS") for pid in processes}
    for _ in range(2 * len(processes)):
        do(work, portal)
    return max((_status(pid, "VmHWM") - before[pid]) / 1024 for pid in processes)


def _status(pid, name) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


# Judging -------------------------------------------------------------------------------------------------------------
@dataclass
class Result:
    work: works.Work
    ours: float
    floor: float
    growth: float
    queries: int
    first_byte: float | None = None
    memory: float | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return self.ours / self.floor


def result_of(work, times, portal, memory) -> Result:
    ours = median(times[work.name]["many"])
    result = Result(
        work=work,
        ours=ours,
        floor=median(times[f"floor {work.floor}"]["many"]),
        growth=ours / median(times[work.name]["fewer"]),
        queries=portal.queries[work.name],
        first_byte=median(times[work.name]["first byte many"]) / ours if work.is_download else None,
        memory=memory,
    )
    over = {
        "time": result.ratio > work.ratio,
        "queries": result.queries > work.queries,
        "growth": result.growth > work.growth,
        "first byte": (result.first_byte or 0) > works.FIRST_BYTE,
        "memory": (memory or 0) > works.MEMORY_MB,
    }
    result.problems = [name for name, is_over in over.items() if is_over]
    return result


def table(results) -> str:
    head = f"{'work':34} {'ours ms':>8} {'floor ms':>9} {'ratio':>6} {'of':>5} {'queries':>8} {'of':>3} "
    head += f"{'growth':>7} {'of':>5}"
    lines = ["", head, "-" * (len(head) + 6)]
    for one in results:
        lines.append(
            f"{one.work.name:34} {one.ours * 1000:8.1f} {one.floor * 1000:9.1f} {one.ratio:6.2f} {one.work.ratio:5.1f} "
            f"{one.queries:8} {one.work.queries:3} {one.growth:7.2f} {one.work.growth:5.1f}  "
            + ("over: " + ", ".join(one.problems) if one.problems else "ok")
        )
        if one.first_byte is not None:
            memory = "not measured here" if one.memory is None else f"{one.memory:.1f} of {works.MEMORY_MB} MB"
            lines.append(f"{'':34} first byte after {one.first_byte:.0%} of the time; memory {memory}")
    lines += [
        "",
        "Times are medians of single requests to two gunicorn workers; only ratios mean anything on a busy machine.",
    ]
    return "\n".join(lines)
