"""The portal as another of the 15 collaboratives: real HTTP, its own settings, database and data, and no East Midlands.

Every page, feed, file and picture that a visitor can reach by links is read, and every mail that was written.
"""

import io
import re
import urllib.error
import urllib.request
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pypdf
import pytest
from django.db import connection

from tests.functional.conftest import Stack, free_port

ELSEWHERE = {
    "COLLABORATIVE_NAME": "West of England Patient Safety Collaborative",
    "COLLABORATIVE_SHORT_NAME": "West of England PSC",
    "COLLABORATIVE_REGION": "West of England",
    "COLLABORATIVE_NETWORK": "Health Innovation West of England",
    "COLLABORATIVE_NETWORK_SHORT": "HIWE",
    "COLLABORATIVE_EMAIL": "safety@west.example",
    "COLLABORATIVE_PHONE": "0117 496 0000",
    "REFERENCE_PREFIX": "WE",
    "THEME_BRAND": "#003087",
}
FOREIGN = re.compile(r"east\s+midlands|emahsn|leicester|lincolnshire|nottingham|derby|\bEM-20", re.IGNORECASE)
SEED = """
import os; os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
from measurement.models import Metric
from psc_portal.annual_report import actions as reports
from psc_portal.annual_report.models import AnnualReport, Rendering
from psc_portal.content import actions as content
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, frozen_report
from tests.factories.content import EditionFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.pledges import SignUpFactory
from tests.factories.projects import *
from tests.factories.proposals import CallFactory
staff, lead = UserFactory(staff=True), UserFactory(lead=True)
bristol = OrganisationFactory(name="Avon Hospital", system=SystemFactory(name="Avon", code="QAV"))
priority = PriorityFactory(title="Falls", slug="falls")
project = ProjectFactory(title="Handrails", slug="handrails", priorities=[priority], lead_organisation=bristol)
metric = MetricFactory(project=project, priority=priority, code="WE1")
fill(SeriesFactory(metric=metric), [(9, 10)] * 14)
call = CallFactory(slug="a-call"); call.priorities.set([priority])
SignUpFactory(published=True, organisation=bristol)
ConsultationFactory(slug="a-consultation"); EventFactory(); LearningResourceFactory(); OfferFactory(); EditionFactory()
feedback = content.give_feedback(message="Thank you", email="reader@example.org")
content.publish_answer(feedback=feedback, you_said="Thanks.", we_did="We said so.", by=staff)
report = frozen_report(by=lead)
rendering = Rendering.objects.create(snapshot=report.snapshot, requested_by=lead)
reports.render(rendering=rendering)
reports.publish_report(report=report, by=lead)
"""
MAILS = """
from psc_portal.common.models import OutboxMessage
for mail in OutboxMessage.objects.filter(kind="mail"):
    print(mail.subject, mail.body)
"""


class Elsewhere(Stack):
    @property
    def environment(self):
        foreign = {name: value for name, value in super().environment.items() if name not in ELSEWHERE}
        return foreign | ELSEWHERE | {"PYTHONPATH": "."}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, django_db_setup, django_db_blocker):
    import os

    portal = Elsewhere(tmp_path_factory.mktemp("elsewhere"), f"portal_elsewhere_{os.getpid()}", free_port())
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {portal.database}")
    try:
        portal.start("valkey")
        portal.manage("migrate", "--no-input", "--verbosity=0")
        portal.manage("collectstatic", "--no-input", "--verbosity=0")
        portal.manage("shell", "-v0", "-c", SEED)
        portal.start("web")
        portal.wait_until_ready()
        yield portal
    finally:
        for name in [*portal.processes]:
            portal.stop(name)
        with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {portal.database} WITH (FORCE)")


def read(url: str) -> tuple[int, str, str]:
    """Status, kind and text of an address; of a PDF the text on its pages and its properties."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            status, kind, body = answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, kind, body = error.code, error.headers.get_content_type(), error.read()
    if kind == "application/pdf":
        pdf = pypdf.PdfReader(io.BytesIO(body))
        return status, kind, "\n".join([str(pdf.metadata), *(page.extract_text() for page in pdf.pages)])
    return status, kind, body.decode("utf-8", "replace")


def everything(portal) -> dict[str, tuple[int, str, str]]:
    """Each address that can be reached by links from the home page, with what it answers."""
    begin = ["/", "/thread/", "/not-there/", "/calls/feed/", "/theme.css", "/robots.txt", "/sitemap.xml"]
    waiting, found = [portal.url + path for path in begin], {}
    while waiting and len(found) < 400:
        url = waiting.pop(0)
        if url in found:
            continue
        found[url] = read(url)
        if found[url][1] != "text/html":
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', found[url][2]):
            target = urldefrag(urljoin(url, unescape(link)))[0]
            is_ours = target.startswith(portal.url) and not urlsplit(target).path.startswith("/static/")
            if is_ours and "page=" not in target and target not in waiting:
                waiting.append(target)
    return found


def test_no_page_file_or_mail_speaks_of_another_region(elsewhere):
    found = everything(elsewhere)

    kinds = {kind for _status, kind, _text in found.values()}
    assert {"text/html", "application/pdf", "text/css", "application/atom+xml", "text/calendar"} <= kinds, kinds
    assert len(found) > 60
    broken = [url for url, (status, _kind, _text) in found.items() if status >= 500]
    assert broken == []
    traces = {url: sorted(set(FOREIGN.findall(text))) for url, (_s, _k, text) in found.items() if FOREIGN.search(text)}
    assert traces == {}
    mails = elsewhere.manage("shell", "-v0", "-c", MAILS)
    assert "West of England" in mails
    assert not FOREIGN.search(mails), mails


def test_the_pages_carry_the_names_contact_and_colours_of_the_settings(elsewhere):
    home, contact, theme = (read(elsewhere.url + path)[2] for path in ("/", "/contact/", "/theme.css"))

    assert "Safer care in the West of England" in home
    assert "Health Innovation West of England" in home
    assert 'name="theme-color" content="#003087"' in home
    assert "safety@west.example" in contact
    assert "0117 496 0000" in contact
    assert "--app-brand: #003087" in theme
