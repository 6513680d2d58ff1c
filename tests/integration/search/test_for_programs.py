"""What other programs read: feeds, sitemap, robots, canonical addresses and structured data."""

import datetime as dt
import json
import re
from xml.etree import ElementTree as ET

import pytest

from psc_portal.common import clock
from psc_portal.common.templatetags.portal import json_ld
from psc_portal.search import sitemap
from tests.factories.content import PageVersionFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def entries(client, address):
    feed = ET.fromstring(client.get(address).content)
    for name in ("id", "title", "updated"):
        assert feed.find(ATOM + name).text
    assert feed.find(f"{ATOM}link[@rel='self']").get("href").endswith(address)
    for entry in feed.findall(ATOM + "entry"):
        for name in ("id", "title", "updated"):
            assert entry.find(ATOM + name).text
    return [entry.find(ATOM + "id").text for entry in feed.findall(ATOM + "entry")]


def test_a_feed_of_everything_of_a_kind_a_priority_and_an_organisation(client):
    priority, organisation = PriorityFactory(), OrganisationFactory()
    mine = ProjectFactory(title="A & B <c>", priorities=[priority], lead_organisation=organisation)
    other = ProjectFactory()
    ProjectFactory(priorities=[priority], lead_organisation=organisation, is_public=False)
    ours, theirs = (f"http://testserver{row.get_absolute_url()}" for row in (mine, other))

    assert {ours, theirs} <= set(entries(client, "/feed/"))
    assert set(entries(client, "/kinds/project/feed/")) == {ours, theirs}
    assert set(entries(client, f"/priorities/{priority.slug}/feed/")) == {
        ours, f"http://testserver{priority.get_absolute_url()}"
    }  # fmt: skip
    assert entries(client, f"/organisations/{organisation.slug}/feed/") == [ours]
    assert client.get("/kinds/nonsense/feed/").status_code == 404


def test_a_feed_is_the_same_for_staff(client_as, client):
    from tests.factories.accounts import UserFactory

    ProjectFactory(is_public=False)

    assert (
        entries(client_as(UserFactory(staff=True)), "/kinds/project/feed/")
        == entries(client, "/kinds/project/feed/")
        == []
    )


def test_the_sitemap_holds_every_public_page_and_no_other(client):
    project, hidden = ProjectFactory(), ProjectFactory(is_public=False)
    later = PageVersionFactory(publish_at=clock.now() + dt.timedelta(days=1)).page

    rows = ET.fromstring(client.get("/sitemap.xml").content).findall(MAP + "url")

    found = {row.find(MAP + "loc").text: row.find(MAP + "lastmod") for row in rows}
    assert found[f"http://testserver{project.get_absolute_url()}"].text[:4] == str(clock.today().year)
    assert f"http://testserver{hidden.get_absolute_url()}" not in found
    assert f"http://testserver{later.get_absolute_url()}" not in found
    assert all(client.get(address.removeprefix("http://testserver")).status_code == 200 for address in found)


def test_a_large_sitemap_is_an_index_of_parts(client, monkeypatch):
    monkeypatch.setattr(sitemap, "IN_ONE", 5)

    index = ET.fromstring(client.get("/sitemap.xml").content)
    parts = [part.text.removeprefix("http://testserver") for part in index.iter(MAP + "loc")]
    sizes = [len(ET.fromstring(client.get(part).content).findall(MAP + "url")) for part in parts]

    assert len(parts) > 1
    assert all(size == 5 for size in sizes[:-1])
    assert 1 <= sizes[-1] <= 5


def test_robots_are_kept_out_of_what_is_not_for_them(client):
    text = client.get("/robots.txt").content.decode()

    assert "Disallow: /admin/" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("/projects/?stage=testing&q=falls", "/projects/"),
        ("/projects/?page=2&q=falls", "/projects/?page=2"),
        ("/projects/?page=1", "/projects/"),
        ("/projects/?page=%22%3E", "/projects/"),
        ("/projects/?page=99999999999", "/projects/"),
    ],
)
def test_a_page_names_its_one_address(client, address, canonical):
    html = client.get(address).content.decode()

    assert f'<link rel="canonical" href="http://testserver{canonical}">' in html
    assert 'type="application/atom+xml"' in html


def test_a_page_says_what_to_show_where_it_is_shared(client):
    project = ProjectFactory(title='Falls "and" <more>', lay_summary="Fewer falls.")

    html = client.get(project.get_absolute_url()).content.decode()

    assert '<meta property="og:title" content="Falls &quot;and&quot; &lt;more&gt;">' in html
    assert '<meta property="og:description" content="Fewer falls.">' in html


def test_structured_data_cannot_end_its_element():
    html = json_ld({"name": "</script><script>alert(1)</script> & \u2028"})

    assert html.count("<") == 2
    inner = re.fullmatch(r'<script type="application/ld\+json">(.*)</script>', html)[1]
    assert json.loads(inner)["name"] == "</script><script>alert(1)</script> & \u2028"
