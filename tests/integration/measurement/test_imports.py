import datetime as dt
from decimal import Decimal

import pytest

from measurement import imports
from psc_portal.common.refusals import ActionRefused
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import OrganisationFactory


def check(text, series=None, **options):
    series = series or SeriesFactory()
    return imports.check(series.metric, imports.of_text(text), **{"allowed": [series], "default": series, **options})


def only(preview):
    (row,) = preview.rows
    return row


@pytest.mark.parametrize(
    "content",
    [
        b"period,numerator,denominator\n2025-04-01,12,340\n",
        "\ufeffperiod,numerator,denominator\r\n2025-04-01,12,340\r\n".encode(),
        b"period;numerator;denominator\r2025-04-01;12;340\r",
        b"period\tnumerator\tdenominator\n2025-04-01\t12\t340\n",
        "period,numerator,denominator,note\n2025-04-01,12,340,caf\xe9 \x96 ward\n".encode("latin-1"),
        "period,numerator,denominator\n2025-04-01,12,340\n".encode("utf-16"),
        b'"Period","Numerator","Denominator"\n"1 April 2025","12","340"\n,,\n',
        b"Falls team return\n\nPeriod,Organisation,Numerator,Denominator\nApr-25,region,12,340\n",
        b"2025-04-01,12,340\n",
        b"period,checked in time,all admissions\n01/04/2025,12,340\n",
        b"period,numerator,denominator\n45748,12,340\n",
    ],
    ids=[
        "plain", "byte order mark", "semicolons", "tabs", "Windows-1252", "UTF-16", "quotes and empty row",
        "lines above the header", "no header", "own names", "serial day",
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_whatever_a_spreadsheet_saves_is_understood(content):
    row = only(check(imports.text_of(content)))

    assert (row.problem, row.period, row.shown) == ("", "April 2025", "12 of 340")
    assert row.point.period_start == dt.date(2025, 4, 1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2025-04-01,350,340", "larger than the denominator"),
        ("2025-04-01,,340", "Enter the numerator"),
        ("2025-04-01,12,", "Enter the denominator"),
        ("2999-04-01,12,340", "not over yet"),
        ("1925-04-01,12,340", "year 1925"),
        ("2025-13-01,12,340", "not a date that exists"),
        ("31/02/2025,12,340", "not a date that exists"),
        ("soon,12,340", "“soon” is not a period"),
        (",12,340", "period is empty"),
        ("2025-04-01,twelve,340", "“twelve” is not a number"),
        ("2025-04-01,*,340", "A star is a hidden value"),
        ("2025-04-01,-3,340", "0 or more"),
        ("2025-04-01,=1+1,340", "is not a number"),
        ("2025-04-01,12,340,9434765919", "NHS number"),
        ("2025-04-01,12,340,Patient 943 476 5919", "NHS number"),
        ("2025-04-01,12,340," + "x" * 301, "note is too long"),
    ],
)
@pytest.mark.django_db
def test_a_bad_row_is_refused_with_a_sentence(line, sentence):
    row = only(check(f"period,numerator,denominator,note\n{line}\n"))

    assert sentence in row.problem
    assert row.point is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste rows"),
        ("period,numerator,denominator\n", "no row under it"),
        ("month;numerator\n2025-04;3\n", "no column called denominator"),
        ("a,b\n1,2\n", "no column called period"),
        ('period,numerator,denominator\n"2025-04-01,' + "1" * 200_000 + "\n", "cannot be read"),
        ("Trust,Apr-25,May-25,Jun-25\nRX1,1,2,3\n", "periods stand side by side"),
    ],
)
@pytest.mark.django_db
def test_an_unusable_text_is_refused_as_a_whole(text, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        check(text)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"  \n", "empty"),
        (b"period\0numerator", "not a text file"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"caf\x81", "cannot be read"),
    ],
)
def test_a_file_that_is_no_text_is_refused(content, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        imports.text_of(content)


@pytest.mark.django_db
def test_a_period_twice_in_the_file_names_the_other_row():
    preview = check("period,numerator,denominator\n2025-04-01,1,9\n30/04/2025,2,9\n")

    assert [row.problem for row in preview.rows] == ["", "The same period is in row 2 already."]
    assert len(preview.good) == 1


@pytest.mark.django_db
def test_new_unchanged_and_corrected_rows_are_told_apart_and_gaps_named():
    series = SeriesFactory()
    fill(series, [(1, 9), (2, 9)], start=dt.date(2025, 4, 1))

    preview = check("period,numerator,denominator\n2025-04-01,1,9\n2025-05-01,3,9\n2025-08-01,4,9\n", series)

    assert [row.verdict for row in preview.rows] == ["No change", "Corrects 2 of 9", "New"]
    assert preview.missing == ["June 2025", "July 2025"]
    assert preview.correction_count > 0


@pytest.mark.django_db
def test_rows_may_name_only_places_whose_data_one_may_enter():
    metric = MetricFactory()
    mine = SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code="RX1", name="Own Trust"))
    SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code="RK5"))
    text = "organisation,period,numerator,denominator\nrx1,2025-04,1,9\nOwn Trust,2025-05,1,9\nRK5,2025-06,1,9\n"

    preview = check(text, mine)

    assert [row.problem for row in preview.rows] == ["", "", "“RK5” is not a place whose data you may enter here."]
    assert {row.point.series for row in preview.good} == {mine}


@pytest.mark.django_db
def test_our_own_download_can_be_read_back():
    series = SeriesFactory()
    text = (
        "Metric,TST1 Falls\nUnit,%\n\nPeriod,Period start,Period end,Numerator,Denominator,Value,Status\n"
        "April 2025,2025-04-01,2025-04-30,1.0,9.0,11.1,provisional\n"
    )

    row = only(check(text, series))

    assert (row.shown, row.point.values.is_provisional) == ("1 of 9", True)


@pytest.mark.django_db
def test_plain_values_may_be_per_cent_or_negative():
    series = SeriesFactory(metric=ValueMetricFactory(unit="%"))

    preview = check("month,value\nApril 2025,12.5%\nMay 2025,-3\n", series)

    assert [row.point.values.value for row in preview.rows] == [Decimal("12.5"), Decimal(-3)]


@pytest.mark.parametrize(
    ("text", "comma", "number"),
    [
        ("1,234", False, "1234"),
        ("1,234,567.5", False, "1234567.5"),
        ("12,5", True, "12.5"),
        (" 1 234 ", False, "1234"),
        ("\N{MINUS SIGN}3", False, "-3"),
        ("1e3", False, "1e3"),
    ],
)
def test_numbers_as_people_write_them(text, comma, number):
    assert imports.number_of(text, has_decimal_comma=comma) == Decimal(number)


@pytest.mark.parametrize("text", ["12,5", "1.2.3", "0x10", "inf", "nan", "１２"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ActionRefused, match="not a number"):
        imports.number_of(text)


@pytest.mark.parametrize(
    ("text", "frequency", "day"),
    [
        ("2025-10-01", "month", dt.date(2025, 10, 1)),
        ("1/10/2025", "month", dt.date(2025, 10, 1)),
        ("01.10.25", "month", dt.date(2025, 10, 1)),
        ("1 Oct 2025", "month", dt.date(2025, 10, 1)),
        ("October 2025", "month", dt.date(2025, 10, 1)),
        ("Oct-25", "month", dt.date(2025, 10, 1)),
        ("2025-10", "month", dt.date(2025, 10, 1)),
        ("10/2025", "month", dt.date(2025, 10, 1)),
        ("2025-10-01 00:00:00", "month", dt.date(2025, 10, 1)),
        ("July to September 2025", "quarter", dt.date(2025, 7, 1)),
        ("October 2025 to March 2026", "half_year", dt.date(2025, 10, 1)),
        ("2025-26", "year", dt.date(2025, 4, 1)),
        ("week from 5 January 2026", "week", dt.date(2026, 1, 5)),
    ],
)
def test_periods_as_people_write_them(text, frequency, day):
    assert imports.period_of(text, frequency) == day


@pytest.mark.parametrize(
    ("text", "frequency", "day"),
    [
        ("Q1 2024/25", "quarter", dt.date(2024, 4, 1)),
        ("2024/25 Q4", "quarter", dt.date(2025, 1, 1)),
        ("Quarter 3 2024-25", "quarter", dt.date(2024, 10, 1)),
        ("H2 2024/25", "half_year", dt.date(2024, 10, 1)),
        ("w/c 05/01/2026", "week", dt.date(2026, 1, 5)),
        ("Week commencing 5 January 2026", "week", dt.date(2026, 1, 5)),
        ("January 2024", "month", dt.date(2024, 1, 1)),
        ("Sept-24", "month", dt.date(2024, 9, 1)),
        ("45292", "month", dt.date(2024, 1, 1)),
        ("45292.0", "month", dt.date(2024, 1, 1)),
        ("FY 2025/26", "year", dt.date(2025, 4, 1)),
    ],
)
def test_periods_as_the_nhs_writes_them(text, frequency, day):
    assert imports.period_of(text, frequency) == day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("Q1 2024", "may mean two things"), ("Q1 2024/26", "may mean two things"), ("H3 2024/25", "two halves"),
     ("Octember 2025", "not a date that exists")],
)  # fmt: skip
def test_a_period_that_may_mean_two_things_is_refused(text, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        imports.period_of(text, "quarter")


@pytest.mark.django_db
def test_a_sudden_change_of_unit_is_pointed_out_and_not_refused():
    series = SeriesFactory(metric=ValueMetricFactory())
    fill(series, [12.5, 13.1, 12.2, 12.9], start=dt.date(2025, 1, 1))

    preview = check("month,value\nMay 2025,12.4\nJune 2025,0.125\nJuly 2025,12600\n", series)

    assert [row.problem for row in preview.rows] == ["", "", ""]
    assert [row.warning.split(" the usual")[0] for row in preview.rows] == [
        "",
        "0.125 is about 100 times smaller than",
        "12,600 is about 1,000 times larger than",
    ]


@pytest.mark.django_db
def test_a_new_series_is_compared_with_the_rest_of_its_file():
    preview = check(
        "month,numerator,denominator\n" + "".join(f"2025-0{m},9,300\n" for m in range(1, 8)) + "2025-08,9,30000\n"
    )

    assert preview.warned == {9: "30,000 is about 100 times larger than the usual 300: check the unit"}


@pytest.mark.django_db
def test_what_excel_writes_for_itself_names_the_separator():
    row = only(check("sep=;\nperiod;numerator;denominator\n2025-04;12;340\n"))

    assert (row.number, row.shown) == (3, "12 of 340")


@pytest.mark.django_db
def test_a_total_and_a_line_of_text_are_left_out_wherever_they_stand():
    metric = MetricFactory()
    mine = SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code="RX1"))
    preview = check(
        "organisation,period,numerator,denominator\nRX1,2025-04,1,9\nTotal,2025-04,1,9\n,Grand total,1,9\n"
        "Counted on the wards on weekdays\n,,2,9\n",
        mine,
    )

    assert [row.left_out for row in preview.rows] == ["", "A total: not stored", "A total: not stored",
                                                      "A line of text: not stored", ""]  # fmt: skip
    assert preview.rows[-1].problem == "The period is empty."


@pytest.mark.django_db
def test_more_decimals_than_are_stored_are_not_a_correction():
    series = SeriesFactory(metric=ValueMetricFactory())
    fill(series, ["0.33333333"], start=dt.date(2025, 4, 1))

    assert only(check("month,value\n2025-04,0.333333333333333\n", series)).verdict == "No change"


@pytest.mark.parametrize("line", ["943 476 5919,2025-04,1,9", "RX1,9434765919,1,9", ",,1,9434765919"])
@pytest.mark.django_db
def test_an_nhs_number_is_neither_shown_nor_kept_wherever_it_stands(line):
    preview = check(f"organisation,period,numerator,denominator\n{line}\n")

    assert "NHS number" in only(preview).problem
    assert "5919" not in str(preview.as_dict())
