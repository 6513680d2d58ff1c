"""What the lists of proposals, assignments and reviews hand out as CSV and XLSX."""

from django.contrib import admin
from django.contrib.postgres.aggregates import JSONBAgg
from django.core.cache import cache
from django.db.models import Case, CharField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, JSONArray, NullIf

from proposals.models import Assignment, Call, Criterion, Proposal, Review, Score
from psc_portal.common.admin_exports import Column, labelled, yes_no

HIDDEN = "Hidden: this call is blind"


class CallFilter(admin.ListFilter):
    """Rows of one call. The calls are read only when their names are shown."""

    title = "call"
    parameter_name = "call"
    path = "call"

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        self.chosen = params.pop(self.parameter_name, [""])[-1]

    def has_output(self):
        return True

    def expected_parameters(self):
        return [self.parameter_name]

    def queryset(self, request, queryset):
        if not self.chosen:
            return queryset
        return queryset.filter(**{self.path: int(self.chosen)}) if self.chosen.isdecimal() else queryset.none()

    def choices(self, changelist):
        without = changelist.get_query_string(remove=[self.parameter_name])
        yield {"selected": not self.chosen, "query_string": without, "display": "All"}
        for pk, title in Call.objects.published().values_list("pk", "title"):
            yield {
                "selected": self.chosen == str(pk),
                "query_string": changelist.get_query_string({self.parameter_name: pk}),
                "display": title,
            }


class CallOfProposalFilter(CallFilter):
    path = "proposal__call"


def _organisation(proposal: str):
    return Coalesce(F(f"{proposal}organisation__name"), F(f"{proposal}organisation_name"))


def _organisation_for(user, proposal: str):
    """The applicant's organisation; a blind call's reviewers get none."""
    shown = _organisation(proposal)
    if user.is_programme_staff:
        return shown
    return Case(When(**{f"{proposal}call__is_blind": True}, then=Value(HIDDEN)), default=shown)


def _title_for(user, proposal: str):
    """A title may name people too."""
    if user.is_programme_staff:
        return F(f"{proposal}title")
    return Case(When(**{f"{proposal}call__is_blind": True}, then=Value(HIDDEN)), default=F(f"{proposal}title"))


def _name(user: str):
    return Coalesce(NullIf(F(f"{user}__full_name"), Value("")), F(f"{user}__email"), output_field=CharField())


def _why_declined():
    """As `Assignment.why_declined`."""
    stands = When(status=Assignment.Status.DECLINED, then=F("decline_reason"))
    return Case(stands, default=Value(""), output_field=CharField())


def proposal_columns() -> list[Column]:
    return [
        Column("Number", "reference"),
        Column("Title", "title"),
        Column("Call", "call__title"),
        Column("Status", "status", labelled(Proposal.Status)),
        Column("Organisation", _organisation("")),
        Column("Applicant", _name("applicant")),
        Column("Email", "applicant__email"),
        Column("Received (UK time)", "submitted_at"),
        Column("Asked for (pounds)", "amount_asked"),
        Column("Evidence level", "evidence_level"),
        Column("Reviewers", "assigned_count"),
        Column("Reviews locked", "locked_count"),
        Column("Mean of the reviews", "mean_total"),
        Column("Lowest review", "lowest_total"),
        Column("Highest review", "highest_total"),
        Column("Widest spread on one criterion", "widest_spread"),
        Column("Lay summary", "lay_summary"),
    ]


def assignment_columns() -> list[Column]:
    """No title and no organisation: before a reviewer has declared interests, only the number may be shown."""
    return [
        Column("Number", "proposal__reference"),
        Column("Call", "proposal__call__title"),
        Column("Reviewer", _name("reviewer")),
        Column("Lay reviewer", "is_lay", yes_no),
        Column("Status", "status", labelled(Assignment.Status)),
        Column("Due on", "due_on"),
        Column("Review", "review__status", lambda status: dict(Review.Status.choices).get(status, "Not begun")),
        Column("Why declined", _why_declined()),
    ]


def review_columns(user) -> list[Column]:
    titles = _titles_of_criteria()
    places = {number: place for place, number in enumerate(titles)}
    headings = []
    for number, title in titles.items():
        headings += [f"{number}. {title}: score", f"{number}. {title}: reason"]

    def scores(found):
        cells = [None] * len(headings)
        for number, value, is_not_applicable, reason in found or ():
            place = places.get(number)
            if place is not None:
                cells[2 * place] = "Not applicable" if is_not_applicable else value
                cells[2 * place + 1] = reason
        return cells

    return [
        Column("Number", "proposal__reference"),
        Column("Title", _title_for(user, "proposal__")),
        Column("Call", "proposal__call__title"),
        Column("Organisation", _organisation_for(user, "proposal__")),
        Column("Reviewer", _name("reviewer")),
        Column("Lay reviewer", "assignment__is_lay", yes_no),
        Column("Status", "status", labelled(Review.Status)),
        Column("Locked (UK time)", "locked_at"),
        Column("Changed after seeing others", "is_changed_after_seeing_others", yes_no),
        Column("Total", "total"),
        Column(tuple(headings), _scores(), scores),
        Column("Comment to the panel", "comment"),
    ]


def _scores():
    """All scores of a review as one value, so that a row of the export is a row of the query."""
    one = JSONArray("criterion__number", "value", "is_not_applicable", "reason")
    return Subquery(
        Score.objects.filter(review=OuterRef("pk")).order_by().values("review").annotate(a=JSONBAgg(one)).values("a")
    )


def _titles_of_criteria() -> dict[int, str]:
    """By number. Where calls used different wordings both are named. They change with a release: kept five minutes."""

    def read():
        titles: dict[int, list[str]] = {}
        criteria = Criterion.objects.order_by("number", "criterion_set__version")
        for number, title in criteria.values_list("number", "title"):
            if title not in titles.setdefault(number, []):
                titles[number].append(title)
        return {number: " / ".join(several) for number, several in titles.items()}

    return cache.get_or_set("titles-of-criteria", read, 300)
