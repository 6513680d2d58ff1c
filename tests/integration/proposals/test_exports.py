"""Exports of the admin: exactly the list, safe in a spreadsheet, and nothing that the list would not show."""

import csv
import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from proposals.models import ConflictOfInterest, Proposal
from psc_portal.common import clock, demonstration
from psc_portal.common.models import AuditEvent
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory, review_of

pytestmark = pytest.mark.django_db
FORMULAS = ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x","y")']


def rows_of_csv(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def table_of(client, model, kind="csv", query="") -> tuple[list[str], list[dict], list]:
    """What stands above the table, its rows by heading, and the header."""
    answer = client.get(reverse(f"admin:proposals_{model}_export_{kind}") + query)
    assert answer.status_code == 200, answer
    if kind == "csv":
        rows = rows_of_csv(answer)
        start = next(number for number, row in enumerate(rows) if len(row) > 1)
        about, header, body = [row[0] for row in rows[:start]], rows[start], rows[start + 1 :]
    else:
        book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
        rows = [list(row) for row in book["Data"].iter_rows(values_only=True)]
        start = next(number for number, row in enumerate(rows) if len([one for one in row if one]) > 1)
        about = [" ".join(str(one) for one in row if one) for row in book["About"].iter_rows(values_only=True)]
        header, body = rows[start], rows[start + 1 :]
    return about, [dict(zip(header, row, strict=True)) for row in body], header


@pytest.fixture
def staff():
    return UserFactory(staff=True, full_name="Sam Staff")


def test_the_list_of_proposals_is_exported_as_it_is_searched_filtered_and_ordered(client_as, staff):
    call = CallFactory()
    wanted = [ProposalFactory(submitted=True, call=call, title=title) for title in ("B falls", "A falls", "Sepsis")]
    ProposalFactory(submitted=True, title="C falls")
    ProposalFactory(declined=True, call=call, title="D falls")
    ProposalFactory(call=call, title="A draft on falls")
    client, query = client_as(staff), f"?q=falls&status__exact=submitted&call={call.pk}&o=2"

    about, rows, _header = table_of(client, "proposal", query=query)
    shown = client.get(reverse("admin:proposals_proposal_changelist") + query).context["cl"].result_list

    assert [row["Number"] for row in rows] == [one.reference for one in shown] == [
        wanted[1].reference, wanted[0].reference
    ]  # fmt: skip
    assert about[1] == f"Filter: search “falls”; status: Submitted; call: {call.title}"
    assert about[2].startswith("Made: ") and about[2].endswith("by Sam Staff")


@pytest.mark.parametrize("model", ["proposal", "assignment", "review"])
def test_lists_link_to_their_exports_with_the_same_search_and_filter(client_as, staff, model):
    review_of(ProposalFactory(in_assessment=True, call__in_assessment=True), locked=True)

    page = client_as(staff).get(reverse(f"admin:proposals_{model}_changelist") + "?q=EM-2020&o=1").content.decode()

    for kind in ("csv", "xlsx"):
        assert f'href="{reverse(f"admin:proposals_{model}_export_{kind}")}?o=1&amp;q=EM-2020"' in page


def test_reviews_are_exported_one_a_row_with_every_score_and_reason(client_as, staff):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True, organisation__name="Trust A")
    review = review_of(proposal, [5, 4, None, 2, 1, 0], locked=True, total=Decimal("3.1250"), comment="Good.")

    _about, [row], header = table_of(client_as(staff), "review")

    scores = [row[heading] for heading in header if heading.endswith(": score")]
    reasons = [row[heading] for heading in header if heading.endswith(": reason")]
    codes = [one.code for one in proposal.call.criterion_set.criteria.all()]
    assert scores == ["5", "4", "Not applicable", "2", "1", "0"]
    assert reasons == [f"Reason of {review.reviewer.pk} on {code}" for code in codes]
    assert (row["Number"], row["Organisation"], row["Total"], row["Comment to the panel"], row["Status"]) == (
        proposal.reference, "Trust A", "3.1250", "Good.", "Locked",
    )  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_becomes_a_formula_in_csv(client_as, staff, formula):
    ProposalFactory(submitted=True, title=formula, organisation=None, organisation_name=formula)

    answer = client_as(staff).get(reverse("admin:proposals_proposal_export_csv"))

    cells = [cell for row in rows_of_csv(answer) for cell in row if formula.strip() in cell]
    assert cells == ["'" + formula] * 2


@pytest.mark.parametrize("formula", [*FORMULAS, "#N/A", "_x003D_1+1"])
def test_no_text_becomes_a_formula_in_xlsx(client_as, staff, formula):
    ProposalFactory(submitted=True, title=formula, organisation=None, organisation_name=formula)

    answer = client_as(staff).get(reverse("admin:proposals_proposal_export_xlsx"))

    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    kinds = {cell.data_type for row in book["Data"].iter_rows() for cell in row if cell.value is not None}
    titles = [row[1].value for row in book["Data"].iter_rows()]
    assert kinds <= {"s", "n", "d"}  # text, numbers, dates: no formula, no error
    assert titles[-1] == formula.replace("\r", "\n").replace("_x003D_", "_x005F_x003D_")


def test_numbers_and_dates_keep_their_kind_and_characters_that_xlsx_refuses_are_left_out(client_as, staff):
    received = dt.datetime(2026, 7, 1, 16, 30, tzinfo=dt.UTC)
    ProposalFactory(
        submitted=True,
        title="Bell\x07 and £",
        amount_asked=Decimal("12500.50"),
        submitted_at=received,
        lay_summary="-3",
    )
    client = client_as(staff)

    _about, [in_csv], _header = table_of(client, "proposal")
    _about, [in_xlsx], _header = table_of(client, "proposal", "xlsx")

    columns = ("Title", "Asked for (pounds)", "Received (UK time)", "Lay summary", "Evidence level")
    assert [in_csv[one] for one in columns] == ["Bell\x07 and £", "12500.50", "2026-07-01 17:30:00", "-3", "3"]
    assert [in_xlsx[one] for one in columns] == ["Bell and £", 12500.5, dt.datetime(2026, 7, 1, 17, 30), "-3", 3]


def test_both_formats_say_that_data_is_for_demonstration(client_as, staff):
    demonstration.mark()
    ProposalFactory(submitted=True)
    client = client_as(staff)

    in_csv, _rows, _header = table_of(client, "proposal")
    in_xlsx, _rows, _header = table_of(client, "proposal", "xlsx")

    assert in_csv[0] == demonstration.SENTENCE
    assert demonstration.SENTENCE in in_xlsx


def test_each_export_is_in_the_audit_trail_without_free_text(client_as, staff):
    ProposalFactory(submitted=True)
    client = client_as(staff)

    table_of(client, "proposal", query="?q=somebody+Smith&status__exact=submitted")
    table_of(client, "review", "xlsx")

    events = AuditEvent.objects.filter(verb="export").order_by("pk")
    assert [(one.by, one.subject_type, one.after) for one in events] == [
        (staff, "proposals.proposal", {"kind": "csv", "filters": {"q": "(2 words)", "status__exact": "submitted"}}),
        (staff, "proposals.review", {"kind": "xlsx", "filters": {}}),
    ]


# Leaks ---------------------------------------------------------------------------------------------------------------
def test_exports_are_a_404_for_those_who_may_not_see_the_list_and_ask_visitors_to_log_in(client_as, client):
    for model in ("proposal", "assignment", "review"):
        for kind in ("csv", "xlsx"):
            address = reverse(f"admin:proposals_{model}_export_{kind}")
            assert client.get(address).status_code == 302
            assert client_as(UserFactory()).get(address).status_code in (302, 404)
            if model == "proposal":
                assert client_as(UserFactory(reviewer=True)).get(address).status_code == 404


def test_a_reviewer_exports_only_their_own_reviews_and_assignments_until_they_have_seen_the_others(client_as):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    other = review_of(proposal, [5] * 6, locked=True, comment="A secret of the other")
    mine = review_of(proposal, [1] * 6)
    review_of(ProposalFactory(in_assessment=True, call=proposal.call), [4] * 6, locked=True)
    client = client_as(mine.reviewer)

    _about, reviews, _header = table_of(client, "review")
    _about, assignments, _header = table_of(client, "assignment")
    mine.status, mine.locked_at, mine.others_seen_at = "locked", clock.now(), clock.now()
    mine.save()
    _about, after, _header = table_of(client, "review", "xlsx")

    assert [row["Reviewer"] for row in reviews] == [mine.reviewer.display_name]
    assert [row["Reviewer"] for row in assignments] == [mine.reviewer.display_name]
    assert {row["Reviewer"] for row in after} == {mine.reviewer.display_name, other.reviewer.display_name}


def test_an_assignment_is_exported_without_what_the_proposal_says(client_as):
    secret = ProposalFactory(
        in_assessment=True, call__in_assessment=True, title="Not yet to be read", organisation__name="Trust of secrets"
    )
    assignment = AssignmentFactory(proposal=secret)

    for kind in ("csv", "xlsx"):
        _about, [row], _header = table_of(client_as(assignment.reviewer), "assignment", kind)
        assert row["Number"] == secret.reference
        assert "Not yet to be read" not in str(row) and "Trust of secrets" not in str(row)


def test_a_blind_call_s_reviewers_export_no_organisation(client_as, staff):
    call = CallFactory(in_assessment=True, is_blind=True)
    proposal = ProposalFactory(in_assessment=True, call=call, organisation=OrganisationFactory(name="Trust of secrets"))
    review = review_of(proposal, [3] * 6)

    _about, [for_reviewer], _header = table_of(client_as(review.reviewer), "review")
    _about, [for_staff], _header = table_of(client_as(staff), "review")

    assert "Trust of secrets" not in str(for_reviewer)
    assert for_reviewer["Organisation"].startswith("Hidden")
    assert for_staff["Organisation"] == "Trust of secrets"


def test_staff_with_an_interest_export_nothing_of_that_proposal(client_as, staff):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    review_of(proposal, [5] * 6, locked=True)
    ConflictOfInterest.objects.create(
        proposal=proposal, user=staff, kind="close", source="declared", recorded_at=clock.now()
    )

    for model in ("proposal", "assignment", "review"):
        _about, rows, _header = table_of(client_as(staff), model)
        assert rows == [], model


def test_the_list_hides_scores_from_staff_who_are_to_review_the_proposal_themselves(client_as):
    both = UserFactory(staff=True, reviewer=True)
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    review_of(proposal, [5] * 6, locked=True, total=Decimal(5))
    client = client_as(both)

    _about, [before], _header = table_of(client, "proposal")
    AssignmentFactory(proposal=proposal, reviewer=both, cleared=True)
    _about, [after], _header = table_of(client, "proposal")

    assert (Decimal(before["Mean of the reviews"]), after["Mean of the reviews"]) == (5, "")
    assert "5.00" not in client.get(reverse("admin:proposals_proposal_changelist")).content.decode()


# Cost ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["proposal", "assignment", "review"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_takes_four_queries_for_1_and_3_rows(client_as, staff, model, kind):
    """The session, the user with their roles, the rows, the audit trail."""
    client = client_as(staff)
    for wanted in (1, 3):
        while Proposal.objects.count() < wanted:
            review_of(ProposalFactory(in_assessment=True, call__in_assessment=True), [5] * 6, locked=True)
        table_of(client, model, kind)
        with CaptureQueriesContext(connection) as captured:
            _about, rows, _header = table_of(client, model, kind)
        queries = [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]
        assert (len(queries), len(rows)) == (4, wanted), queries
