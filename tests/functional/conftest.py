"""The real portal, for tests in a browser.

One stack for all of them, or one for each process of `pytest -n`: gunicorn, Celery worker and beat as processes of
their own, on a database, a Valkey and a folder of files that exist for these tests only. Nothing is flushed between
tests: each journey makes its own people, organisation and call. Inside these tests Django's own connection speaks to
the stack's database too.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, sync_playwright

from psc_portal import local_servers
from tests.functional.browsing import DESKTOP, totp_code

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# The stack -----------------------------------------------------------------------------------------------------------
@dataclass
class Stack:
    folder: Path
    database: str
    port: int
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.folder / 'valkey.sock'}"

    @property
    def database_url(self) -> str:
        return urlunsplit(urlsplit(django_settings.DATABASE_URL)._replace(path=f"/{self.database}"))

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "psc_portal.settings",
            "DEMO": "1",
            "PORTAL_URL": self.url,
            "PORT": str(self.port),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(self.folder / "static"),
            "PYTHONUNBUFFERED": "1",
        }

    def commands(self) -> dict[str, list[str]]:
        celery = [sys.executable, "-m", "celery", "-A", "psc_portal"]
        return {
            "valkey": local_servers.valkey_command(socket_name=self.folder / "valkey.sock", folder=self.folder),
            "web": [sys.executable, "-m", "gunicorn", "psc_portal.wsgi"],
            "worker": [*celery, "worker", "--queues=default,reports", "--concurrency=2", "--loglevel=INFO"],
            "renderer": [*celery, "worker", "--queues=rendering", "--concurrency=1", "--hostname=renderer@%h"],
            "beat": [*celery, "beat", f"--schedule={self.folder / 'beat-schedule'}", "--pidfile="],
        }

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands()[name],
                cwd=CHECKOUT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def manage(self, *arguments: str) -> str:
        outcome = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return outcome.stdout

    def wait_until_ready(self, seconds: int = 60) -> None:
        give_up = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz/ready", timeout=5):
                    return
            except (urllib.error.URLError, OSError) as error:
                problem = error
            if time.monotonic() > give_up or self.processes["web"].poll() is not None:
                raise AssertionError(f"{problem}\n{(self.folder / 'web.log').read_text()[-4000:]}")
            time.sleep(0.1)

    def allow_log_ins(self) -> None:
        """Everyone here comes from one address: forget how often, or the log-in limit refuses the eleventh."""
        self._forget("*:rl:*")

    def forget_kept_pages(self) -> None:
        """What a factory makes is told to no page: visitors would see the one that was kept for up to a minute."""
        self._forget("*:page:*")

    def _forget(self, keys: str) -> None:
        client = redis.Redis.from_url(self.redis_url)
        for key in client.scan_iter(keys):
            client.delete(key)
        client.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory, django_db_blocker):
    stack = Stack(tmp_path_factory.mktemp("stack"), f"portal_functional_{os.getpid()}", free_port())
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {stack.database} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {stack.database}")
    try:
        stack.start("valkey")
        stack.manage("migrate", "--no-input", "--verbosity=0")
        stack.manage("seed_demo")
        stack.manage("collectstatic", "--no-input", "--verbosity=0")
        for name in ("web", "worker", "renderer", "beat"):
            stack.start(name)
        stack.wait_until_ready()
        yield stack
    finally:
        for name in ("beat", "renderer", "worker", "web", "valkey"):
            if name in stack.processes:
                stack.stop(name)
        with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {stack.database} WITH (FORCE)")
        shutil.rmtree(stack.folder / "static", ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(autouse=True)
def _stack_database(stack, settings, django_db_blocker):
    """Factories and queries of a test here see what the browser sees, and hash passwords as the stack does."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    settings.MEDIA_ROOT = stack.folder / "media"
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = stack.database
    with django_db_blocker.unblock():
        yield
        connection.close()
    connection.settings_dict["NAME"] = own


# The browser ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session", autouse=True)
def _clicks_wait_for_whole_pages():
    """After a click that leads to another page, wait for all of it: Playwright waits until it has begun to come."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("click", "dblclick"):
            patch.setattr(Locator, name, followed_by_a_wait(getattr(Locator, name)))
        yield


def followed_by_a_wait(action):
    def act_and_wait(locator, **options):
        action(locator, **options)
        locator.page.wait_for_load_state()

    return act_and_wait


@pytest.fixture(scope="session")
def browser():
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    program = next(filter(None, (shutil.which(name) for name in names if name)), None)
    assert program, "No Chromium found: script/setup tests installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, stack):
    """`visit(width=PHONE)` opens a window of its own: nobody logged in, nothing remembered.

    At the end of the test no page may have logged an error, failed to load a part, or asked another host for anything.
    `page.expected_errors` takes patterns of those that the test provokes (a 404, say).
    """
    contexts, pages = [], []

    def open_window(width: int = DESKTOP, **options):
        context = browser.new_context(
            base_url=stack.url,
            viewport={"width": width, "height": 900},
            locale="en-GB",
            timezone_id="Europe/London",
            **options,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.problems, page.expected_errors = [], []
        pages.append(page)

        def stay_here(route):
            if route.request.url.startswith((stack.url, "data:", "blob:")):
                route.continue_()
            else:
                page.problems.append(f"asked a foreign host: {route.request.url}")
                route.abort()

        context.route("**/*", stay_here)
        page.on("console", lambda message: note_console(page, message))
        page.on("pageerror", lambda error: page.problems.append(f"{page.url}: {error}"))
        page.on("requestfailed", lambda request: note_failure(page, request))
        return page

    open_window.pages = pages
    yield open_window
    for context in contexts:
        context.close()
    assert [
        problem
        for page in pages
        for problem in page.problems
        if not any(re.search(pattern, problem) for pattern in page.expected_errors)
    ] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Say what was on the screen when a browser test failed, and keep a picture of it in test-results/."""
    report = yield
    windows = getattr(getattr(item, "funcargs", {}).get("visit"), "pages", [])
    if call.when == "call" and report.failed and windows:
        folder = CHECKOUT / "test-results"
        folder.mkdir(exist_ok=True)
        for number, page in enumerate(windows, 1):
            if page.is_closed() or page.url == "about:blank":
                continue
            picture = folder / f"{re.sub(r'[^a-z0-9]+', '-', item.name.lower())[:80]}-{number}.png"
            try:
                page.screenshot(path=picture)
                text = page.locator("body").inner_text()[:1500]
            except PlaywrightError as error:
                text = str(error)
            report.sections.append((f"window {number}: {page.url}, {picture}", text))
    return report


def note_console(page, message) -> None:
    if message.type in {"error", "warning"}:
        page.problems.append(f"{page.url}: {message.text} ({message.location.get('url', '')})")


def note_failure(page, request) -> None:
    if "ERR_ABORTED" not in (request.failure or ""):  # a download or a page left early
        page.problems.append(f"{page.url}: {request.url} {request.failure}")


# What every page must be ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def axe_source() -> str:
    return (CHECKOUT / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def axe(axe_source):
    """`axe(page)` fails on any accessibility violation; `axe(page, stock_admin=True)` on serious and critical ones."""

    def check(page, *, stock_admin: bool = False):
        page.evaluate(axe_source)
        violations = page.evaluate(
            "tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(result => result.violations)", AXE_TAGS
        )
        if stock_admin:
            violations = [
                violation
                for violation in violations
                if violation["impact"] in {"serious", "critical"} and "best-practice" not in violation["tags"]
            ]
        found = [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in violations
            for node in violation["nodes"][:3]
        ]
        assert not found, f"{page.url} ({page.viewport_size['width']} px)\n" + "\n".join(found)

    return check


# People --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def make_person(stack):
    """`make_person(staff=True)` makes someone who can log in, with a TOTP secret where the role needs one."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from psc_portal.accounts import second_factor
    from tests.factories.accounts import PASSWORD, UserFactory

    def make(*, totp: bool | None = None, **traits):
        user = UserFactory(email=f"person-{time.time_ns()}@example.org", **traits)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        user.plain_password = PASSWORD
        user.totp_secret = None
        if second_factor.is_needed_by(user) if totp is None else totp:
            user.totp_secret = generate_totp_secret()
            TOTP.activate(user, user.totp_secret)
        return user

    return make


@pytest.fixture
def log_in(stack):
    """`log_in(page, user)` through the log-in pages, as a person would."""

    def fill_in(page, user):
        stack.allow_log_ins()
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(user.email)
        page.locator("input[name=password]").fill(user.plain_password)
        page.locator("main form button[type=submit]").first.click()
        if user.totp_secret:
            page.locator("input[name=code]").fill(totp_code(user.totp_secret))
            page.locator("main form button[type=submit]").first.click()
        page.wait_for_url(lambda url: "/accounts/" not in url)

    return fill_in
