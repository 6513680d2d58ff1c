import pytest

from psc_portal.common.refusals import ActionRefused
from psc_portal.content.essential_pages import essential_pages
from psc_portal.content.placeholders import filled_in, filled_in_markdown, refuse_unknown

ESSENTIAL = {
    "about",
    "about/criteria",
    "how-can-we-help",
    "accessibility-statement",
    "privacy",
    "cookies",
    "contact",
}


@pytest.fixture(autouse=True)
def another_collaborative(settings):
    settings.COLLABORATIVE = {"name": "Wessex PSC", "region": "Wessex", "phone": "", "email": "a_b@wessex.example"}


def test_placeholders_are_filled_in_from_the_settings():
    assert filled_in("The {{ collaborative.name }} in {{collaborative.region}}") == "The Wessex PSC in Wessex"


@pytest.mark.parametrize(
    "text",
    [
        "{{ collaborative.secret }}",
        "{{ settings.SECRET_KEY }}",
        "{{ collaborative.__class__ }}",
        "{% load static %}",
        "{{ collaborative.name|safe }}",
    ],
)
def test_nothing_else_in_braces_is_ever_run(text):
    assert filled_in(text) == text


def test_markup_in_a_setting_does_not_become_markup(settings):
    settings.COLLABORATIVE = {"name": "[A](http://b) *c* <script>"}

    assert filled_in_markdown("{{ collaborative.name }}") == r"\[A\](http://b) \*c\* \<script\>"


def test_a_line_without_a_value_is_left_out():
    text = "- E-mail: <{{ collaborative.email }}>\n- Phone: {{ collaborative.phone }}"

    assert filled_in_markdown(text) == "- E-mail: <a_b@wessex.example>"


def test_a_placeholder_that_nothing_fills_in_is_refused_with_the_names_that_there_are():
    with pytest.raises(ActionRefused, match=r"collaborative.nmae .* There are: \{\{ collaborative.name \}\}"):
        refuse_unknown("The {{ collaborative.nmae }}")


def test_the_essential_pages_are_all_there_and_name_no_region():
    pages = {page.slug: page for page in essential_pages()}

    assert set(pages) >= ESSENTIAL
    for page in pages.values():
        text = f"{page.title} {page.summary} {page.body}"
        assert "East Midlands" not in text
        assert "EMAHSN" not in text
        refuse_unknown(filled_in(text).replace("{{ collaborative", "").replace("{{ portal", ""))
