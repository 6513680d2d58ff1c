"""The ranking of a call, what its task adds, another weighting, and portfolio fit."""

import csv
import io
import re
import sys

import openpyxl
import pytest
from django.core.cache import cache
from django.urls import reverse

from projects.models import Project
from proposals import actions, scoring, tasks
from proposals.models import ConflictOfInterest, Panel, Proposal, RankingAnalysis
from proposals.readings import portfolio
from proposals.readings.ranking import analysed_for, fingerprint, ranking_field, ranking_of
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory, ProjectFactory, SystemFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def call_with(table, reviewers=None, **kwargs):
    """A call in assessment; `table` gives each proposal's reviews by reviewer, each a score for all six criteria."""
    call = CallFactory(in_assessment=True, **kwargs)
    people = {} if reviewers is None else reviewers
    proposals = []
    for title, given in table.items():
        proposal = ProposalFactory(in_assessment=True, call=call, title=title, amount_asked=40_000)
        proposals.append(proposal)
        for name, score in given.items():
            if name not in people:
                people[name] = UserFactory(reviewer=True, is_lay=name.startswith("lay"))
            scores = score if isinstance(score, list) else [score] * 6
            review = review_of(proposal, scores=scores, reviewer=people[name], locked=True)
            review.assignment.is_lay = name.startswith("lay")
            review.assignment.save()
    return call, proposals


def page_of(client, call, name="ranking", query=""):
    return client.get(reverse(f"admin:proposals_call_{name}", args=[call.pk]) + query)


def analysed(call):
    actions.analyse_ranking(call=call)
    return RankingAnalysis.objects.first()


# Raw, adjusted, lay ---------------------------------------------------------------------------------------------------
def test_the_ranking_shows_raw_adjusted_and_lay_means_side_by_side(client_as):
    call, _ = call_with({
        "First": {"strict": 2, "kind": 4, "lay": 1},
        "Second": {"strict": 2},
        "Third": {"kind": 4},
    })  # fmt: skip
    lines = {line.reference: line for line in ranking_of(ranking_field(call)).lines}
    by_title = {proposal.title: lines[proposal.reference] for proposal in Proposal.objects.filter(call=call)}

    page = page_of(client_as(UserFactory(staff=True)), call).content.decode()

    assert (by_title["First"].lay_mean, by_title["First"].lay_reviews, by_title["Second"].lay_mean) == (1, 1, None)
    assert f"{by_title['First'].mean:.2f}" == "2.33"
    assert by_title["Second"].adjusted == by_title["Third"].adjusted  # strict gives 2 less than kind
    assert by_title["Third"].rank == 1
    assert by_title["Second"].rank == 3
    assert "Adjusted mean" in page
    assert "equally severe with all proposals" in page


def test_reviewers_in_two_groups_are_said_and_not_compared(client_as):
    call, _ = call_with({"First": {"a": 5, "b": 4}, "Second": {"c": 2, "d": 1}})

    page = page_of(client_as(UserFactory(staff=True)), call).content.decode()

    assert "2 groups that share no proposal" in page
    assert "in group 1" in page
    assert "in group 2" in page


def test_the_page_can_be_ordered_by_spread(client_as):
    call, (calm, wide) = call_with({"Calm": {"a": 4, "b": 4}, "Wide": {"a": [5, 1, 1, 1, 1, 1], "b": 1}})

    page = page_of(client_as(UserFactory(staff=True)), call, query="?order=spread").content.decode()

    assert page.index(wide.reference) < page.index(calm.reference)
    assert "Discuss" in page


# What is kept, and for how long ---------------------------------------------------------------------------------------
def test_a_kept_ranking_holds_until_a_score_changes():
    call, (proposal, other) = call_with({"First": {"a": 3}, "Second": {"a": 4}})
    before = fingerprint(ranking_field(call))
    assert ranking_of(ranking_field(call)).ranks[proposal.pk] == 2

    review_of(proposal, scores=[5] * 6, locked=True)
    review_of(proposal, scores=[5] * 6, locked=True)

    assert fingerprint(ranking_field(call)) != before
    assert ranking_of(ranking_field(call)).ranks == {proposal.pk: 1, other.pk: 2}


def test_a_kept_ranking_is_no_other_users(client_as):
    call, (proposal, other) = call_with({"First": {"a": 3}, "Second": {"a": 4}})
    staff, partial = UserFactory(staff=True), UserFactory(staff=True)
    actions.record_conflict(proposal=other, by=staff, user=partial, kind="close", explanation="Friends.")
    page_of(client_as(staff), call)

    page = page_of(client_as(partial), call).content.decode()

    assert other.reference not in page
    assert proposal.reference in page


def test_the_kept_page_needs_few_queries_however_many_proposals(client_as, queries_of):
    staff = UserFactory(staff=True)
    client = client_as(staff)
    people = {}
    first, _ = call_with({"One": {"a": 3, "b": 4}}, people)
    third, _ = call_with({f"No {number}": {"a": number, "b": 3} for number in range(3)}, people)
    for call in (first, third):
        analysed(call)
    counts = [
        queries_of(client, [reverse("admin:proposals_call_ranking", args=[call.pk])]).popitem()[1]
        for call in (first, third)
    ]

    assert counts[0] == counts[1] <= 6  # the session, the person, the call with its field, its analysis, the proposals


# The task -------------------------------------------------------------------------------------------------------------
def test_locking_and_unlocking_a_review_asks_for_the_ranges_once_for_each_state_of_the_scores():
    call, (proposal,) = call_with({"First": {"a": 3}})
    review = review_of(proposal, scores=[4] * 6)

    actions.lock_review(review=review, by=review.reviewer)
    actions.scores_changed(call)
    jobs = OutboxMessage.objects.filter(task="proposals.analyse_ranking")
    assert jobs.count() == 1

    actions.unlock_review(review=review, by=review.reviewer)
    assert jobs.count() == 2


def test_whatever_else_changes_who_and_what_is_ranked_asks_for_the_ranges_too():
    call, (first, second) = call_with({"First": {"a": 3, "b": 4}, "Second": {"b": 5}})
    late, staff = ProposalFactory(submitted=True, call=call), UserFactory(staff=True)
    jobs = OutboxMessage.objects.filter(task="proposals.analyse_ranking")
    reviewer, counts = first.reviews.first().reviewer, []

    def count():
        tasks.analyse_ranking(call.pk)
        counts.append(jobs.count())

    actions.screen_proposal(proposal=late, by=staff, is_eligible=True)
    count()
    actions.withdraw_proposal(proposal=second, by=second.applicant, reason="No staff.")
    count()
    conflict = actions.record_conflict(proposal=first, by=staff, user=reviewer, kind="close", explanation="Told us.")
    count()
    actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="Long ago.")
    actions.declare_interest(assignment=first.assignments.get(reviewer=reviewer), by=reviewer, has_interest=False)
    count()

    assert counts == [1, 2, 3, 4]
    assert not analysed_for(ranking_field(call)).is_out_of_date


def test_screening_before_there_is_any_review_asks_for_no_ranges():
    proposal = ProposalFactory(submitted=True, call__in_assessment=True)

    actions.screen_proposal(proposal=proposal, by=UserFactory(staff=True), is_eligible=True)

    assert not OutboxMessage.objects.filter(task="proposals.analyse_ranking").exists()


def test_the_task_stores_ranges_and_agreement_with_what_they_rest_on():
    call, (first, second) = call_with({
        "First": {"a": 5, "b": 3}, "Second": {"a": [4, 4, 4, 4, 4, 2], "b": 4},
    })  # fmt: skip

    tasks.analyse_ranking(call.pk)
    tasks.analyse_ranking(call.pk)

    analysis = RankingAnalysis.objects.get()
    assert analysis.fingerprint == fingerprint(ranking_field(call))
    assert (analysis.basis["proposals"], analysis.basis["reviews"], analysis.basis["reviewers"]) == (2, 4, 2)
    assert analysis.results["leaving_out"][str(first.pk)] == [1, 2]
    assert analysis.results["resampled"].keys() == {str(first.pk), str(second.pk)}
    assert [one["number"] for one in analysis.basis["agreement"]] == [1, 2, 3, 4, 5, 6]


def test_agreement_is_by_criterion_and_of_lay_and_other_reviewers_apart_also_on_the_page(client_as):
    # Criterion 1, everyone: (1, 2) and (4, 4, 2). Observed: (1 * 2 / 1 + (0 + 4 + 4) * 2 / 2) / 5 = 10 / 5 = 2.
    # Expected: over the ten pairs of 1 2 4 4 2: 2 * (1 + 9 + 9 + 1 + 4 + 4 + 0 + 0 + 4 + 4) = 72, / (5 * 4) = 3.6.
    # Alpha = 1 - 2 / 3.6 = 0.444. Others: (1, 2) and (4, 4): observed 2 / 4 = 0.5, expected
    # 2 * (1 + 9 + 9 + 4 + 4 + 0) / 12 = 4.5, alpha = 1 - 0.5 / 4.5 = 0.889. Lay: one score only, so none.
    # Criterion 2: all gave 3, so it is not defined.
    call, _proposals = call_with({
        "First": {"a": [1, 3, 3, 3, 3, 3], "b": [2, 3, 3, 3, 3, 3]},
        "Second": {"a": [4, 3, 3, 3, 3, 3], "b": [4, 3, 3, 3, 3, 3], "lay": [2, 3, 3, 3, 3, 3]},
    })  # fmt: skip

    first, second, *_others = analysed(call).basis["agreement"]
    page = page_of(client_as(UserFactory(staff=True)), call).content.decode()

    assert (first["all"], first["lay"], first["others"]) == (0.444, None, 0.889)
    assert (first["all_proposals"], first["lay_proposals"], first["others_proposals"]) == (2, 0, 2)
    assert (second["all"], second["lay"], second["others"]) == (None, None, None)
    table = page.partition('aria-label="Agreement"')[2].partition("</table>")[0]
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in table.split("<tr")[2:]]
    assert rows[:2] == [
        ["0.44", "not defined", "0.89", "2"],
        ["not defined", "not defined", "not defined", "2"],
    ]


def test_of_many_analyses_of_a_call_the_latest_are_kept_and_those_of_other_calls_stay():
    call, (proposal, _) = call_with({"First": {"a": 5, "b": 3}, "Second": {"a": 4, "b": 4}})
    other = analysed(call_with({"Third": {"a": 5}})[0])
    for _number in range(6):
        review_of(proposal, scores=[3] * 6, locked=True)
        latest = analysed(call)

    kept = list(RankingAnalysis.objects.filter(call=call))

    assert (len(kept), kept[0]) == (5, latest)
    assert RankingAnalysis.objects.filter(pk=other.pk).exists()


def test_the_page_says_when_ranges_were_calculated_and_that_scores_have_changed_since(client_as):
    call, (proposal, _) = call_with({"First": {"a": 5, "b": 3}, "Second": {"a": 4, "b": 4}})
    client = client_as(UserFactory(staff=True))
    assert "not been calculated yet" in page_of(client, call).content.decode()
    analysed(call)

    fresh = page_of(client, call).content.decode()
    review_of(proposal, scores=[1] * 6, locked=True)
    stale = page_of(client, call).content.decode()

    assert "were calculated at" in fresh
    assert "1 to 2" in fresh
    assert "Scores have changed since" not in fresh
    assert "Scores have changed since" in stale
    assert "Calculate now" in stale


def test_the_adjusted_rank_stands_on_the_page_with_its_range(client_as):
    # everyone reviewed both, so adjusted is raw: 3.00 and 3.67; without a 4.00 and 3.00
    call, (first, _second) = call_with({"First": {"a": 1, "b": 5, "c": 3}, "Second": {"a": 5, "b": 3, "c": 3}})
    analysed(call)

    answer = page_of(client_as(UserFactory(staff=True)), call)

    [line] = [row.line for row in answer.context["rows"] if row.proposal == first]
    assert (line.adjusted_rank, line.adjusted_range) == (2, (1, 2))
    assert "Adjusted rank without one reviewer</th>" in answer.content.decode()
    cells = answer.content.decode().split(first.reference)[1].split("</tr>")[0]
    assert cells.count("1 to 2</td>") == 3  # leaving one out, resampled, adjusted


def test_staff_can_ask_for_the_ranges_by_hand(client_as):
    call, (_proposal, _) = call_with({"First": {"a": 5, "b": 3}, "Second": {"a": 4, "b": 4}})
    client = client_as(UserFactory(staff=True))

    client.post(reverse("admin:proposals_call_analyse", args=[call.pk]))
    assert OutboxMessage.objects.filter(task="proposals.analyse_ranking").count() == 1

    analysed(call)
    with pytest.raises(ActionRefused, match="present scores already"):
        actions.request_analysis(call=call, by=UserFactory(staff=True))


def test_ranges_are_not_shown_to_whom_a_proposal_is_hidden(client_as):
    """A range counts every proposal, so it would tell where the hidden one stands."""
    call, (first, second, hidden) = call_with({
        "First": {"a": 5, "b": 3}, "Second": {"a": 4, "b": 4}, "Hidden": {"a": 1, "b": 5},
    })  # fmt: skip
    staff = UserFactory(staff=True)
    actions.record_conflict(
        proposal=hidden, by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )
    analysed(call)

    page = page_of(client_as(staff), call).content.decode()

    found = ranking_field(call, staff)
    assert analysed_for(found).is_hidden
    assert "Rank without one reviewer</th>" not in page
    assert "they would tell where the rest stands" in page
    assert set(ranking_of(found, staff).ranks) == {first.pk, second.pk}


def test_reviewers_and_applicants_have_no_ranking_pages(client_as):
    call, _ = call_with({"First": {"a": 5}})

    for user in (UserFactory(reviewer=True), UserFactory(lead=True), UserFactory()):
        for name in ("ranking", "ranking_csv", "ranking_xlsx", "weighting", "portfolio", "panel", "letters", "minutes"):
            assert page_of(client_as(user), call, name).status_code in (302, 404)


# Downloads ------------------------------------------------------------------------------------------------------------
def rows_of(client, call, kind="csv", query="") -> list[dict]:
    answer = page_of(client, call, f"ranking_{kind}", query)
    content = io.BytesIO(b"".join(answer.streaming_content))
    if kind == "xlsx":
        header, *rows = openpyxl.load_workbook(content)["Data"].iter_rows(values_only=True)
    else:
        lines = list(csv.reader(io.StringIO(content.getvalue().decode("utf-8-sig"))))
        header, *rows = [line for line in lines if len(line) > 1]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize("order", ["mean", "adjusted", "lay", "spread"])
def test_the_ranking_is_downloaded_as_the_page_orders_it_with_every_page(client_as, monkeypatch, order):
    monkeypatch.setattr(sys.modules[ranking_of.__module__], "PER_PAGE", 2)
    call, _ = call_with({
        "One": {"a": 2, "lay": [0, 5, 4, 4, 4, 4]}, "Two": {"a": 4, "lay": 1}, "Three": {"a": 3}, "Four": {},
    })  # fmt: skip
    client = client_as(UserFactory(staff=True))

    downloaded = [row["Number"] for row in rows_of(client, call, query=f"?order={order}")]

    pages = [page_of(client, call, query=f"?order={order}&page={page}") for page in (1, 2)]
    assert downloaded == [row.reference for page in pages for row in page.context["rows"]]
    assert len(set(downloaded)) == 4
    address = reverse("admin:proposals_call_ranking_csv", args=[call.pk])
    assert f'href="{address}?order={order}"' in pages[0].content.decode()


def test_a_row_of_the_download_says_what_the_page_says(client_as):
    call, (first, second) = call_with({
        "First": {"a": [5, 5, None, 5, 5, 5], "b": [3, 1, 3, 3, 3, 3], "lay": 3}, "Second": {"a": 4, "b": 4},
    })  # fmt: skip
    Proposal.objects.filter(pk=first.pk).update(organisation=OrganisationFactory(name="Trust A"))
    analysis = analysed(call)
    [line] = [one for one in ranking_of(ranking_field(call), with_analysis=True).lines if one.pk == first.pk]

    in_csv, in_xlsx = (rows_of(client_as(UserFactory(staff=True)), call, kind) for kind in ("csv", "xlsx"))

    [row] = [row for row in in_xlsx if row["Number"] == first.reference]
    assert [one["Number"] for one in in_csv] == [one["Number"] for one in in_xlsx]
    assert (row["Title"], row["Organisation"], row["Status"]) == ("First", "Trust A", "In assessment")
    assert (row["Rank"], row["Mean"], row["Adjusted mean"], row["Adjusted rank"]) == (
        line.rank, float(line.mean), float(line.adjusted), line.adjusted_rank,
    )  # fmt: skip
    assert (row["Reviews counted"], row["Lay mean"], row["Lay reviews counted"]) == (3, 3, 1)
    ranges = [line.leaving_out, line.resampled, line.adjusted_range]
    labels = ["Rank without one reviewer", "Rank when resampled", "Adjusted rank without one reviewer"]
    assert [(row[f"{label}: best"], row[f"{label}: worst"]) for label in labels] == ranges
    assert [round(row[key], 2) for key in row if key.endswith(": mean")] == [3.67, 3, 3, 3.67, 3.67, 3.67]
    assert (row["Scores lie 3 or more apart"], row["Widest spread on one criterion"]) == ("Yes", 4)
    assert (row["Asked for (pounds)"], row["Money"]) == (40_000, "Within the money")
    assert f"{analysis.calculated_at.astimezone(clock.UK):%Y-%m-%d %H:%M:%S}" in {
        one["Ranges calculated at (UK time)"] for one in in_csv
    }
    assert {one["Number"] for one in in_csv} == {first.reference, second.reference}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_text_of_the_ranking_becomes_a_formula(client_as, kind):
    call, _ = call_with({"=1+1": {"a": 3}})
    Proposal.objects.filter(call=call).update(organisation=None, organisation_name="@SUM(A1)")

    [row] = rows_of(client_as(UserFactory(staff=True)), call, kind)

    quote = "'" if kind == "csv" else ""  # in XLSX the kind of the cell says that it is text
    assert (row["Title"], row["Organisation"]) == (f"{quote}=1+1", f"{quote}@SUM(A1)")


def test_the_download_leaves_out_what_an_interest_hides_and_the_ranges_with_it(client_as):
    call, (first, second, hidden) = call_with({
        "First": {"a": 3, "b": 3}, "Second": {"a": 4, "b": 2}, "Hidden": {"a": 5, "b": 5},
    })  # fmt: skip
    staff = UserFactory(staff=True)
    analysed(call)
    before = rows_of(client_as(staff), call)
    actions.record_conflict(
        proposal=hidden, by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )

    after = rows_of(client_as(staff), call)

    assert {row["Number"] for row in before} == {first.reference, second.reference, hidden.reference}
    assert {row["Number"]: row["Rank"] for row in after} == {first.reference: "1", second.reference: "1"}
    assert all(before[0][key] and not after[0][key] for key in before[0] if ": best" in key or "calculated" in key)


def test_each_download_of_a_ranking_is_in_the_audit_trail(client_as):
    call, _ = call_with({"First": {"a": 3}})
    staff = UserFactory(staff=True)

    rows_of(client_as(staff), call, "xlsx", "?order=spread")

    event = AuditEvent.objects.get(verb="export")
    assert (event.by, event.subject_type) == (staff, "proposals.call")
    assert event.after == {"kind": "xlsx", "call": call.pk, "order": "spread"}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_download_takes_equally_many_queries_for_1_and_3_rows(client_as, queries_of, kind):
    client, people = client_as(UserFactory(staff=True)), {}
    calls = [call_with({f"No {number}": {"a": number, "b": 3} for number in range(rows)}, people)[0] for rows in (1, 3)]
    for call in calls:
        analysed(call)

    addresses = [reverse(f"admin:proposals_call_ranking_{kind}", args=[call.pk]) for call in calls]
    one, three = queries_of(client, addresses).values()

    assert one == three <= 8  # the page's six, the means by criterion, the audit trail


# Another weighting ----------------------------------------------------------------------------------------------------
def weights_query(call, **weights):
    codes = {one["code"]: 0 for one in ranking_field(call).field_weights} | weights
    return "?" + "&".join(f"w_{code}={weight}" for code, weight in codes.items())


def test_another_weighting_shows_who_enters_and_who_leaves(client_as):
    # Weights 20, 25, 15, 20, 15, 5: Broad 4.00, Narrow 5*0.25 + 3*0.75 = 3.50; the money is for one
    call, (broad, narrow) = call_with({"Broad": {"a": 4}, "Narrow": {"a": [3, 5, 3, 3, 3, 3]}}, money_total=50_000)
    client = client_as(UserFactory(staff=True))

    same = page_of(client, call, "weighting").content.decode()
    other = page_of(client, call, "weighting", weights_query(call, proven=100)).content.decode()
    both = page_of(client, call, "weighting", weights_query(call, proven=100) + "&money=100000").content.decode()

    assert "Nothing would change who is funded" in same
    assert "1 would enter and 1 would leave" in other
    entering, leaving = other.index(narrow.reference), other.index(broad.reference)
    assert other.index("Enters") < entering < other.index("Leaves") < leaving
    assert "25%" in other  # the published weights stay visible
    assert "Nothing would change who is funded" in both


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("?w_proven=101", "must be 100 or less"), ("?w_proven=a", "must be a whole number"), ("?money=-1", "0 or more")],
)
def test_a_weight_that_is_none_is_refused_and_what_was_typed_stays(client_as, query, sentence):
    call, _ = call_with({"First": {"a": 4}})

    page = page_of(client_as(UserFactory(staff=True)), call, "weighting", query).content.decode()

    assert sentence in page


def test_no_weight_at_all_is_refused(client_as):
    call, _ = call_with({"First": {"a": 4}})

    page = page_of(client_as(UserFactory(staff=True)), call, "weighting", weights_query(call)).content.decode()

    assert "at least one criterion a weight above 0" in page


def test_the_panels_weighting_needs_a_reason_and_is_kept(client_as):
    call, _ = call_with({"First": {"a": 4}})
    staff = UserFactory(staff=True)
    panel = Panel.objects.create(call=call, held_on=clock.today(), chair=staff, opened_at=clock.now())
    codes = {one["code"]: 10 for one in ranking_field(call).field_weights} | {"proven": 50}
    typed = {f"w_{code}": weight for code, weight in codes.items()} | {"money": "100000"}
    client = client_as(staff)
    address = reverse("admin:proposals_call_weighting", args=[call.pk])

    refused = client.post(address, typed).content.decode()
    done = client.post(address, typed | {"reason": "Evidence matters most in this call."})

    assert "Say why the panel uses another weighting" in refused
    assert done.status_code == 302
    panel.refresh_from_db()
    assert (panel.weights, panel.weights_reason) == (codes, "Evidence matters most in this call.")

    published = {one["code"]: one["weight"] for one in ranking_field(call).field_weights}
    actions.use_weights(panel=panel, by=staff, weights=published, reason="")
    panel.refresh_from_db()
    assert (panel.weights, panel.weights_reason) == ({}, "")


def test_the_weighting_page_says_whose_weights_it_works_with(client_as):
    call, _ = call_with({"First": {"a": 4}})
    staff = UserFactory(staff=True)
    panel = Panel.objects.create(call=call, held_on=clock.today(), chair=staff, opened_at=clock.now())
    client = client_as(staff)
    codes = {one["code"]: one["weight"] for one in ranking_field(call).field_weights}
    before = page_of(client, call, "weighting").content.decode()
    actions.use_weights(panel=panel, by=staff, weights=codes | {"proven": 50}, reason="Evidence first.")

    after = page_of(client, call, "weighting").content.decode()
    typed = {f"w_{code}": weight for code, weight in codes.items()} | {"money": "100000"}
    address = reverse("admin:proposals_call_weighting", args=[call.pk])
    taken_back = client.post(address, typed, follow=True).content.decode()

    assert "Back to the published weights" in before
    assert "Back to the panel’s weights" in after
    assert "The panel works with the published weights." in taken_back


def test_an_address_with_a_number_that_is_none_is_a_404(client_as):
    client = client_as(UserFactory(staff=True))

    for name in ("ranking", "panel", "letters", "ranking_csv"):
        assert client.get(reverse(f"admin:proposals_call_{name}", args=["²"])).status_code == 404


# Portfolio fit --------------------------------------------------------------------------------------------------------
LAY = "A two-minute check on the first day finds people who may fall, and staff act on what it finds."


def test_possible_duplicates_and_overlap_with_running_projects_are_shown(client_as):
    call, (first, second, third) = call_with({
        "Fewer falls on the ward": {"a": 4}, "Fewer falls on wards": {"a": 4}, "Safer medicines at discharge": {"a": 4},
    })  # fmt: skip
    Proposal.objects.filter(pk__in=[first.pk, second.pk]).update(lay_summary=LAY)
    Proposal.objects.filter(pk=third.pk).update(
        lay_summary="Pharmacists ring people at home after they leave hospital."
    )
    project = ProjectFactory(title="Fewer falls on the ward", lay_summary=LAY, aim="A quarter fewer falls.")
    stopped = ProjectFactory(title="Fewer falls on the ward again", lay_summary=LAY, aim="Fewer falls.")
    Project.objects.filter(pk=stopped.pk).update(status="closed")

    fit = portfolio.portfolio_of(call, Proposal.objects.filter(call=call), {first.pk})
    page = page_of(client_as(UserFactory(staff=True)), call, "portfolio")

    assert [(row.one.pk, row.other.pk) for row in fit.duplicates] == [(first.pk, second.pk)]
    assert {row.other for row in fit.running} == {project}
    assert {row.one.pk for row in fit.running} == {first.pk, second.pk}
    assert page.status_code == 200
    assert "alike" in page.content.decode()


def test_two_proposals_of_one_organisation_for_the_same_priority_are_possible_duplicates():
    call, (first, second) = call_with({"One thing": {"a": 4}, "Something else": {"a": 4}})
    organisation = OrganisationFactory()
    Proposal.objects.filter(call=call).update(organisation=organisation)
    Proposal.objects.filter(pk=first.pk).update(lay_summary="Bed rails for older people in care homes.")
    Proposal.objects.filter(pk=second.pk).update(lay_summary="Midwives train together with simulated emergencies.")

    fit = portfolio.portfolio_of(call, Proposal.objects.filter(call=call), set())

    assert ["same organisation" in why for row in fit.duplicates for why in row.why] == [True]


def test_priorities_that_the_fundable_leave_uncovered_are_named():
    call, (first, _second) = call_with({"One": {"a": 5}, "Two": {"a": 3}})

    fit = portfolio.portfolio_of(call, Proposal.objects.filter(call=call), {first.pk})
    none = portfolio.portfolio_of(call, Proposal.objects.filter(call=call), set())

    assert [count for _priority, count in fit.priorities] == [1]
    assert none.priorities == [(priority, 0) for priority in call.priorities.all()]


def test_a_hidden_proposal_is_in_no_duplicate(client_as):
    call, (_first, second) = call_with({"Fewer falls on the ward": {"a": 4}, "Fewer falls on wards": {"a": 4}})
    Proposal.objects.filter(call=call).update(lay_summary=LAY)
    staff = UserFactory(staff=True)
    ConflictOfInterest.objects.create(
        proposal=second, user=staff, kind="close", source="declared", recorded_at=clock.now()
    )
    analysed(call)

    pages = [page_of(client_as(staff), call, name).content.decode() for name in ("ranking", "portfolio")]

    assert [second.reference in page for page in pages] == [False, False]


def test_the_resampling_is_the_one_that_the_page_names():
    assert scoring.RESAMPLES == 1000


def test_systems_are_covered_by_lead_partners_and_listed_adopters_each_told_apart(client_as):
    call, (first, second) = call_with({"One": {"a": 5}, "Two": {"a": 3}}, money_total=50_000)
    lead, asked, agreed, nobody = (SystemFactory() for _ in range(4))
    Proposal.objects.filter(pk=first.pk).update(
        organisation=OrganisationFactory(system=lead),
        answers=first.answers
        | {"adopter-1-system": asked.code, "adopter-1-stage": "asked"}
        | {"adopter-2-system": agreed.code, "adopter-2-stage": "agreed"}
        | {"adopter-3-system": agreed.code, "adopter-3-stage": "asked", "adopter-4-system": "outside"},
    )
    Proposal.objects.filter(pk=second.pk).update(organisation=OrganisationFactory(system=nobody))  # below the line

    answer = page_of(client_as(UserFactory(staff=True)), call, "portfolio")

    covered = {one.system: (one.by_team, one.by_adopter, one.by_agreed) for one in answer.context["fit"].systems}
    assert [covered[one] for one in (lead, asked, agreed, nobody)] == [(1, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 0)]
    page = answer.content.decode()
    assert "which adopters they list under criterion 3" in page
    assert f"{nobody.name} <strong>(uncovered)</strong>" in page
    assert page.count("(uncovered)") == 1


def test_an_organisation_that_serves_all_systems_covers_each_of_them():
    call, (first,) = call_with({"One": {"a": 5}})
    systems = [SystemFactory(), SystemFactory()]
    first.partners.add(OrganisationFactory(system=systems[0], serves_all_systems=True))

    fit = portfolio.portfolio_of(call, Proposal.objects.filter(call=call), {first.pk})

    assert {one.system: one.by_team for one in fit.systems} == dict.fromkeys(systems, 1)


def test_the_portfolio_takes_equally_many_queries_for_1_and_3_proposals(client_as, queries_of):
    people = {}
    calls = [
        call_with({f"No {number}": {"a": number, "b": 3} for number in range(rows)}, people, money_total=500_000)[0]
        for rows in (1, 3)
    ]

    addresses = [reverse("admin:proposals_call_portfolio", args=[call.pk]) for call in calls]
    one, three = queries_of(client_as(UserFactory(staff=True)), addresses).values()

    assert one == three
