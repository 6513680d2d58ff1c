import pytest
from django.contrib.auth.models import AnonymousUser

from psc_portal.annual_report import providers
from psc_portal.common import clock
from psc_portal.common.registry import Place
from psc_portal.search.finding import search
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, SectionFactory, frozen_report, published_report
from tests.factories.projects import PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def test_the_thread_of_a_project_leads_to_its_chapter_in_published_reports_only(django_assert_num_queries):
    priority = PriorityFactory(slug="falls")
    project = ProjectFactory(priorities=[priority])
    reports = []
    for make in (published_report, frozen_report):
        report = AnnualReportFactory(data_cut_on=clock.today())
        SectionFactory(report=report, kind="priority", priority=priority, heading="Falls")
        reports.append(make(report=report))

    with django_assert_num_queries(1):
        items = providers.thread(Place("project", project.pk), AnonymousUser())

    assert [(item.kind, item.title, item.url) for item in items] == [
        ("report", str(reports[0]), f"/reports/{reports[0].year}/#priority-falls")
    ]


def test_search_finds_sections_of_published_reports_only():
    for make, words in ((published_report, "Delirium was found earlier"), (frozen_report, "Delirium in the draft")):
        report = AnnualReportFactory()
        SectionFactory(report=report, heading="Older people", text=words)
        make(report=report)

    hits = search("delirium", user=AnonymousUser()).hits

    assert [hit.kind for hit in hits] == ["report"]
    assert "<mark>Delirium</mark> was found earlier" in hits[0].snippet
    assert hits[0].url.endswith("#foreword")


def test_what_waits_for_me_are_my_sections_until_they_are_signed_off():
    me = UserFactory(lead=True)
    mine = SectionFactory(owner=me, heading="My foreword")
    SectionFactory(owner=me, signed_off=True)
    SectionFactory(owner=UserFactory(lead=True))
    frozen_report(report=SectionFactory(owner=me).report)

    items = providers.waiting(me)

    assert [(item.title, item.url) for item in items] == [("My foreword", mine.get_absolute_url())]
