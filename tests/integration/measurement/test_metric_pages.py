import csv
import datetime as dt
import io
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from measurement import actions, providers
from measurement.models import Annotation, DataPoint, ImportBatch, Metric, Rebase, Series
from psc_portal.common import clock
from psc_portal.common.registry import Place
from psc_portal.search.finding import search
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, MetricOwnerFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def trust():
    return OrganisationFactory(ods_code="RX1", name="Own Trust")


@pytest.fixture
def member(trust):
    return AffiliationFactory(organisation=trust).user


def series_of(trust=None, values=((90, 100), (80, 100)), **metric):
    series = SeriesFactory(metric=MetricFactory(**metric), organisation=trust)
    fill(series, values)
    return series


def addresses(metric):
    names = ["metric_detail", "metric_csv", "metric_svg", "metric_png"]
    return [reverse(f"measurement:{name}", args=[metric.code]) for name in names]


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def last_month():
    return dt.date(clock.today().year, clock.today().month, 1) - dt.timedelta(days=1)


# Who sees what -------------------------------------------------------------------------------------------------------


def test_a_members_only_metric_is_not_there_for_others(client, client_as, member, staff):
    metric = series_of(members_only=True, name="Secret metric").metric
    outsider = UserFactory()

    for path in addresses(metric):
        assert client.get(path).status_code == 404
        assert client_as(outsider).get(path).status_code == 404
        assert client_as(member).get(path).status_code == 200
    for reader in (client, client_as(outsider)):
        assert "Secret metric" not in reader.get(reverse("measurement:metric_list")).content.decode()
    for person in (member, staff, MetricOwnerFactory(metric=metric).user, UserFactory(lead=True)):
        assert "Secret metric" in client_as(person).get(reverse("measurement:metric_list")).content.decode()


def test_the_public_sees_published_numbers_and_the_own_organisation_true_ones(client, client_as, trust, member):
    series = series_of(trust, [(3, 98), (41, 98)], of_people=True)
    page = series.get_absolute_url()

    public, own, other = client.get(page), client_as(member).get(page), client_as(UserFactory()).get(page)

    for response in (public, other):
        assert "Counts of 1 to 7 people are shown as *" in text_of(response)
        assert not re.search(r"\b(41|98|3)\b", re.sub(r"\b3(?=[^<]*/svg)", "", _data_table(response)))
    assert "You see the true values" in text_of(own)
    assert "41" in _data_table(own)


def _data_table(response):
    return re.search(r"Values, newest first.*?</table>", response.content.decode(), re.S)[0]


def test_the_csv_of_the_public_holds_no_true_count(client, client_as, trust, member):
    series = series_of(trust, [(3, 98), (41, 98)], of_people=True, name="=cmd()", why_it_matters="x")
    path = reverse("measurement:metric_csv", args=[series.metric.code])

    public = b"".join(client.get(path).streaming_content).decode()
    own = b"".join(client_as(member).get(path).streaming_content).decode()

    rows = list(csv.reader(io.StringIO(public.lstrip("\ufeff"))))
    head = {row[0]: row[1] for row in rows if len(row) == 2}
    assert head["Metric"] == f"{series.metric.code} =cmd()"
    assert head["Rule set"].startswith("NHS England, Making Data Count")
    assert "nearest 5" in head["Small numbers"]
    table = rows[rows.index([]) + 1 :] if [] in rows else rows
    columns = next(row for row in table if row and row[0] == "Period")
    first, second = (dict(zip(columns, row, strict=True)) for row in table[table.index(columns) + 1 :])
    assert (first["Numerator"], first["Denominator"], first["Value"]) == ("*", "*", "*")
    assert (second["Numerator"], second["Denominator"], second["Value"]) == ("40", "100", "40")
    assert "true values, not for publication" in own.lower()
    assert ",41,98," in own


def test_names_that_look_like_formulas_are_made_safe(client):
    series = series_of(name="Falls", unit="=HYPERLINK(1)")

    content = b"".join(client.get(reverse("measurement:metric_csv", args=[series.metric.code])).streaming_content)

    assert b"'=HYPERLINK(1)" in content


def test_pictures_have_their_type_and_name(client):
    metric = series_of(name="Falls in <hospital>").metric

    svg = client.get(reverse("measurement:metric_svg", args=[metric.code]))
    png = client.get(reverse("measurement:metric_png", args=[metric.code]))

    assert svg["Content-Type"] == "image/svg+xml"
    assert b"Falls in &lt;hospital&gt;" in svg.content
    assert (png["Content-Type"], png.content[:4]) == ("image/png", b"\x89PNG")


def test_a_code_in_small_letters_leads_to_the_metric(client):
    metric = series_of().metric

    assert client.get(f"/metrics/{metric.code.lower()}/").url == metric.get_absolute_url()


@pytest.mark.parametrize("key", ["nope", "'", "region", "1"])
def test_a_forged_series_is_not_found(client, trust, key):
    metric = series_of(trust).metric

    for path in addresses(metric):
        assert client.get(path, {"series": key}).status_code == 404


# The list and the page -----------------------------------------------------------------------------------------------


def test_must_do_topics_come_first_and_priorities_without_a_metric_are_named(client):
    series_of(priority=PriorityFactory(title="Falls", position=1))
    series_of(priority=PriorityFactory(must_do=True, title="Culture", position=9))
    PriorityFactory(title="Sepsis")

    text = text_of(client.get(reverse("measurement:metric_list")))

    assert text.index("Culture") < text.index("Falls National") if "Falls National" in text else True
    assert text.rindex("Culture") < text.rindex(" Falls ")
    assert "Sepsis" in text[text.index("Not yet measured") :]


def test_filters_leave_what_was_asked_for_and_nonsense_is_left_out(client):
    series_of(name="Kept", kind="outcome")
    series_of(name="Dropped", kind="process")
    page = reverse("measurement:metric_list")

    assert "Dropped" not in text_of(client.get(page, {"kind": "outcome"}))
    assert "1 metric match" in text_of(client.get(page, {"kind": "outcome"}))
    assert "No metric matches these filters" in text_of(client.get(page, {"signal": "concern"}))
    assert client.get(page, {"kind": "nonsense", "priority": "'--"}).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_runs_a_constant_number_of_queries(client, count, django_assert_num_queries):
    for _ in range(count):
        series_of(priority=PriorityFactory())
    client.get(reverse("measurement:metric_list"), {"warm": "up"})

    with django_assert_num_queries(7):
        client.get(reverse("measurement:metric_list"), {"count": count})


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_of_a_metric_runs_a_constant_number_of_queries(client, count, django_assert_max_num_queries):
    metric = MetricFactory()
    for _ in range(count):
        fill(SeriesFactory(metric=metric, organisation=OrganisationFactory()), [(50, 100)] * 3)
    client.get(metric.get_absolute_url(), {"warm": "up"})

    with django_assert_max_num_queries(14):
        client.get(metric.get_absolute_url(), {"count": count})


def test_the_page_of_a_place_writes_nothing_into_the_search_box(client, trust):
    metric = series_of().metric
    series = SeriesFactory(metric=metric, organisation=trust)

    page = client.get(series.get_absolute_url()).content.decode()

    assert 'value="?series' not in page
    assert f"{metric.code}.csv?series=RX1" in page


def test_the_page_says_what_the_data_say_and_how_it_is_defined(client):
    series = series_of(values=[(50 + n % 2, 100) for n in range(20)] + [(80, 100)], target=40)
    Annotation.objects.create(metric=series.metric, date=dt.date(2023, 6, 1), kind="pdsa", text="Tried on one ward")

    response = client.get(series.metric.get_absolute_url())

    text = text_of(response)
    assert "Better: the value is above the upper process limit" in text
    assert "1. 1 June 2023" in text
    assert "Tried on one ward" in text
    assert "What is counted, and how." in text
    assert 'role="img"' in response.content.decode()


# Entering data -------------------------------------------------------------------------------------------------------


def test_visitors_log_in_first_and_others_find_nothing(client, client_as, trust):
    metric = series_of(trust).metric
    for name, more in [
        ("point_enter", []), ("rows_enter", []), ("metric_annotate", []), ("metric_rebase", []), ("import_undo", [1]),
    ]:  # fmt: skip
        path = reverse(f"measurement:{name}", args=[metric.code, *more])

        assert client.get(path).status_code == 302
        assert client_as(UserFactory()).get(path).status_code == 404


def test_a_member_enters_the_next_period_with_the_last_denominator_carried_forward(client_as, trust, member):
    series = series_of(trust, [(12, 340)] * 3)
    path = reverse("measurement:point_enter", args=[series.metric.code])
    browser = client_as(member)

    page = browser.get(path)
    form = page.context["form"]
    response = browser.post(
        path, {"period_start": form["period_start"].value(), "numerator": "1,2", "denominator": "340"}
    )
    assert "Numerator must be a number" in text_of(response)
    assert 'value="1,2"' in response.content.decode()
    response = browser.post(
        path, {"period_start": form["period_start"].value(), "numerator": "15", "denominator": "340"}
    )

    assert (form["period_start"].value(), form["denominator"].value()) in [
        (form.fields["period_start"].choices[-1][0], "340"),
        ("2023-07-01", "340"),
    ]
    assert response.url == series.get_absolute_url()
    assert series.points.current().count() == 4
    assert "12 of 340" in text_of(page)


def test_a_refused_value_keeps_what_was_typed(client_as, trust, member):
    series = series_of(trust)
    path = reverse("measurement:point_enter", args=[series.metric.code])
    month = last_month().replace(day=1).isoformat()

    response = client_as(member).post(path, {"period_start": month, "numerator": "7", "denominator": "5", "note": "Hm"})

    assert "larger than the denominator" in text_of(response)
    assert 'value="Hm"' in response.content.decode()
    assert "<title>Error: " in response.content.decode()


def test_a_correction_asks_for_its_reason_and_shows_the_history(client_as, trust, member):
    series = series_of(trust, values=[(12, 340)])
    start = last_month().replace(day=1)
    DataPoint.objects.update(period_start=start, period_end=last_month())
    path = reverse("measurement:point_enter", args=[series.metric.code])
    browser = client_as(member)
    form = browser.get(path, {"period": start.isoformat()}).context["form"]
    data = {"period_start": start.isoformat(), "numerator": "13", "denominator": "340"}

    refused = browser.post(path, data)
    stored = browser.post(path, {**data, "reason": "One was late"}, follow=True)

    assert form["numerator"].value() == "12"
    assert "say why you correct it" in text_of(refused)
    assert "12 of 340, final became 13 of 340, final" in text_of(stored)


@pytest.mark.parametrize("period", ["2031-01-01", "1900-01-01", "soon", ""])
def test_a_wrong_period_is_refused(client_as, trust, member, period):
    series = series_of(trust)

    response = client_as(member).post(
        reverse("measurement:point_enter", args=[series.metric.code]),
        {"period_start": period, "numerator": "1", "denominator": "5"},
    )

    assert response.status_code == 200
    assert "eriod" in text_of(response)
    assert series.points.count() == 2


def test_a_member_cannot_name_the_series_of_another_organisation(client_as, trust, member):
    series = series_of(trust)
    other = SeriesFactory(metric=series.metric, organisation=OrganisationFactory(ods_code="RK5"))
    path = reverse("measurement:point_enter", args=[series.metric.code])

    response = client_as(member).post(
        f"{path}?series={other.key}",
        {"period_start": last_month().replace(day=1).isoformat(), "numerator": "1", "denominator": "5"},
    )

    assert response.status_code == 404
    assert not other.points.exists()


def test_an_event_has_a_date_and_a_value(client_as, trust, member):
    series = SeriesFactory(metric=ValueMetricFactory(frequency=Metric.Frequency.EVENT), organisation=trust)
    path = reverse("measurement:point_enter", args=[series.metric.code])
    day = {"period_start_day": "17", "period_start_month": "3", "period_start_year": "2025"}

    refused = client_as(member).post(path, {**day, "period_start_year": "2031", "value": "4"})
    stored = client_as(member).post(path, {**day, "value": "41"})

    assert "or earlier" in text_of(refused)
    assert stored.status_code == 302
    assert [(p.period_start, p.value) for p in series.points.all()] == [(dt.date(2025, 3, 17), 41)]


# Rows ----------------------------------------------------------------------------------------------------------------

ROWS = "period,numerator,denominator,note\n2024-01-01,1,9,\n2024-02-01,10,9,\n2024-03-01,3,9,Ask 943 476 5919\n"


def rows_path(series):
    return reverse("measurement:rows_enter", args=[series.metric.code])


def hidden_fields(response):
    form = response.context["form"]
    return {name: form[name].value() for name in form.fields}


def test_rows_are_shown_before_anything_is_stored_and_good_ones_accepted_once(client_as, trust, member):
    series = series_of(trust, values=[])
    browser = client_as(member)

    preview = browser.post(rows_path(series), {"series": "RX1", "rows": ROWS})
    assert DataPoint.objects.count() == 0
    text = text_of(preview)
    assert "1 good, 2 refused" in text
    assert "larger than the denominator" in text
    assert "NHS number" in text
    fields = hidden_fields(preview)
    for _ in range(2):
        stored = browser.post(rows_path(series), fields, follow=True)

    assert "1 value is stored" in text_of(stored)
    assert [(p.numerator, p.entered_by) for p in series.points.all()] == [(1, member)]
    batch = ImportBatch.objects.get()
    assert (batch.rows_stored, batch.rows_refused, batch.name) == (1, 2, "Pasted rows")


def test_a_file_of_excel_is_read_and_can_be_undone_as_one(client_as, trust, member):
    series = series_of(trust, values=[])
    browser = client_as(member)
    content = "period;numerator;denominator;note\r\nJan-24;1;9;caf\xe9\r\n01/02/2024;2;9;\r\n".encode("cp1252")

    preview = browser.post(rows_path(series), {"series": "RX1", "file": SimpleUploadedFile("falls.csv", content)})
    page = browser.post(rows_path(series), hidden_fields(preview), follow=True)
    batch = ImportBatch.objects.get()
    undo = reverse("measurement:import_undo", args=[series.metric.code, batch.pk])

    assert (batch.name, series.points.current().count()) == ("falls.csv", 2)
    assert undo in page.content.decode()
    assert browser.get(undo).status_code == 200
    assert series.points.current().count() == 2
    assert "is undone" in text_of(browser.post(undo, follow=True))
    assert series.points.current().count() == 0


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"series": "RX1"}, "Paste rows or choose a file"),
        ({"series": "RX1", "rows": "a,b\n1,2"}, "no column called period"),
        ({"series": "RK5", "rows": ROWS}, "Choose from the list"),
        ({"series": "RX1", "rows": ROWS, "file": (b"period,", "a.csv")}, "not both"),
        ({"series": "RX1", "file": (b"", "a.csv")}, "the file is empty"),
        ({"series": "RX1", "file": (b"x" * 10_485_761, "a.csv")}, "more than the 10.0 MB allowed"),
        ({"series": "RX1", "rows": "x" * 1_000_001}, "too much to paste"),
        ({"series": "RX1", "file": (b"PK\x03\x04", "a.xlsx")}, "workbook cannot be read"),
        ({"series": "RX1", "file": (b"PK\x03\x04", "a.xlsm")}, "workbook with macros is not taken"),
        ({"series": "RX1", "file": (b"\xd0\xcf\x11\xe0\xa1\xb1", "a.xls")}, "an old Excel file"),
    ],
    ids=[
        "nothing", "no header", "forged place", "both", "empty file", "too large", "too much to paste",
        "broken workbook", "macros", "old workbook",
    ],
)  # fmt: skip
def test_unusable_rows_get_a_sentence_and_keep_what_was_pasted(client_as, trust, member, data, sentence):
    series = series_of(trust, values=[])
    SeriesFactory(metric=series.metric, organisation=OrganisationFactory(ods_code="RK5"))
    if isinstance(data.get("file"), tuple):
        content, name = data["file"]
        data = {**data, "file": SimpleUploadedFile(name, content)}

    response = client_as(member).post(rows_path(series), data)

    assert sentence in text_of(response)
    assert data.get("rows", "") in response.context["form"]["rows"].value() if data.get("rows") else True
    assert not DataPoint.objects.exists()


def test_forged_rows_in_the_second_step_are_checked_again(client_as, trust, member):
    series = series_of(trust, values=[])
    other = SeriesFactory(metric=series.metric, organisation=OrganisationFactory(ods_code="RK5"))
    browser = client_as(member)
    fields = hidden_fields(browser.post(rows_path(series), {"series": "RX1", "rows": ROWS}))

    browser.post(rows_path(series), {**fields, "text": ROWS.replace("2024-01-01,1,9", "2024-01-01,99,9")})
    browser.post(rows_path(series), {**fields, "series": "RK5"})
    browser.post(rows_path(series), {**fields, "token": "no-token"})

    assert not DataPoint.objects.exists()
    assert not other.points.exists()


def test_corrections_in_rows_need_a_reason(client_as, trust, member):
    series = series_of(trust, values=[])
    fill(series, [(5, 9)], start=dt.date(2024, 1, 1))
    browser = client_as(member)
    fields = hidden_fields(browser.post(rows_path(series), {"series": "RX1", "rows": ROWS}))

    refused = browser.post(rows_path(series), {**fields, "reason": ""})
    stored = browser.post(rows_path(series), {**fields, "reason": "Final numbers"})

    assert "Enter reason for the corrections" in text_of(refused)
    assert stored.status_code == 302
    assert [(c.numerator_before, c.numerator_after) for c in series.points.get().corrections.all()] == [(5, 1)]


def test_the_import_of_a_colleague_cannot_be_undone(client_as, trust, member):
    series = series_of(trust, values=[])
    batch = actions.store_points(
        metric=series.metric,
        rows=[actions.NewPoint(series, dt.date(2024, 1, 1), actions.Values(actions.decimal(1), actions.decimal(2)))],
        name="a.csv",
        by=member,
    )
    colleague = AffiliationFactory(organisation=trust).user

    response = client_as(colleague).post(reverse("measurement:import_undo", args=[series.metric.code, batch.pk]))

    assert response.status_code == 404
    assert series.points.current().count() == 1


# Explaining the chart ------------------------------------------------------------------------------------------------


def test_the_owner_marks_an_event_and_rebases(client_as):
    series = series_of(values=[(50 + n % 2, 100) for n in range(30)])
    browser = client_as(MetricOwnerFactory(metric=series.metric).user)
    annotate = reverse("measurement:metric_annotate", args=[series.metric.code])
    rebase = reverse("measurement:metric_rebase", args=[series.metric.code])
    date = {"date_day": "2", "date_month": "5", "date_year": "2024"}
    since = {"from_date_day": "1", "from_date_month": "6", "from_date_year": "2024"}

    browser.post(annotate, {**date, "kind": "intervention", "text": "Started"})
    refused = browser.post(rebase, {**since, "series": series.pk, "reason": " "})
    browser.post(rebase, {**since, "series": series.pk, "reason": "New pathway"})
    page = browser.get(series.metric.get_absolute_url())

    assert "Enter reason" in text_of(refused)
    assert Annotation.objects.get().text == "Started"
    assert Rebase.objects.get().reason == "New pathway"
    assert "Mean and limits are calculated anew from June 2024: New pathway." in text_of(page)


def test_a_series_of_another_metric_cannot_be_rebased_from_here(client_as):
    series, other = series_of(), series_of()
    browser = client_as(MetricOwnerFactory(metric=series.metric).user)
    since = {"from_date_day": "1", "from_date_month": "4", "from_date_year": "2023"}

    browser.post(
        reverse("measurement:metric_rebase", args=[series.metric.code]), {**since, "series": other.pk, "reason": "X"}
    )

    assert not Rebase.objects.exists()


# Other pages ---------------------------------------------------------------------------------------------------------


def test_the_thread_of_priority_and_project_names_their_metrics_for_who_may_see_them(member):
    project, priority = ProjectFactory(), PriorityFactory()
    public = MetricFactory(project=project, priority=priority)
    MetricFactory(project=project, priority=priority, members_only=True)
    anonymous = type("Anonymous", (), {"is_authenticated": False})()

    for place in (
        Place("project", project.pk),
        Place("priority", priority.pk),
        Place("pledge", 1, {"metric": [public.pk]}),
    ):
        items = providers.metrics_on_thread(place, anonymous)

        assert [item.url for item in items] == [public.get_absolute_url()]
    assert len(providers.metrics_on_thread(Place("project", project.pk), member)) == 2


def test_the_search_finds_metrics_by_code_name_and_why_they_matter(member):
    metric = MetricFactory(code="PU1", name="Pressure ulcers", why_it_matters="They hurt for weeks")
    MetricFactory(name="Pressure secret", members_only=True)

    for words in ("PU1", "ulcer", "hurting"):
        assert [hit.url for hit in search(words, user=AnonymousUser()).hits] == [metric.get_absolute_url()]


def test_data_that_are_due_wait_for_those_who_keep_them(trust, member, django_assert_num_queries):
    series = series_of(trust, [(1, 9)])
    series_of(OrganisationFactory())
    ended = series_of(trust)
    Series.objects.filter(pk=ended.pk).update(ended_on=dt.date(2023, 6, 1))

    with django_assert_num_queries(1):
        (item,) = providers.data_due(member)

    assert item.title.startswith(f"{series.metric.name}, May 2023 and ")
    assert item.due == dt.date(2023, 6, 30)
    assert item.days_late > 1000
    assert item.url == f"/metrics/enter/RX1/#row-{series.pk}-20230501"
    assert (item.section, item.section_url) == ("Data for Own Trust", "/metrics/enter/RX1/")
