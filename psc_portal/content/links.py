"""Where the links of a text lead: ours by asking our own pages, others (where that is switched on) by asking theirs.

Ours are followed as a visitor would, through the resolver and the view, so that a row that is gone or not public
counts as broken; an anchor must be the id of something on the page. Asking other websites is bounded and never reaches
into the network that we stand in.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.test import Client

SCHEMES = {"http", "https", "mailto", "tel"}
PORTS = {None, 80, 443}
SECONDS = 5
WAYS_IN = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "2002::/16", "2001::/32")]  # hold an IPv4 address
REDIRECTS = 3
AGENT = "Mozilla/5.0 (compatible; link check)"


class _Anchors(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href") is not None:
            self.links.append(values["href"])
        if values.get("id"):
            self.ids.add(values["id"])


def _parsed(html: str) -> _Anchors:
    parser = _Anchors()
    parser.feed(html)
    return parser


def links_of(html: str) -> list[str]:
    """The addresses that a piece of HTML links to, each once, in their order."""
    return list(dict.fromkeys(_parsed(html).links))


class Checker:
    """Checks links and remembers what it has asked, so that each page is asked once."""

    def __init__(self, *, asks_others: bool = False, most_others: int = 200):
        self.asks_others, self.others_left = asks_others, most_others
        self._ours = cache(self._ask_us)
        self._others = cache(self._ask_others)

    def problems(self, links: Iterable[str], *, at: str) -> list[tuple[str, str]]:
        """Each broken link with a sentence that says why. `at`: the path of the page on which they stand."""
        found = [(link, self.problem(link, at=at)) for link in links]
        return [(link, problem) for link, problem in found if problem]

    def problem(self, link: str, *, at: str) -> str:
        try:
            parts = urlsplit(link.strip())
            is_ours = (not parts.scheme and not parts.netloc) or link.startswith(f"{settings.PORTAL_URL}/")
        except ValueError:
            return "This is not an address."
        if parts.scheme and parts.scheme.lower() not in SCHEMES:
            return f"Addresses that begin with “{parts.scheme}:” are not allowed."
        if parts.scheme.lower() in {"mailto", "tel"}:
            return "" if parts.path else "There is nothing after the colon."
        if is_ours:
            return self._ours(urlsplit(urljoin(f"{settings.PORTAL_URL}{at}", link)))
        if not parts.scheme:
            return "Write the address in full, with https://."
        return self._others(link.strip()) if self.asks_others else ""

    def _ask_us(self, parts) -> str:
        status, html = _our_page(f"{parts.path}{'?' + parts.query if parts.query else ''}")
        if status >= 400:
            return "There is no such page on this website, or visitors may not see it."
        anchor = unquote(parts.fragment)
        if anchor and html is not None and anchor not in _parsed(html).ids:
            return f"The page has no place called “{anchor}”."
        return ""

    def _ask_others(self, link: str) -> str:
        if self.others_left <= 0:
            return ""
        self.others_left -= 1
        return ask(link)


def _our_page(address: str) -> tuple[int, str | None]:
    """Status and HTML of one of our pages for a visitor who is not logged in; no HTML where it is something else."""
    client = Client(raise_request_exception=False, SERVER_NAME=urlsplit(settings.PORTAL_URL).hostname)
    response = client.get(address, secure=settings.IS_HTTPS)
    if response.streaming:
        for _piece in response.streaming_content:  # to its end: only then the test client closes the file by itself
            pass
        return response.status_code, None
    is_html = response.get("Content-Type", "").startswith("text/html")
    return response.status_code, response.content.decode(response.charset) if is_html else None


# Other websites ------------------------------------------------------------------------------------------------------
class Refused(Exception):
    """We do not ask there. The text says why."""


def ask(link: str) -> str:
    """Why another website's address is broken; empty when it answers, and when it only does not like being asked.

    The name is looked up once and that address is asked, so that a name cannot lead somewhere else a moment later.
    """
    for _ in range(REDIRECTS + 1):
        try:
            status, place = _head(link)
        except Refused as reason:
            return str(reason)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"The website gives no answer ({type(error).__name__})."
        if status in {404, 410}:
            return f"The website says that there is no such page ({status})."
        if status not in {301, 302, 303, 307, 308} or not place:
            return f"The website has an error ({status})." if status >= 500 else ""
        link = urljoin(link, place)
    return "The address leads on and on to others."


def _head(link: str) -> tuple[int, str]:
    parts = urlsplit(link)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port not in PORTS or parts.username:
        raise Refused("We do not ask such an address: only http and https, on their usual ports.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = public_address(parts.hostname, port)
    connection = _Pinned(parts.hostname, port, address, is_secure=parts.scheme == "https")
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("HEAD", target, headers={"User-Agent": AGENT})
        response = connection.getresponse()
        return response.status, response.getheader("Location") or ""
    finally:
        connection.close()


def public_address(host: str, port: int) -> str:
    """The address that a name stands for.

    Raises:
        Refused: one of the addresses is not of the open internet.
        OSError: the name is unknown.
    """
    addresses = {found[4][0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for one in addresses:
        address = ipaddress.ip_address(one.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        is_way_in = any(address in network for network in WAYS_IN if network.version == address.version)
        if not address.is_global or address.is_multicast or is_way_in:
            raise Refused("We do not ask such an address: it is not on the open internet.")
    return sorted(addresses, key=lambda one: ":" in one)[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to one address that says and checks the name for which it stands."""

    def __init__(self, host, port, address, *, is_secure):
        super().__init__(host, port, timeout=SECONDS)
        self.address, self.is_secure = address, is_secure

    def connect(self):
        self.sock = socket.create_connection((self.address, self.port), timeout=SECONDS)
        if self.is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
