import pytest

from psc_portal.common.nhs_numbers import find_nhs_numbers, is_nhs_number, refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

VALID = "9434765919"  # the example of the NHS Data Dictionary


@pytest.mark.parametrize("written", [VALID, "943 476 5919", "943-476-5919", "943\u00a0476\u00a05919"])
def test_a_valid_nhs_number_is_found_however_it_is_written(written):
    assert find_nhs_numbers(f"Seen on ward 4, {written}, discharged.") == [written]


@pytest.mark.parametrize(
    "text",
    ["9434765918", "94347659190", "19434765919", "0000000000", "1111111111", "call 0115 123 4567 now", "", None],
)
def test_other_numbers_are_not_nhs_numbers(text):
    assert find_nhs_numbers(text) == []


def test_a_check_digit_of_ten_is_never_valid():
    # 1000000010: sum = 1 * 10 + 1 * 2 = 12, 11 - 12 % 11 = 10
    assert not any(is_nhs_number(f"100000001{digit}") for digit in range(10))


def test_the_refusal_names_the_places_and_not_the_number():
    with pytest.raises(ActionRefused) as refusal:
        refuse_nhs_numbers({"Lay summary": f"see {VALID}", "Aim": "fewer falls", "Result": VALID})

    assert "Lay summary, Result" in str(refusal.value)
    assert VALID not in str(refusal.value)
