"""What tells who wrote a proposal, and the same text without it, for reviewers of a blind call."""

import re

from proposals import identities
from proposals.models import Collaborator


def pattern_of(proposal) -> re.Pattern | None:
    """Finds in a text the team's names, the names of its organisations, and their e-mail addresses and domains."""
    names, domains = [], []
    writers = Collaborator.objects.current().filter(proposal=proposal).select_related("user")
    for person in [proposal.applicant, *(one.user for one in writers)]:
        names += identities.names_of_person(person.full_name)
        names.append(person.email)
        domains.append(identities.own_domain(person.email))
    names.append(proposal.organisation_name)
    for one in [proposal.organisation, *proposal.partners.all()]:
        if one is not None:
            names += [one.name, one.short_name, *one.former_names]
            domains.append(identities.own_domain(one.email_domain))
    return identities.hiding((name for name in names if name), domains)


def title_of(proposal, *, blind: bool, pattern: re.Pattern | None = None) -> str:
    return identities.hide(proposal.title, pattern or pattern_of(proposal)) if blind else proposal.title


def places_that_tell(proposal, texts) -> dict[str, list[str]]:
    """Where an answer that reviewers of a blind call read names someone, and what it says there.

    Args:
        texts: free text by place.
    """
    return identities.places_named(texts, pattern_of(proposal))
