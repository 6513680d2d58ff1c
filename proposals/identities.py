"""When two texts mean the same organisation or the same employer, and how names are taken out of a text. Pure Python.

The names of organisations are compared as plain words: small letters and digits, everything else a gap. PostgreSQL does
the same in `proposals_plain_words` (migration 0005); a test holds the two together.
"""

import re
from collections.abc import Iterable, Mapping

# Addresses under these say nothing about where somebody works: mail providers open to everyone, the NHS's shared mail
# (nhs.net; every organisation of the NHS writes from it), shared domains of professions, and names reserved for
# examples (RFC 2606). A trust's own domain, like uhl-tr.nhs.uk, is not shared. Written out in docs/methods.md.
_SHARED = """
    aol.com aol.co.uk bluebottle.com btinternet.com btopenworld.com duck.com fastmail.com fastmail.fm gmail.com
    gmx.com gmx.co.uk gmx.net googlemail.com hey.com hotmail.com hotmail.co.uk hushmail.com icloud.com live.com
    live.co.uk mac.com mail.com me.com msn.com ntlworld.com o2.co.uk orange.net outlook.com outlook.co.uk pm.me
    proton.me protonmail.com rocketmail.com sky.com talktalk.net tiscali.co.uk tutanota.com virginmedia.com
    yahoo.com yahoo.co.uk yandex.com ymail.com zoho.com
    nhs.net nhs.uk nhs.scot wales.nhs.uk hscni.net
    doctors.org.uk doctors.net.uk
    ac.uk co.uk gov.uk ltd.uk me.uk mod.uk org.uk plc.uk police.uk sch.uk com eu net org uk
    example.com example.net example.org
"""
SHARED_DOMAINS = frozenset(_SHARED.split())
RESERVED = ("example", "invalid", "localhost", "test")
SHORTEST_NAME = 3  # a shorter one occurs in ordinary text


def own_domain(email: str) -> str:
    """The domain of an address where it belongs to one organisation; empty where it is shared."""
    domain = email.rpartition("@")[2].strip().rstrip(".").lower()
    if domain in SHARED_DOMAINS or domain.rpartition(".")[2] in RESERVED or "." not in domain:
        return ""
    return domain


def parents(domain: str) -> list[str]:
    """The domains above one that belong to one organisation too: le.ac.uk above student.le.ac.uk."""
    parts = domain.split(".")
    above = (".".join(parts[start:]) for start in range(1, len(parts) - 1))
    return [one for one in above if one not in SHARED_DOMAINS]


def same_domain(one: str, other: str) -> bool:
    """Whether two own domains are the same, or one lies within the other."""
    return bool(one and other) and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def plain_words(text: str) -> str:
    """The words of a text in small letters, one gap around each."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


HIDDEN = "[hidden]"


def hiding(names: Iterable[str], domains: Iterable[str] = ()) -> re.Pattern | None:
    """A pattern that finds the names as whole words, whatever stands between their words, and addresses of the domains.

    None where there is nothing to look for.
    """
    parts = []
    for name in sorted({name.strip() for name in names}, key=len, reverse=True):
        words = re.findall(r"\w+", name)
        if sum(len(word) for word in words) >= SHORTEST_NAME:
            parts.append(r"(?<!\w)" + r"[\W_]{1,3}".join(re.escape(word) for word in words) + r"(?!\w)")
    parts += [rf"[\w.+-]*@?(?:[\w-]+\.)*{re.escape(domain)}(?!\w)" for domain in sorted(set(domains)) if domain]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def hide(text: str, pattern: re.Pattern | None) -> str:
    return pattern.sub(HIDDEN, text) if pattern else text


def names_of_person(full_name: str) -> list[str]:
    """What a person may be called in a text: the whole name, and the surname alone where it is not too short."""
    words = full_name.split()
    surname = words[-1:] if len(words) > 1 and len(words[-1]) > SHORTEST_NAME else []
    return [full_name, *surname] if words else []


def places_named(texts: Mapping[str, str], pattern: re.Pattern | None) -> dict[str, list[str]]:
    """By place: what of the hidden names stands in its text, as written, once each."""
    if pattern is None:
        return {}
    found = {place: list(dict.fromkeys(pattern.findall(text))) for place, text in texts.items() if text}
    return {place: names for place, names in found.items() if names}
