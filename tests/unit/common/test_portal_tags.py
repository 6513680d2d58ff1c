import datetime as dt

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.html import format_html

from psc_portal.common.highlight import START, STOP, marked
from psc_portal.common.templatetags.portal import is_current, last_link, lines, nhsuk, uk_date, uk_datetime, uk_time


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (utc(2026, 6, 28, 16), "28 June 2026 at 5pm BST"),
        (utc(2026, 1, 28, 17), "28 January 2026 at 5pm GMT"),
        (utc(2026, 3, 29, 0, 59), "29 March 2026 at 12:59am GMT"),
        (utc(2026, 3, 29, 1, 0), "29 March 2026 at 2am BST"),
        (utc(2026, 10, 25, 0, 30), "25 October 2026 at 1:30am BST"),
        (utc(2026, 10, 25, 1, 30), "25 October 2026 at 1:30am GMT"),
        (utc(2026, 7, 1, 11), "1 July 2026 at midday BST"),
        (utc(2026, 6, 30, 23), "1 July 2026 at midnight BST"),
        (utc(2026, 12, 31, 12, 5), "31 December 2026 at 12:05pm GMT"),
    ],
)
def test_a_moment_is_shown_in_london_time_with_its_zone(moment, shown):
    assert uk_datetime(moment) == shown


def test_a_date_has_no_leading_zero_and_a_moment_is_taken_on_its_london_day():
    assert uk_date(dt.date(2026, 6, 8)) == "8 June 2026"
    assert uk_date(utc(2026, 6, 30, 23, 30)) == "1 July 2026"


def test_what_is_not_a_date_is_shown_as_nothing():
    assert (uk_date(None), uk_datetime(""), uk_time(dt.date(2026, 1, 1))) == ("", "", "")


def test_lines_keep_paragraphs_and_line_ends_and_escape_the_rest():
    assert lines("One <b>\r\ntwo\n\n\nThree & four") == "<p>One &lt;b&gt;<br>two</p><p>Three &amp; four</p>"


def test_a_component_has_the_markup_of_the_nhsuk_frontend():
    html = Template('{% nhsuk "tag" text=words classes="nhsuk-tag--green" %}').render(Context({"words": "A < B"}))

    assert html == '<strong class="nhsuk-tag nhsuk-tag--green">\n  A &lt; B\n</strong>'


def test_a_double_underscore_goes_one_level_down():
    html = nhsuk("input", name="title", label__text="Title", label__size="l")

    assert 'class="nhsuk-label nhsuk-label--l"' in html
    assert 'for="title"' in html


def test_html_of_a_component_must_be_safe():
    assert "<b>x</b>" in nhsuk("insetText", html=format_html("<b>{}</b>", "x"))
    with pytest.raises(TemplateSyntaxError, match="safe HTML"):
        nhsuk("summaryList", rows=[{"key": {"text": "a"}, "value": {"html": "<b>x</b>"}}])


def test_a_component_that_does_not_exist_says_so():
    with pytest.raises(TemplateSyntaxError, match="no component called teaCup"):
        nhsuk("teaCup")


@pytest.mark.parametrize(
    ("path", "url", "current"),
    [
        ("/projects/", "/projects/", True),
        ("/projects/falls/", "/projects/", True),
        ("/projects-old/", "/projects/", False),
        ("/projects/", "/", False),
    ],
)
def test_a_navigation_entry_is_current_on_its_page_and_below(path, url, current):
    assert is_current(path, url) is current


def test_the_way_back_leads_to_the_last_breadcrumb_with_an_address():
    assert last_link([("Projects", "/projects/"), ("Falls", "")]) == ("Projects", "/projects/")
    assert last_link([]) == ("Home", "/")


def test_a_visitor_without_cookies_needs_no_session():
    request = RequestFactory().get("/")  # has neither user nor session

    html = Template("{% if request|is_signed_in %}in{% else %}out{% endif %}{{ request|messages_for|length }}").render(
        Context({"request": request})
    )

    assert html == "out0"


def test_a_search_snippet_of_a_table_reads_as_words():
    snippet = (
        f"## Falls\n| {START}Falls{STOP} per 1,000 bed days | | Delirium | Screen |\n|---|---|\n- see [the <plan>](/x/)"
    )

    assert marked(snippet) == "Falls, <mark>Falls</mark> per 1,000 bed days, Delirium, Screen, see the &lt;plan&gt;"
