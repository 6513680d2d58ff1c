"""Cases with the results of other packages, and what it means to equal them.

They lie in the folder that SPC_REFERENCE_DIR names (METHOD.md there says what they are) and, as far as they are made
up, in tests/data/spc, so that they are checked where that folder is absent too.
"""

import json
import os
from datetime import date
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / os.environ.get("SPC_REFERENCE_DIR", "../shared/reference/spc")).resolve()
COPIED = ROOT / "tests" / "data" / "spc"
ABSENT = f"no reference cases at {REFERENCE}: set SPC_REFERENCE_DIR to the folder that has them"


def with_input(key, kind="cases"):
    """The cases (or what is "refused") whose input has this key, of every file, as parameters of a test."""
    found = [
        pytest.param(case, id=f"{file.parent.name}-{file.stem}-{case['id']}")
        for folder in (REFERENCE, COPIED)
        for file, case in every(folder, kind)
        if key in case["input"]
    ]
    if not REFERENCE.is_dir():
        found.append(pytest.param(None, id="reference", marks=pytest.mark.skip(reason=ABSENT)))
    return found


@cache
def every(folder, kind):
    """Each case with its file; what its series has is filled in where the case leaves it out."""
    found = []
    for file in sorted(folder.glob("*.json")):
        for case in json.loads(file.read_text()).get(kind, []):
            found.append((file, case | {"input": _with_series(case["input"], folder)}))
    return found


def _with_series(given, folder):
    key = given.get("series")
    needed = {"dates": "dates", "values": "values", "y": "values"}
    if given.get("use_denominators"):
        needed["n"] = "denominators"
    if not key or all(given.get(mine) is not None for mine in needed if mine in given):
        return given
    series = _series(folder)[key]
    return given | {mine: series[its] for mine, its in needed.items() if mine in given and given[mine] is None}


@cache
def _series(folder):
    return json.loads((folder / "series.json").read_text())["series"]


def days(texts):
    return [date.fromisoformat(text) for text in texts]


def is_answered_instead(refused):
    """No data, and a missing value inside a rise: the package crashes, METHOD.md says what to do instead."""
    return not refused["input"]["dates"] or "missing value where TRUE/FALSE needed" in refused["error"]


def assert_same(ours, theirs, place):
    """Numbers to a relative 1e-9, everything else exactly."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), place
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), place
        for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{place}[{i}]")
    elif _is_number(theirs) and _is_number(ours):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=0), place
    else:
        assert type(ours) is type(theirs), place
        assert ours == theirs, place


def _is_number(thing):
    return isinstance(thing, int | float) and not isinstance(thing, bool)
