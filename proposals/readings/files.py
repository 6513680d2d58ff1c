"""Files that a proposal's team has added and others do not get."""

from django.db.models import Count

from proposals.models import Attachment

SAID = {
    Attachment.Scan.WAITING: ("waits for the virus scan", "wait for the virus scan"),
    Attachment.Scan.UNSCANNABLE: (
        "could not be scanned for viruses, so nobody can open it; the team was told",
        "could not be scanned for viruses, so nobody can open them; the team was told",
    ),
    Attachment.Scan.INFECTED: (
        "held a virus and was deleted; the team was told",
        "held a virus and were deleted; the team was told",
    ),
}


def held_back(proposal) -> list[str]:
    """For staff: how many files of a proposal nobody can open, and why. What they are called is the team's to know."""
    states = proposal.attachments.current().filter(scan_status__in=SAID).order_by().values_list("scan_status")
    counts = dict(states.annotate(count=Count("pk")))
    return [
        f"1 file {one}." if counts[state] == 1 else f"{counts[state]} files {several}."
        for state, (one, several) in SAID.items()
        if state in counts
    ]
