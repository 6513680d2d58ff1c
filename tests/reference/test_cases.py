"""No case is passed over because nothing knows its form."""

import pytest

from tests.reference import cases, test_plotthedots, test_qicharts2


@pytest.mark.parametrize("folder", [cases.REFERENCE, cases.COPIED], ids=lambda folder: folder.name)
@pytest.mark.parametrize("kind", ["cases", "refused"])
def test_every_case_of_every_file_is_run(folder, kind):
    forms = {test_plotthedots.FORM, test_qicharts2.FORM}

    unknown = [case["id"] for _, case in cases.every(folder, kind) if not forms & case["input"].keys()]

    assert unknown == []
