"""Keeps what somebody sent just after their session had ended, until they have logged in again.

The text waits in the new, anonymous session on the server and is shown only to the person who typed it. Files cannot be
kept; the page says so.
"""

import json
from dataclasses import dataclass

KEY = "typed_text"
MOST_CHARACTERS = 500_000


@dataclass(frozen=True)
class TypedText:
    owner: str  # primary key of the user who typed it
    path: str
    fields: list  # [name, value] pairs in the order sent
    had_files: bool


def read(request) -> TypedText | None:
    """What this POST carries, or None: nothing worth keeping, a password in it, or a script that asks for itself."""
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return None
    fields = [
        [name, value] for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values
    ]
    if not fields or any("password" in name for name, _ in fields) or len(json.dumps(fields)) > MOST_CHARACTERS:
        return None
    return TypedText(str(request.user.pk), request.get_full_path(), fields, bool(request.FILES))


def keep(request, text: TypedText) -> None:
    request.session[KEY] = [text.owner, text.path, text.fields, text.had_files]


def waiting_for(request) -> TypedText | None:
    """The kept text, if the person now logged in is the one who typed it."""
    kept = request.session.get(KEY)
    if not kept or not request.user.is_authenticated or kept[0] != str(request.user.pk):
        return None
    return TypedText(*kept)


def drop(request) -> None:
    request.session.pop(KEY, None)


def drop_if_sent(request) -> None:
    """The kept text has reached the page it was for."""
    kept = request.session.get(KEY)
    if kept and kept[1] == request.get_full_path():
        drop(request)
