"""Published statistics as they are downloaded. The numbers are made up; the columns are the layouts' own."""

import pytest
from django.urls import reverse

from measurement import imports, layouts
from measurement.models import ImportBatch
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory
from tests.factories.projects import OrganisationFactory

pytestmark = pytest.mark.django_db

AE_TIDY = """period,org_code,type,attendances,breaches,admissions
2025-04-01,RX1,1,"12,000",3000,2100
2025-04-01,RX1,2,400,10,1
2025-04-01,RJZ,1,9000,1000,900
2025-05-01,RX1,1,12500,2900,2150
"""
AE_KINDS = ("Type 1", "Type 2")
AE_COLUMNS = [
    *("Period", "Org Code", "Parent Org", "Org name"),
    *(f"A&E attendances {kind}" for kind in (*AE_KINDS, "Other A&E Department")),
    *(f"Attendances over 4hrs {kind}" for kind in (*AE_KINDS, "Other Department")),
]
AE_MONTHLY = f"""{",".join(AE_COLUMNS)}
MSitAE-APRIL-2025,RX1,NHS ENGLAND MIDLANDS,OWN TRUST,12000,400,100,3000,10,5
MSitAE-APRIL-2025,RJZ,NHS ENGLAND LONDON,KING'S,9000,0,0,1000,0,0
MSitAE-APRIL-2025,TOTAL,,TOTAL,21000,400,100,4000,10,5
"""
FINGERTIPS = """Indicator ID,Indicator Name,Area Code,Area Name,Area Type,Sex,Age,Time period,Value,Count,Denominator
91981,MRSA bacteraemia,RX1,Own Trust,Acute trust,Persons,All,Apr 2025,0.9,4,44000
91981,MRSA bacteraemia,E92000001,England,England,Persons,All,Apr 2025,0.8,400,4400000
"""
HCAI = """MRSA bacteraemia: counts by trust and month

Organisation code,Organisation name,Month,Hospital-onset healthcare associated,Community-onset healthcare associated
RX1,Own Trust,April 2025,3,2
"""
SHMI = """Summary Hospital-level Mortality Indicator (SHMI), England, July 2024 - June 2025
Provider code,Provider name,SHMI value,SHMI banding,Observed number of deaths,Expected number of deaths
RX1,OWN TRUST,1.0123,2,2400,2370.9
RJZ,KING'S,0.95,2,2300,2421
"""
LFPSE = """Organisation code,Organisation name,Quarter,Recorded events
RX1,Own Trust,Q4 2024/25,"3,412"
"""


def series_for(entry):
    metric = {
        "ratio": lambda: MetricFactory(),
        "count": lambda: MetricFactory(multiplier=1, unit="events", definition={"denominator": ""}),
        "value": lambda: ValueMetricFactory(unit="ratio"),
    }[entry]()
    return SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code="RX1", name="Own Trust"))


def check(text, measure, series=None):
    series = series or series_for(layouts.MEASURES[measure].entry)
    return imports.check(series.metric, imports.of_text(text), allowed=[series], default=series, measure=measure)


@pytest.mark.parametrize(
    ("text", "measure", "shown", "others"),
    [
        (AE_TIDY, "ae-tidy-breaches-1", [("April 2025", "3,000 of 12,000"), ("May 2025", "2,900 of 12,500")], 1),
        (AE_TIDY, "ae-tidy-breaches-2", [("April 2025", "10 of 400")], 0),
        (AE_TIDY, "ae-tidy-attendances-1", [("April 2025", "12,000"), ("May 2025", "12,500")], 1),
        (AE_MONTHLY, "ae-monthly-over-1", [("April 2025", "3,000 of 12,000")], 2),
        (AE_MONTHLY, "ae-monthly-over-all", [("April 2025", "3,015 of 12,500")], 2),
        (AE_MONTHLY, "ae-monthly-attendances-all", [("April 2025", "12,500")], 2),
        (FINGERTIPS, "fingertips-ratio", [("April 2025", "4 of 44,000")], 1),
        (FINGERTIPS, "fingertips-count", [("April 2025", "4")], 1),
        (HCAI, "hcai-hospital", [("April 2025", "3")], 0),
        (SHMI, "shmi-value", [("June 2025", "1.0123 ratio")], 1),
        (LFPSE, "lfpse-events", [("January 2025", "3,412")], 0),
    ],
)
def test_a_published_layout_is_read_and_other_places_are_left_out(text, measure, shown, others):
    preview = check(text, measure)

    assert [(row.period, row.shown) for row in preview.rows] == shown
    assert [row.problem for row in preview.rows] == [""] * len(shown)
    assert (preview.other_places_count, preview.as_dict()["licence"]) == (others, layouts.OGL)


def test_every_layout_says_how_it_was_learnt_and_what_it_may_be_used_for():
    for measure in layouts.MEASURES.values():
        layout = measure.layout
        assert all((layout.source, layout.licence, layout.learnt_from)), layout
        assert len(layout.source) <= 200
        assert len(layout.licence) <= 300
        assert {name for name in layout.columns if name != layouts.name_of(name)} == set()


def test_a_layout_is_recognised_by_its_columns_and_asks_which_numbers_to_take():
    with pytest.raises(ActionRefused, match=r"looks like “NHS England A&E, one row.*Choose under “Which numbers”"):
        check(AE_TIDY, "", series_for("ratio"))


def test_the_only_numbers_that_fit_are_taken_without_a_question():
    assert check(SHMI, "", series_for("value")).measure == "shmi-value"


def test_another_file_than_was_chosen_says_which_columns_were_looked_for():
    with pytest.raises(ActionRefused, match="provider code, provider name, shmi value"):
        check(AE_TIDY, "shmi-value")


def test_numbers_of_another_kind_do_not_fit_the_metric():
    series = series_for("value")

    with pytest.raises(ActionRefused, match="has no numbers of the kind"):
        check(HCAI, "", series)
    with pytest.raises(ActionRefused, match="Choose numbers that fit"):
        check(HCAI, "hcai-hospital", series)


def test_a_file_that_does_not_name_its_months_is_refused():
    with pytest.raises(ActionRefused, match="does not say which months"):
        check(SHMI.split("\n", 1)[1], "shmi-value")


def test_source_and_licence_stay_with_what_was_imported(client, client_as):
    series = series_for("ratio")
    browser = client_as(UserFactory(staff=True))
    path = reverse("measurement:rows_enter", args=[series.metric.code])
    preview = browser.post(path, {"series": "RX1", "rows": AE_TIDY, "measure": "ae-tidy-breaches-1"})
    form = preview.context["form"]
    browser.post(path, {name: form[name].value() for name in form.fields})

    batch = ImportBatch.objects.get()
    page = client.get(series.metric.get_absolute_url()).content.decode()
    csv = b"".join(client.get(reverse("measurement:metric_csv", args=[series.metric.code])).streaming_content).decode()

    assert (batch.source, batch.licence) == (layouts.AE_SOURCE, layouts.OGL)
    for text in (page.replace("&amp;", "&"), csv):
        assert layouts.AE_SOURCE in text
        assert "Open Government Licence v3.0" in text
