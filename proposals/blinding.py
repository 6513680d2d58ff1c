"""What tells who wrote a proposal, and the same text without it, for reviewers of a blind call."""

import re
from collections.abc import Mapping

from proposals import identities


def pattern_of(proposal) -> re.Pattern | None:
    """Finds in a text the team's names, the names of its organisations, and their e-mail addresses and domains.

    Those of the proposal it began from count too: its text lives on.
    """
    names, domains = _told_by(proposal)
    if proposal.earlier_id:
        more_names, more_domains = _told_by(proposal.earlier)
        names, domains = names + more_names, domains + more_domains
    return identities.hiding((name for name in names if name), domains)


def _told_by(proposal) -> tuple[list[str], list[str]]:
    names, domains = [proposal.organisation_name], []
    writers = [one.user for one in proposal.collaborators.all() if one.accepted_at and not one.left_at]
    for person in [proposal.applicant, *writers]:
        names += [*identities.names_of_person(person.full_name), person.email]
        domains.append(identities.own_domain(person.email))
    for one in [proposal.organisation, *proposal.partners.all()]:
        if one is not None:
            names += [one.name, one.short_name, *one.former_names]
            domains.append(identities.own_domain(one.email_domain))
    return names, domains


def title_of(proposal, *, blind: bool) -> str:
    return identities.hide(proposal.title, pattern_of(proposal)) if blind else proposal.title


def places_that_tell(proposal, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """By place: the names that stand in a text which reviewers of a blind call read. They are hidden there."""
    return identities.places_named({"Title": proposal.title} | dict(texts), pattern_of(proposal))
