"""The PDF renderer itself: accessible, repeatable, limited, and closed to the outside."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pypdf
import pytest

from psc_portal.common.pdf import PdfFailed, render_pdf
from tests.pdf_checks import assert_accessible, pdf_fonts, pdf_text, verapdf_failures

PAGE = """<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>A trial</title>{head}</head>
<body data-owner="The collaborative" data-mark="Demonstration data"><h1>A trial</h1>{body}</body></html>"""
TABLE = """<table><caption>Falls</caption><thead><tr><th scope="col">Month</th><th scope="col">Falls</th></tr></thead>
<tbody><tr><th scope="row">May</th><td>7</td></tr></tbody></table>"""
CHART = '<svg viewBox="0 0 200 20"><title>Seven falls in May</title><rect width="70" height="20" fill="#005eb8"/></svg>'


def page(body="<p>Words.</p>", head=""):
    return PAGE.format(body=body, head=head)


@pytest.fixture(scope="module")
def listener():
    """A web server on loopback that keeps what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = asked
    server.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_document_with_tables_and_charts_is_accessible_by_both_judges():
    pdf = render_pdf(page(TABLE + CHART + "<p>Ärger, señor, العربية, עברית</p>"))

    assert_accessible(pdf.content, by_verapdf=True)
    assert "العربية" in pdf_text(pdf.content)[0]


def test_the_judges_find_what_is_wrong():
    pdf = render_pdf(page(CHART.replace("<title>Seven falls in May</title>", "")))

    with pytest.raises(AssertionError, match="ALTERNATIVE-TEXT"):
        assert_accessible(pdf.content)
    assert [failure.split()[0] for failure in verapdf_failures(pdf.content)] == ["7.3-1"]


def test_header_cells_say_whether_they_head_a_row_or_a_column():
    content = render_pdf(page(TABLE)).content

    assert scopes(content) == ["/Column", "/Column", "/Row"]


def scopes(content):
    reader = pypdf.PdfReader(io.BytesIO(content))
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    return [item["/A"]["/Scope"] for item in objects if isinstance(item, dict) and item.get("/S") == "/TH"]


def test_the_same_document_gives_the_same_bytes():
    assert render_pdf(page(TABLE + CHART)).content == render_pdf(page(TABLE + CHART)).content


def test_only_openly_licensed_fonts_are_inside():
    fonts = pdf_fonts(render_pdf(page("<p>Words <strong>and</strong> <code>code</code> العربية</p>")).content)

    assert fonts
    assert all(font.startswith(("Liberation", "DejaVu")) for font in fonts)


def test_each_page_carries_owner_demonstration_mark_and_page_number():
    pages = pdf_text(render_pdf(page("<h2>One</h2>" + "<p>Words.</p>" * 200)).content)

    assert len(pages) > 2
    for number, text in enumerate(pages, start=1):
        assert "The collaborative" in text
        assert "Demonstration data" in text
        assert f"Page {number} of {len(pages)}" in text


def test_progress_is_told_and_never_runs_backwards():
    told = []

    render_pdf(page("<p>Words.</p>" * 300), on_progress=lambda percent, step: told.append((percent, step)))

    percents = [percent for percent, _ in told]
    assert percents == sorted(percents)
    assert any(step.startswith("Laying out page 3") for _, step in told)
    assert percents[-1] > 90


def test_a_caller_stops_the_rendering_by_raising():
    class Enough(Exception):
        pass

    def stop(percent, step):
        raise Enough

    with pytest.raises(Enough):
        render_pdf(page(), on_progress=stop)


VECTORS = {
    "image": '<img alt="x" src="http://{address}/a.png">',
    "stylesheet": '<link rel="stylesheet" href="http://{address}/a.css">',
    "import": "<style>@import url(http://{address}/a.css);</style>",
    "font": "<style>@font-face {{ font-family: f; src: url(http://{address}/f.woff) }} p {{ font-family: f }}</style>",
    "background": "<style>p {{ background: url(http://{address}/a.png) }}</style>",
    "content": "<style>p::before {{ content: url(http://{address}/a.png) }}</style>",
    "list mark": "<style>li {{ list-style-image: url(http://{address}/a.png) }}</style><ul><li>x</li></ul>",
    "object": '<object data="http://{address}/a.png"></object>',
    "embed": '<embed src="http://{address}/a.png">',
    "svg image": '<svg viewBox="0 0 9 9"><title>x</title><image href="http://{address}/a.png"/></svg>',
    "svg use": '<svg viewBox="0 0 9 9"><title>x</title><use href="http://{address}/a.svg#x"/></svg>',
    "svg image in old words": '<svg viewBox="0 0 9 9"><title>x</title><image xlink:href="http://{address}/a.png"/></svg>',
    "svg style": '<svg viewBox="0 0 9 9"><title>x</title><style>@import url(http://{address}/a.css);</style></svg>',
    "svg fill": '<svg viewBox="0 0 9 9"><title>x</title><rect width="9" height="9" fill="url(http://{address}/a#b)"/></svg>',
    "import of an import": "<style>@import url('data:text/css,@import url(http://{address}/a.css);');</style>",
    "base": '<base href="http://{address}/"><img alt="x" src="a.png">',
    "attachment": '<link rel="attachment" href="http://{address}/a.txt">',
    "ftp": '<img alt="x" src="ftp://{address}/a.png">',
    "no protocol": '<base href="http://{address}/"><img alt="x" src="//{address}/a.png">',
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_nothing_is_asked_of_the_network(vector, listener):
    listener.asked.clear()

    try:
        render_pdf(page(vector.format(address=listener.address) + "<p>Words.</p>"))
    except PdfFailed as failure:
        assert failure.reason == "outside"

    assert listener.asked == []


FILES = {
    "image": '<img alt="x" src="file://{path}">',
    "attachment": '<link rel="attachment" href="file://{path}">',
    "object": '<object data="file://{path}"></object>',
    "stylesheet": '<link rel="stylesheet" href="file://{path}">',
    "asset above": '<link rel="attachment" href="asset:../../{path}">',
    "asset absolute": '<link rel="attachment" href="asset:{path}">',
    "asset quoted": '<link rel="attachment" href="asset:%2e%2e/%2e%2e/{path}">',
}


@pytest.mark.parametrize("vector", FILES.values(), ids=FILES)
def test_no_file_outside_the_asset_folder_gets_in(vector, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret-words")

    with pytest.raises(PdfFailed) as failure:
        render_pdf(page(vector.format(path=secret) + "<p>Words.</p>"))

    assert failure.value.reason == "outside"


def test_a_symbolic_link_does_not_lead_out_of_the_asset_folder(tmp_path):
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "report.css").write_text("p { color: black }")
    (tmp_path / "secret.txt").write_text("the-secret-words")
    (assets / "link.txt").symlink_to(tmp_path / "secret.txt")

    with pytest.raises(PdfFailed, match="outside"):
        render_pdf(page('<link rel="attachment" href="asset:link.txt">'), assets=assets)


def test_a_file_of_the_asset_folder_and_a_small_picture_are_let_in(tmp_path):
    (tmp_path / "report.css").write_text("p { background: url(asset:dot.svg) }")
    (tmp_path / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>')
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

    assert render_pdf(page(f'<p>Words.</p><img alt="A dot" src="{dot}">'), assets=tmp_path).pages == 1


BOMBS = {
    "wide data address": '<img alt="x" src="data:image/png;base64,' + "A" * 2_100_000 + '">',
    "other data": '<link rel="attachment" href="data:text/plain,hello">',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_data_address_that_is_large_or_no_picture_is_refused(bomb):
    with pytest.raises(PdfFailed, match="outside"):
        render_pdf(page(bomb))


def test_a_document_that_needs_too_much_memory_ends_in_a_sentence():
    with pytest.raises(PdfFailed, match=r"memory|stopped before"):
        render_pdf(page("<p>Words.</p>" * 20_000), memory_bytes=150_000_000)


def test_a_document_that_takes_too_long_is_stopped():
    with pytest.raises(PdfFailed, match=r"longer than|stopped before"):
        render_pdf(page("<p>Words.</p>" * 50_000), seconds=1)


def test_content_nested_too_deeply_ends_in_a_sentence():
    with pytest.raises(PdfFailed, match="nested"):
        render_pdf(page("<div>" * 5000 + "x"))


def test_the_child_sees_no_secrets(monkeypatch):
    from psc_portal.common import pdf

    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    seen = {}

    def spy(*args, **kwargs):
        seen.update(kwargs["env"])
        raise OSError(2, "not today")

    monkeypatch.setattr(pdf.subprocess, "Popen", spy)
    with pytest.raises(PdfFailed):
        render_pdf(page())

    assert set(seen) <= {*pdf.KEPT_ENVIRONMENT, "LANG"}


def test_a_character_that_no_font_has_does_not_spoil_the_file():
    pdf = render_pdf(page("<p>A rare character: \U0001fa7a and नमस्ते.</p>"))

    assert_accessible(pdf.content, by_verapdf=True)
    assert "A rare character: \N{REPLACEMENT CHARACTER}" in pdf_text(pdf.content)[0]
