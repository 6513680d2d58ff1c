import socket

import pytest

from psc_portal.content import links

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1",
    "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "64:ff9b::7f00:1",
]  # fmt: skip


def resolving(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(links.socket, "getaddrinfo", lambda *args, **options: found)


@pytest.fixture
def no_connections(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(links.socket, "create_connection", refuse)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_inside_a_network_is_asked(monkeypatch, no_connections, address):
    resolving(monkeypatch, address)

    assert "not on the open internet" in links.ask("https://looks-harmless.example/")


def test_a_name_with_one_private_address_among_public_ones_is_not_asked(monkeypatch, no_connections):
    resolving(monkeypatch, "93.184.216.34", "10.0.0.1")

    assert "not on the open internet" in links.ask("https://mixed.example/")


@pytest.mark.parametrize(
    "link",
    [
        "ftp://example.org/",
        "https://example.org:6379/",
        "https://user:secret@example.org/",
        "file:///etc/passwd",
        "gopher://x/",
    ],
)
def test_only_http_on_its_usual_ports_is_asked(monkeypatch, no_connections, link):
    resolving(monkeypatch, "93.184.216.34")

    assert "only http and https" in links.ask(link)


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://localhost/"]
)
def test_an_address_written_in_an_unusual_way_is_still_recognised(no_connections, link):
    assert "not on the open internet" in links.ask(link)


def answers(monkeypatch, *given):
    """Each question gets the next answer: a status and where it leads, or an error."""
    asked, left = [], list(given)

    def head(link):
        asked.append(link)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(links, "_head", head)
    return asked


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((200, ""), ""),
        ((404, ""), "no such page (404)"),
        ((410, ""), "no such page (410)"),
        ((503, ""), "has an error (503)"),
        ((403, ""), ""),
        ((405, ""), ""),
        (TimeoutError(), "gives no answer (TimeoutError)"),
        ((301, "/further/"), "leads on and on"),
    ],
)
def test_what_another_website_says_becomes_a_sentence(monkeypatch, answer, sentence):
    asked = answers(monkeypatch, answer)

    assert sentence in links.ask("https://example.org/") and bool(sentence) == bool(links.ask("https://example.org/"))
    assert len(asked) <= 2 * (links.REDIRECTS + 1)


def test_where_a_redirect_leads_is_judged_again(monkeypatch, no_connections):
    real = links._head
    resolving(monkeypatch, "10.0.0.1")
    monkeypatch.setattr(links, "_head", lambda link: (302, "http://inside.example/") if "open" in link else real(link))

    assert "not on the open internet" in links.ask("https://open.example/")


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch):
    resolving(monkeypatch, "93.184.216.34")
    tried = []

    def note(address, timeout):
        tried.append((address, timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr(links.socket, "create_connection", note)

    assert "gives no answer" in links.ask("https://example.org/")
    assert tried == [(("93.184.216.34", 443), links.SECONDS)]


def test_other_websites_are_asked_only_where_that_is_switched_on_each_link_once_and_so_many_at_most(monkeypatch):
    asked = answers(monkeypatch, (404, ""))
    different = [f"https://example.org/{number}" for number in range(5)]

    silent = links.Checker().problems(different, at="/about/")
    found = links.Checker(asks_others=True, most_others=3).problems([*different, different[0]], at="/about/")

    assert silent == []
    assert len(asked) == 3 and len(found) == 4


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("javascript:alert(1)", "are not allowed"),
        ("data:text/html,x", "are not allowed"),
        ("//example.org/", "in full, with https"),
        ("http://[broken/", "not an address"),
        ("mailto:", "nothing after the colon"),
        ("mailto:a@example.org", ""),
        ("tel:111", ""),
    ],
)
def test_addresses_that_are_none_are_named(link, sentence):
    problem = links.Checker().problem(link, at="/about/")

    assert sentence in problem and bool(sentence) == bool(problem)
