"""The colours of a collaborative as CSS variables, and the NHS identity files of a host that may use them."""

import hashlib
import re
from mimetypes import guess_type
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.http import Http404, HttpResponse
from django.views.decorators.http import condition, require_safe

WHITE = "#ffffff"
PAGE = "#f0f4f5"  # the background of every page, darker than white
NEEDED_RATIO = 4.5  # WCAG 2.2, success criterion 1.4.3, text of ordinary size
FONTS = {"FrutigerLTW01-55Roman": 400, "FrutigerLTW01-65Bold": 600}


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour such as #005eb8.

    Raises:
        ValueError: it is not of that form.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"{colour!r} is not a colour like #005eb8")
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white). Source: WCAG 2.2, definition of relative luminance."""
    parts = [part / 255 for part in channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of `other` in it."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(own + (wanted - own) * share):02x}" for own, wanted in pairs)


def variables() -> dict[str, str]:
    brand, link, button = settings.THEME["brand"], settings.THEME["link"], settings.THEME["button"]
    black = "#000000"
    return {
        "app-brand": brand,
        "app-brand-dark": mix(brand, black, 0.2),
        "app-brand-line": mix(brand, WHITE, 0.2),
        "app-brand-pale": mix(brand, WHITE, 0.93),
        "app-link": link,
        "app-link-dark": mix(link, black, 0.5),
        "app-button": button,
        "app-button-dark": mix(button, black, 0.2),
        "app-button-shadow": mix(button, black, 0.5),
    }


def style_sheet() -> str:
    rules = [f":root {{ {' '.join(f'--{name}: {value};' for name, value in variables().items())} }}"]
    for name, weight in FONTS.items() if settings.NHS_FONT_FOLDER else ():
        rules.append(
            f'@font-face {{ font-family: "Frutiger W01"; font-weight: {weight}; font-display: swap; '
            f'src: url("/theme/{name}.woff2") format("woff2"); }}'
        )
    if settings.NHS_FONT_FOLDER:
        rules.append('html, body, button, input, select, textarea { font-family: "Frutiger W01", arial, sans-serif; }')
    return "\n".join(rules) + "\n"


@require_safe
@condition(etag_func=lambda request: f'"{hashlib.sha256(style_sheet().encode()).hexdigest()[:16]}"')
def theme_css(request):
    """/theme.css: the same for everybody, kept by the browser for an hour, then asked for by its ETag."""
    answer = HttpResponse(style_sheet(), content_type="text/css; charset=utf-8")
    answer["Cache-Control"] = "public, max-age=3600"
    return answer


@require_safe
def theme_logo(request):
    return _file(settings.NHS_LOGO_FILE)


@require_safe
def theme_font(request, name):
    if name not in FONTS or not settings.NHS_FONT_FOLDER:
        raise Http404
    return _file(Path(settings.NHS_FONT_FOLDER) / f"{name}.woff2")


def _file(path):
    if not path or not Path(path).is_file():
        raise Http404
    answer = HttpResponse(Path(path).read_bytes(), content_type=guess_type(path)[0] or "application/octet-stream")
    answer["Cache-Control"] = "public, max-age=86400"
    return answer


@register(Tags.compatibility)
def check_theme(app_configs, **kwargs):
    """Colours that people cannot read stop the start."""
    errors = []
    pairs = {
        "brand": ("white text in the header", WHITE),
        "link": ("links on the page", PAGE),
        "button": ("white text on buttons", WHITE),
    }
    for name, (what, against) in pairs.items():
        colour = settings.THEME[name]
        setting = f"THEME_{name.upper()}"
        try:
            channels(colour)
        except ValueError as wrong:
            errors.append(Error(str(wrong), hint=f"Set {setting} to # and six digits.", id="portal.E001"))
            continue
        ratio = contrast(colour, against)
        if ratio < NEEDED_RATIO:
            errors.append(
                Error(
                    f"{setting} {colour} gives {what} a contrast of {ratio:.1f}:1; {NEEDED_RATIO}:1 is needed.",
                    hint=f"Choose a darker colour for {setting}.",
                    id="portal.E002",
                )
            )
    for setting in ("NHS_LOGO_FILE", "NHS_FONT_FOLDER"):
        if getattr(settings, setting) and not Path(getattr(settings, setting)).exists():
            errors.append(Error(f"{setting} names something that is not there.", id="portal.E003"))
    return errors
