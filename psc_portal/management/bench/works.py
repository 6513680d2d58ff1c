"""What is measured, with its budgets: section 9 of the design, as far as it concerns calls and proposals.

Times are ratios to a bare Django view of the same shape in the same run, never seconds.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

UNKEPT = "?" + urlencode({"made-anew": "x" * 300})  # public pages with so long an address are not kept
PROVIDERS = 5  # apps that say where a call hangs on the golden thread


@dataclass(frozen=True)
class Work:
    """One thing that people do.

    Args:
        address: a path, or the name of one that the seed found.
        who: whose session asks.
        floor: which bare view is its floor.
        ratio: how many times the floor's time it may take.
        queries: how many it may run.
        growth: how many times the time at 300 proposals it may take at 2,000.
        is_heavy: takes long, so that fewer rounds must do.
        page: what is sent to the address comes from this page's form; reading it is not measured.
        is_cold: the cache is emptied before each request.
        is_download: first byte and memory are measured too.
    """

    name: str
    address: str
    who: str
    floor: str
    ratio: float
    queries: int
    growth: float
    is_heavy: bool = False
    page: str = ""
    is_cold: bool = False
    is_download: bool = False


WORKS = [
    Work("Calls list, kept", "/calls/", "visitor", "cached", 1.5, 0, 1.1),
    Work("Call page, kept", "call", "visitor", "cached", 1.5, 0, 1.1),
    Work("Calls list", "/calls/" + UNKEPT, "visitor", "cards", 2.5, 5, 1.2),
    Work("Call page", "call?", "visitor", "cards", 2, 6 + PROVIDERS, 1.1),
    Work("Search, a common word", "/search/?q=patients&made-anew=" + "x" * 300, "visitor", "cards", 8, 4, 2),
    Work("Search, a rare word", "/search/?q=catheter&made-anew=" + "x" * 300, "visitor", "cards", 4, 4, 2),
    Work("Proposal form, one section", "section", "innovator", "form", 3, 8, 1.1),
    Work("Autosave of a section", "autosave", "innovator", "cards", 2, 6, 1.1, page="section"),
    Work("List of proposals, 50 with spread", "/admin/proposals/proposal/", "staff", "list", 4, 10, 1.3),
    Work("List of reviews, 50 with spread", "/admin/proposals/review/", "staff", "list", 4, 10, 1.3),
    Work("A reviewer’s list with spread", "/admin/proposals/review/", "reviewer", "list", 4, 10, 1.3),
    Work("One review, to read and score", "review", "reviewer", "review", 3, 12, 1.1),
    Work("Ranking of all, cold", "ranking", "staff", "list", 10, 6, 7, is_heavy=True, is_cold=True),
    Work("Ranking of all, kept", "ranking", "staff", "list", 3, 6, 7, is_heavy=True),
    Work("Export of all reviews, CSV", "/admin/proposals/review/export.csv", "staff", "csv", 3, 4, 7, is_heavy=True,
         is_download=True),
]  # fmt: skip
FLOORS = ("cached", "cards", "form", "review", "list", "csv")
FIRST_BYTE = 0.5  # of the time that the whole download takes
MEMORY_MB = 20


def path_of(work: Work, addresses: dict[str, str]) -> str:
    if work.address.endswith("?"):
        return addresses[work.address[:-1]] + UNKEPT
    return addresses.get(work.address, work.address)
