"""Editing the synonyms of the search."""

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.search.models import Synonym
from psc_portal.search.query import LONGEST_TERM

MOST_ROWS = 500
MOST_TERMS = 12
LONGEST = 60  # characters of a term


def _must_edit(by):
    if by is not None and not by.is_programme_staff:
        raise PermissionDenied


@transaction.atomic
def add_synonym(*, terms: list[str], by) -> Synonym:
    """
    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: too few, too many or too long terms, or one of them stands in another row.
    """
    _must_edit(by)
    terms = _checked(terms)
    if Synonym.objects.count() >= MOST_ROWS:
        raise ActionRefused(f"There are {MOST_ROWS} rows already. Delete one that nobody needs.")
    synonym = Synonym.objects.create(terms=terms)
    audit.record("add_synonym", synonym, by=by, after={"terms": terms})
    return synonym


@transaction.atomic
def edit_synonym(*, synonym: Synonym, terms: list[str], by) -> Synonym:
    """Raises as `add_synonym`."""
    _must_edit(by)
    stored = Synonym.objects.select_for_update().filter(pk=synonym.pk).first()
    if stored is None:
        raise ActionRefused("Somebody has deleted this row meanwhile. Add it again if it is needed.")
    terms = _checked(terms, but=stored)
    before, stored.terms = stored.terms, terms
    stored.save(update_fields=["terms"])
    audit.record("edit_synonym", stored, by=by, before={"terms": before}, after={"terms": terms})
    return stored


@transaction.atomic
def delete_synonym(*, synonym: Synonym, by) -> None:
    _must_edit(by)
    stored = Synonym.objects.select_for_update().filter(pk=synonym.pk).first()
    if stored is not None:
        audit.record("delete_synonym", stored, by=by, before={"terms": stored.terms})
        stored.delete()


def _checked(terms: list[str], *, but: Synonym | None = None) -> list[str]:
    terms = list({term.casefold(): term for term in (" ".join(line.split()) for line in terms) if term}.values())
    if not 2 <= len(terms) <= MOST_TERMS:
        raise ActionRefused(f"Write 2 to {MOST_TERMS} terms, one a line. You have {len(terms)}.")
    for term in terms:
        if len(term) > LONGEST or len(term.split()) > LONGEST_TERM:
            raise ActionRefused(f"“{term}” is too long: use at most {LONGEST_TERM} words and {LONGEST} characters.")
    refuse_nhs_numbers({"Terms": "\n".join(terms)})
    stems = dict(zip(terms, _stems(terms), strict=True))
    for term, stem in stems.items():
        if not stem:
            raise ActionRefused(f"“{term}” has only words that the search leaves out. Choose another term.")
    others = Synonym.objects.exclude(pk=but.pk) if but else Synonym.objects.all()
    for other in others.filter(stems__overlap=list(stems.values())):
        term = next(term for term, stem in stems.items() if stem in other.stems)
        raise ActionRefused(f"“{term}” stands in another row already: “{other}”. Add your terms there.")
    return terms


def _stems(terms: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_stems(%s::text[])", [terms])
        return cursor.fetchone()[0]
