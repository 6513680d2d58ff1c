import pytest

from psc_portal.common import demonstration
from psc_portal.common.export import csv_response, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(1)"])
def test_text_that_a_spreadsheet_takes_for_a_formula_gets_a_quote(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("value", [-3, 4.5, "-3.5", "+2", "12%", "plain", "", "a=b"])
def test_numbers_and_plain_text_stay_as_they_are(value):
    assert safe_cell(value) == value


@pytest.mark.django_db
@pytest.mark.parametrize(("is_marked", "lines"), [(False, 2), (True, 3)])
def test_a_csv_says_when_its_data_is_for_demonstration(is_marked, lines):
    if is_marked:
        demonstration.mark()

    text = b"".join(csv_response("a.csv", ["name"], [["=x"]])).decode("utf-8-sig")

    assert len(text.splitlines()) == lines
    assert text.splitlines()[-1] == "'=x"
    assert (demonstration.SENTENCE in text) is is_marked
