import pytest

from psc_portal.common.markdown import render_markdown


def test_headings_start_below_the_page_s_own():
    assert render_markdown("# Why\n\n## How") == "<h2>Why</h2>\n<h3>How</h3>"


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="data:text/html,x" onclick="x()">x</a>',
        "<svg/onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
        '<p style="position:fixed">x</p>',
    ],
)
def test_markup_that_does_things_is_taken_out(attack):
    html = render_markdown(attack)

    assert not any(
        word in html for word in ["<script", "onerror", "onclick", "javascript:", "data:", "<iframe", "style"]
    )


def test_table_headers_have_a_scope():
    assert '<th scope="col">Year</th>' in render_markdown("|Year|\n|---|\n|2026|")
