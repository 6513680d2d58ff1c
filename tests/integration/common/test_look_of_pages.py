"""What holds for every page: names of static files that exist, links that lead somewhere, colours from settings."""

import json
import re

import pytest
from django.conf import settings
from django.core.management import call_command

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STATIC_NAME = re.compile(r"""{%\s*static\s+["']([^"']+)["']""")


def test_every_static_name_of_a_template_is_in_the_manifest(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", "--no-input", verbosity=0)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]

    wanted = {(name, path.name) for path in TEMPLATES for name in STATIC_NAME.findall(path.read_text())}

    assert wanted
    assert {(name, place) for name, place in wanted if name not in names} == set()


def test_scripts_and_styles_are_files_of_their_own():
    """Inline scripts, styles and handlers are refused by the content security policy; JSON blocks are data."""
    inline = re.compile(r"<script(?![^>]*(?:\ssrc=|application/json))|<style|\sstyle=|\son[a-z]+=\"", re.IGNORECASE)

    found = [str(path) for path in TEMPLATES if "pdf" not in path.parts and inline.search(path.read_text())]

    assert found == []


def test_no_template_names_a_region():
    """Every other collaborative runs this portal by its settings alone."""
    found = [str(path) for path in TEMPLATES if re.search(r"East Midlands|EMAHSN|EMPSC", path.read_text())]

    assert found == []


@pytest.mark.django_db
def test_links_of_the_frame_lead_to_pages(client):
    frame = client.get("/no-such-page/").text
    addresses = set(re.findall(r'<(?:a|form)[^>]*(?:href|action)="(/[^"]*)"', frame))

    feedback = "/feedback/?page=/no-such-page/"
    assert {"/priorities/", "/how-can-we-help/", "/accessibility-statement/", "/search/", feedback} <= addresses
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


@pytest.mark.django_db
def test_the_colours_are_kept_by_the_browser_and_asked_for_by_etag(client):
    first = client.get("/theme.css")
    again = client.get("/theme.css", headers={"If-None-Match": first["ETag"]})

    assert first["Content-Type"] == "text/css; charset=utf-8"
    assert first["Cache-Control"] == "public, max-age=3600"
    assert "--app-brand:" in first.text
    assert again.status_code == 304


@pytest.mark.django_db
def test_nhs_identity_files_are_served_only_where_settings_name_them(client, settings, tmp_path):
    assert client.get("/theme/logo").status_code == 404
    assert client.get("/theme/FrutigerLTW01-55Roman.woff2").status_code == 404

    (tmp_path / "logo.svg").write_text("<svg/>")
    settings.NHS_LOGO_FILE = str(tmp_path / "logo.svg")
    assert client.get("/theme/logo")["Content-Type"] == "image/svg+xml"


@pytest.mark.django_db
def test_the_components_page_shows_everything(client):
    answer = client.get("/developers/components/")

    assert answer.status_code == 200
    for name in ("nhsuk-error-summary", "app-thread", "nhsuk-pagination", "nhsuk-date-input", "app-chart"):
        assert name in answer.text


@pytest.mark.django_db
def test_a_visitors_page_varies_on_no_cookie(client):
    answer = client.get("/no-such-page/")

    assert "Cookie" not in answer.get("Vary", "")
