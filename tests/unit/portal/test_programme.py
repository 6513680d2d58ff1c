"""The whole programme as a tree: what hangs where, what fits, and that nothing is lost on the way."""

from psc_portal.common.registry import Strand
from psc_portal.programme import Asked, programme_of

NORTH, SOUTH = 1, 2
FALLS = Strand("priority", 1, "Falls", "/p/falls/", key="falls")
ULCERS = Strand("priority", 2, "Pressure ulcers", "/p/ulcers/", key="ulcers")
WARD = Strand("project", 10, "Ward 7", "/w/", stage="testing", priorities=(1,), systems=frozenset({NORTH}))
HOME = Strand("project", 11, "Safe at home", "/h/", stage="stopped", priorities=(1, 2), systems=frozenset({SOUTH}))
RATE = Strand("metric", 20, "Rate of harm", "/m/", projects=(10,), systems=None)
SKIN = Strand("metric", 21, "Skin checks", "/s/", priorities=(2,), systems=frozenset({NORTH}))
LOOSE = Strand("metric", 22, "Loose", "/l/", systems=None)
CALL = Strand("call", 30, "Ideas", "/c/", priorities=(1,), systems=None)
ADRIFT = Strand("call", 31, "Anything", "/a/", systems=None)
TRUST = Strand("pledge", 40, "Trust", "/t/", priorities=(2,), metrics=(20,), systems=frozenset({SOUTH}))
ALL = [FALLS, ULCERS, WARD, HOME, RATE, SKIN, LOOSE, CALL, ADRIFT, TRUST]


def drawn(branch):
    """A branch as plain titles, projects with their metrics."""
    return {
        "calls": [one.title for one in branch.calls],
        "projects": [(one.project.title, [metric.title for metric in one.metrics]) for one in branch.projects],
        "metrics": [one.title for one in branch.metrics],
        "pledges": [one.title for one in branch.pledges],
    }


def test_everything_stands_where_it_hangs_and_what_hangs_nowhere_stands_apart():
    programme = programme_of(ALL)

    falls, ulcers = programme.branches
    assert drawn(falls) == {
        "calls": ["Ideas"],
        "projects": [("Ward 7", ["Rate of harm"]), ("Safe at home", [])],
        "metrics": [],
        "pledges": ["Trust"],  # by the metric of the ward
    }
    assert drawn(ulcers) == {
        "calls": [],
        "projects": [("Safe at home", [])],
        "metrics": ["Skin checks"],
        "pledges": ["Trust"],
    }
    assert drawn(programme.unplaced) == {"calls": ["Anything"], "projects": [], "metrics": ["Loose"], "pledges": []}


def test_every_thing_of_the_programme_is_on_the_tree():
    programme = programme_of(ALL)
    branches = [*programme.branches, programme.unplaced]
    found = {
        strand.pk for branch in branches for rows in (branch.calls, branch.metrics, branch.pledges) for strand in rows
    }
    found |= {one.project.pk for branch in branches for one in branch.projects}
    found |= {metric.pk for branch in branches for one in branch.projects for metric in one.metrics}
    found |= {branch.priority.pk for branch in programme.branches}

    assert found == {strand.pk for strand in ALL}


def test_a_metric_of_a_project_that_nobody_may_see_stands_under_its_priority():
    hidden = Strand("metric", 23, "Of a draft", "/d/", priorities=(1,), projects=(99,))

    falls = programme_of([FALLS, hidden]).branches[0]

    assert drawn(falls)["metrics"] == ["Of a draft"]


def test_a_system_finds_what_it_takes_part_in_and_what_is_for_all():
    falls, ulcers = programme_of(ALL, Asked(system=NORTH)).branches

    assert drawn(falls) == {
        "calls": ["Ideas"], "projects": [("Ward 7", ["Rate of harm"])], "metrics": [], "pledges": [],
    }  # fmt: skip
    assert drawn(ulcers) == {"calls": [], "projects": [], "metrics": ["Skin checks"], "pledges": []}


def test_a_stage_finds_projects_with_what_measures_them_and_nothing_else():
    falls, ulcers = programme_of(ALL, Asked(stage="testing")).branches

    assert drawn(falls) == {"calls": [], "projects": [("Ward 7", ["Rate of harm"])], "metrics": [], "pledges": []}
    assert ulcers.is_empty


def test_words_of_a_priority_find_its_branch_and_words_of_a_metric_its_project():
    falls, ulcers = programme_of(ALL, Asked(words="pressure")).branches
    assert (falls.is_empty, drawn(ulcers)["metrics"]) == (True, ["Skin checks"])

    falls, ulcers = programme_of(ALL, Asked(words="HARM of")).branches
    assert (drawn(falls)["projects"], drawn(falls)["calls"]) == ([("Ward 7", ["Rate of harm"])], [])
    assert ulcers.is_empty


def test_a_long_branch_is_paged_and_says_how_much_there_is():
    projects = [Strand("project", pk, f"Project {pk}", f"/{pk}/", priorities=(1,)) for pk in range(100, 123)]
    branch = programme_of([FALLS, *projects, CALL]).branches[0]

    last = branch.page(3, 10)

    assert (branch.pages(10), len(last.shown.projects), last.is_cut) == (3, 3, True)
    assert branch.in_words == "1 call, 23 projects"
    assert not branch.page(1, 50).is_cut
