"""What the portal holds of people: each model that names them is listed once, with what an export shows of its rows and
what becomes of them when the person is erased. A test fails for a model that nobody has listed.

Rows lead to a person by a foreign key, or by the e-mail address that somebody without an account gave.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Q

from psc_portal.common.models import OutboxMessage, StatusChange

HISTORY = "Histories are never edited: they say who decided what, from then on by “Erased person”."
WORK = "It is the work of the programme, not about the person: it stays, by “Erased person”."


@dataclass(frozen=True)
class Held:
    """Rows of one model that name people.

    Args:
        what: what the rows are called in an export.
        people: the fields that lead to a user.
        addresses: the fields that hold an e-mail address.
        shown: what an export shows of each row, as `values()` wants it: never another person's.
        found: other rows of the user, as a Q, where no field leads to them.
        erased: what erasing the person writes into which columns; a function is called for it.
        is_deleted: erasing the person deletes the rows.
        kept: why the rows stay, or what stays of them, as a sentence.
        readable: which rows whoever exports may read; the others are counted.
    """

    model: type[models.Model]
    what: str
    people: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    found: Callable[[object], Q] | None = None
    shown: tuple[str, ...] = ()
    erased: Mapping[str, object] = field(default_factory=dict)
    is_deleted: bool = False
    kept: str = ""
    readable: Callable[[object], Q] = lambda by: Q()

    def rows(self, *, user, email: str):
        """Rows that name the user, or the address of somebody without an account (`user` None)."""
        mine = Q(pk__in=[])
        for name in self.people if user is not None else ():
            mine |= Q(**{name: user})
        if self.found and user is not None:
            mine |= self.found(user)
        for name in self.addresses if email else ():
            mine |= Q(**{f"{name}__iexact": email})
        return self.model._base_manager.filter(mine)


listed: list[Held] = []  # each app adds its own in AppConfig.ready
own_rules: list[Callable[..., None]] = []  # (user=, email=, by=): what takes more than writing into columns, done first


def everything() -> list[Held]:
    """All that is listed, and every history of states."""
    return [*listed, *_histories()]


def _histories() -> Iterator[Held]:
    for model in StatusChange.__subclasses__():
        subject = model._meta.get_field("subject").related_model
        shown = ("at",) if subject._meta.app_label == "proposals" else ("subject", "from_status", "to_status", "at")
        yield Held(model, f"changes of state: {subject._meta.verbose_name}", people=("by",), shown=shown, kept=HISTORY)


def export(*, user=None, email: str, by) -> dict[str, object]:
    """Every row that names the person, under what it is called, and what erasing them would do to it."""
    found, becomes, left_out = {}, {}, {}
    for held in everything():
        rows = held.rows(user=user, email=email).order_by("pk")
        readable = rows.filter(held.readable(by))
        if unreadable := rows.count() - readable.count():
            left_out[held.what] = unreadable
        if readable or unreadable:
            found[held.what] = list(readable.values(*held.shown))
            becomes[held.what] = _what_becomes(held)
    return {**found, "what erasing the person does": becomes, "rows you may not read": left_out}


def _what_becomes(held: Held) -> str:
    if held.is_deleted:
        return "Deleted."
    parts = []
    if held.erased:
        names = [str(held.model._meta.get_field(name).verbose_name) for name in held.erased]
        parts.append(f"Erased: {', '.join(names)}.")
    return " ".join([*parts, held.kept]).strip()


def erase(*, user=None, email: str, by) -> list[str]:
    """Take the person out of every row; returns what was done, in words, with the reason for what stays."""
    for rule in own_rules:
        rule(user=user, email=email, by=by)
    done = []
    for held in everything():
        rows = held.rows(user=user, email=email)
        count = rows.count()
        if not count:
            continue
        done.append(f"{held.what} ({count}): {_what_becomes(held)}")
        if held.is_deleted:
            rows.delete()
        elif held.erased:
            rows.update(**{name: value() if callable(value) else value for name, value in held.erased.items()})
    return done


# Mails: what waits to leave, and what has left -----------------------------------------------------------------------
def _to(email: str) -> Q:
    return Q(to__icontains=json.dumps(email))


def mails_of(email: str) -> list[dict]:
    """Mails to an address, and mails that carried its messages. Not their text: a link in it may open something."""
    rows = OutboxMessage.objects.filter(_to(email) | Q(reply_to__iexact=email))
    return list(rows.order_by("pk").values("subject", "created_at"))


def erase_mails(email: str, name: str = "") -> None:
    """Nothing more leaves to the address, and no stored mail names it or the person."""
    to_them = OutboxMessage.objects.filter(_to(email))
    to_them.filter(status=OutboxMessage.Status.WAITING).update(
        status=OutboxMessage.Status.FAILED, error="The person was erased"
    )
    to_them.update(to=[], subject="", body="", headers={})
    OutboxMessage.objects.filter(reply_to__iexact=email).update(reply_to="", body="")
    if name:
        naming = Q(subject__contains=name) | Q(body__contains=name)
        OutboxMessage.objects.filter(naming, status=OutboxMessage.Status.SENT).update(subject="", body="")
