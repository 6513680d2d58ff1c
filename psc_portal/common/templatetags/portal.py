"""What every template may use: NHS.UK components, dates as the NHS writes them, Markdown."""

import json
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from zoneinfo import ZoneInfo

import jinja2
from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from psc_portal.common import clock

register = template.Library()

LONDON = ZoneInfo("Europe/London")
NOT_IN_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
FOLDERS = {"table": "tables", "list": "do-dont-list", "image": "images"}  # where upstream's folder has another name


@cache
def _macro(name):
    environment = _environment()
    folder = FOLDERS.get(name) or re.sub(r"([A-Z])", lambda letter: "-" + letter[1].lower(), name)
    try:
        return getattr(environment.get_template(f"nhsuk/components/{folder}/macro.jinja").module, name)
    except (jinja2.TemplateNotFound, AttributeError) as missing:
        raise template.TemplateSyntaxError(f"NHS.UK frontend has no component called {name}") from missing


@cache
def _environment():
    return jinja2.Environment(
        loader=jinja2.PackageLoader("nhsuk_frontend_jinja"),
        undefined=jinja2.ChainableUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _nested(params):
    """`label__text="Name"` says {"label": {"text": "Name"}}: template tags cannot write a dict."""
    nested = {}
    for key, value in params.items():
        *path, last = key.split("__")
        place = nested
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return nested


@register.simple_tag
def nhsuk(name, params=None, /, **kwargs):
    """An NHS.UK frontend component with upstream's own markup: {% nhsuk "summaryList" rows=rows %}.

    Parameters are those of the design system, in camel case; a double underscore goes one level down.
    Everything is escaped except what upstream calls `html`, which takes SafeString only.
    """
    params = {**(params or {}), **_nested(kwargs)}
    _refuse_unsafe_html(params)
    return mark_safe(_macro(name)(params).strip())  # noqa: S308 escaped by Jinja


def _refuse_unsafe_html(value):
    if isinstance(value, dict):
        html = value.get("html")
        if isinstance(html, str) and html and not hasattr(html, "__html__"):
            raise template.TemplateSyntaxError("html= takes safe HTML only; give plain text as text=")
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for inner in value:
        _refuse_unsafe_html(inner)


def _in_london(moment):
    return moment.astimezone(LONDON) if isinstance(moment, datetime) and moment.tzinfo else moment


@register.simple_tag
def nhs_logo():
    """Whether this host is entitled to show the NHS logo, and has named its file."""
    return bool(settings.NHS_LOGO_FILE)


@register.filter(expects_localtime=False)
def uk_date(moment):
    """28 June 2026. A moment is taken on its London day."""
    if not isinstance(moment, date):
        return ""
    moment = _in_london(moment)
    return f"{moment.day} {moment:%B %Y}"


@register.filter(expects_localtime=False)
def uk_time(moment):
    """5pm, 5:30pm, midday, midnight: London time, as the NHS content guide writes it."""
    if not isinstance(moment, datetime):
        return ""
    moment = _in_london(moment)
    if moment.minute == 0 and moment.hour in (0, 12):
        return "midday" if moment.hour else "midnight"
    minutes = f":{moment:%M}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes}{'pm' if moment.hour >= 12 else 'am'}"


@register.filter(expects_localtime=False)
def uk_clock(moment):
    """14:02, London time: for what has just happened."""
    return f"{_in_london(moment):%H:%M}" if isinstance(moment, datetime) else ""


@register.filter(expects_localtime=False)
def time_left(moment):
    """3 days 4 hours left; empty when the moment has passed."""
    return clock.time_left(moment) if isinstance(moment, datetime) else ""


@register.filter(expects_localtime=False)
def uk_datetime(moment):
    """28 June 2026 at 5pm BST: always with its zone, so that a deadline cannot be misread."""
    if not isinstance(moment, datetime):
        return uk_date(moment)
    zone = f" {_in_london(moment):%Z}" if moment.tzinfo else ""
    return f"{uk_date(moment)} at {uk_time(moment)}{zone}"


@register.filter
def markdown(text):
    """Markdown as sanitised HTML; headings start at level 2."""
    from psc_portal.common.markdown import render_markdown  # only the pages that need it load the parser

    return render_markdown(text or "")


@register.filter
def pounds(amount):
    """£12,500, or £99.50."""
    return "" if amount is None else f"£{amount:,.2f}".removesuffix(".00")


@register.filter
def two_places(number):
    """3.75; – where there is none. Halves go up."""
    if number in (None, ""):
        return "–"
    return str(Decimal(str(number)).quantize(Decimal("0.01"), ROUND_HALF_UP))


@register.filter
def lines(text):
    """Plain text as typed: blank lines part paragraphs, single line ends stay."""
    paragraphs = re.split(r"\n\s*\n", str(text or "").replace("\r\n", "\n").strip())
    return format_html_join(
        "",
        "<p>{}</p>",
        (
            (format_html_join(mark_safe("<br>"), "{}", ((line,) for line in paragraph.split("\n"))),)
            for paragraph in paragraphs
            if paragraph
        ),
    )


@register.filter
def is_current(path, url):
    """Whether the page at `path` lies at or under the navigation entry `url`."""
    url = str(url)
    return path == url or (url != "/" and url.endswith("/") and path.startswith(url))


@register.filter
def last_link(items):
    """The last (title, url) of breadcrumbs that leads somewhere: on phones it is the way back."""
    return next((item for item in reversed(items or []) if item[1]), ("Home", "/"))


@register.filter
def page_numbers(page):
    return page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)


@register.filter
def of(mapping, key):
    """What a dict holds for a key that is only known while the page is made; None where there is none."""
    return mapping.get(key)


@register.filter
def is_signed_in(request):
    """Whether somebody is logged in. Looks at the session only if the browser sent one: visitors' pages stay equal."""
    return bool(request) and settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated


@register.filter
def messages_for(request):
    """What is to be said to this person; for a visitor without cookies there is nothing to look up."""
    storage = getattr(request, "_messages", None)
    if storage is None:
        return []
    has_cookie = {settings.SESSION_COOKIE_NAME, "messages"} & request.COOKIES.keys()
    return storage if has_cookie or storage.added_new else []


@register.filter
def json_ld(data):
    """Structured data of schema.org: not run, so the CSP lets it pass. Nothing in it can end the element."""
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text.translate(NOT_IN_SCRIPT)))  # noqa: S308
