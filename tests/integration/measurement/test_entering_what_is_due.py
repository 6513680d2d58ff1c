"""What is due, the page that takes all of it at once, and the reminders."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from measurement import actions, due, jumps
from measurement.models import Correction, DataPoint, DataReminder, Metric, MetricOwner, Series
from projects.models import Affiliation
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, MetricOwnerFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with clock.at(NOW):
        yield


@pytest.fixture
def trust():
    return OrganisationFactory(ods_code="RX1", name="Own Trust")


@pytest.fixture
def member(trust):
    return AffiliationFactory(organisation=trust, from_date=dt.date(2020, 1, 1)).user


def series_up_to(month, trust=None, value=(12, 340), metric=None, **traits):
    """A monthly series whose newest value is of that month."""
    series = SeriesFactory(metric=metric or MetricFactory(**traits), organisation=trust)
    fill(series, [value] * 6, start=dt.date(2026, month - 5, 1))
    return series


def page_of(place="RX1"):
    return reverse("measurement:data_enter", args=[place])


def row(series, month=10, **numbers):
    """The fields of one row as the page sends them."""
    prefix = f"row-{series.pk}-2026{month:02}01"
    sent = {"row": prefix, f"{prefix}-seen": "none", f"{prefix}-carried": "340"}
    return sent | {f"{prefix}-{name}": value for name, value in numbers.items()}


def together(*rows):
    data: dict = {"row": [one["row"] for one in rows]}
    for one in rows:
        data |= {name: value for name, value in one.items() if name != "row"}
    return data


def words_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# What is due ---------------------------------------------------------------------------------------------------------


def test_what_is_due_follows_the_newest_value_and_says_how_late_it_is():
    series = series_up_to(7)
    SeriesFactory(metric=ValueMetricFactory(frequency=Metric.Frequency.EVENT))
    never = SeriesFactory(metric=MetricFactory(frequency=Metric.Frequency.QUARTER))

    found = due.of_series(Series.objects.all(), most=2)

    assert [(one.series, one.label, one.due_on, one.days_late, one.unshown) for one in found] == [
        (series, "August 2026", dt.date(2026, 9, 30), 54, 0),
        (series, "September 2026", dt.date(2026, 10, 30), 24, 1),
        (never, "July to September 2026", dt.date(2026, 10, 30), 24, 0),
    ]


def test_my_page_leads_to_one_page_for_all_data_of_an_organisation(client_as, trust, member):
    series_up_to(9, trust)
    series_up_to(8, trust)

    page = words_of(client_as(member).get(reverse("my")))

    assert "Data for Own Trust" in page
    assert page.count("Enter all on one page") == 1
    assert "Due 30 October 2026, 24 days late" in page


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_is_for_those_who_may_enter_data_there(client, client_as, trust, member):
    series = series_up_to(9, trust)
    elsewhere = series_up_to(9, OrganisationFactory(ods_code="RK5"), metric=series.metric)
    MetricOwner.objects.create(metric=series.metric, user=(owner := UserFactory()), from_date=dt.date(2020, 1, 1))

    assert client.get(page_of()).status_code == 302
    assert client_as(UserFactory()).get(page_of()).status_code == 404
    assert client_as(member).get(page_of("RK5")).status_code == 404
    assert client_as(member).post(page_of(), row(elsewhere, numerator="1", denominator="9")).status_code == 404
    for person in (member, owner, UserFactory(staff=True)):
        assert client_as(person).get(page_of()).status_code == 200


def test_the_last_value_stands_beside_and_the_last_denominator_is_carried_forward(client_as, trust, member):
    series_up_to(9, trust)

    page = client_as(member).get(page_of())

    assert "Last value, September 2026: 12 of 340" in words_of(page)
    assert "Carried forward from September 2026" in words_of(page)
    assert 'value="340"' in page.content.decode()


def test_all_rows_are_stored_at_once_and_the_charts_say_what_that_means(client_as, trust, member):
    first, second = series_up_to(9, trust), series_up_to(9, trust)

    page = client_as(member).post(
        page_of(),
        together(row(first, numerator="15", denominator="340"), row(second, numerator="20", denominator="350")),
        follow=True,
    )

    assert [(p.numerator, p.denominator) for p in DataPoint.objects.filter(period_start=dt.date(2026, 10, 1))] == [
        (15, 340),
        (20, 350),
    ]
    assert "2 values are stored." in words_of(page)
    assert "October 2026 the value was 4.4" in words_of(page)
    assert page.content.decode().count("app-chart__wide") == 2
    assert "Nothing is due here" in words_of(page)


def test_a_wrong_row_keeps_what_was_typed_and_no_other_row_from_being_stored(client_as, trust, member):
    good, bad, worse, empty = (series_up_to(9, trust) for _ in range(4))

    page = client_as(member).post(
        page_of(),
        together(
            row(good, numerator="15", denominator="340"),
            row(bad, numerator="400", denominator="340"),
            row(worse, numerator="1o", denominator="340"),
            row(empty, numerator="", denominator="340"),
        ),
    )

    new = DataPoint.objects.filter(period_start=dt.date(2026, 10, 1))
    assert [point.series for point in new] == [good]
    words = words_of(page)
    assert "1 value is stored. Rows that were refused say why" in words
    assert "larger than the denominator" in words
    assert "Numerator must be a number" in words
    assert (words.count("Not stored"), words.count(" Stored ")) == (2, 1)
    assert 'value="400"' in page.content.decode()
    assert 'value="1o"' in page.content.decode()
    assert "<title>Error: " in page.content.decode()


def test_the_button_pressed_twice_stores_once(client_as, trust, member):
    series = series_up_to(9, trust)
    browser, sent = client_as(member), row(series, numerator="15", denominator="340")

    first, second = browser.post(page_of(), sent), browser.post(page_of(), sent)

    assert first.url == second.url
    assert series.points.filter(period_start=dt.date(2026, 10, 1)).count() == 1
    assert not Correction.objects.exists()


def test_a_page_sent_without_a_number_stores_nothing(client_as, trust, member):
    series = series_up_to(9, trust)

    page = client_as(member).post(page_of(), row(series, numerator="", denominator="340"), follow=True)

    assert "Nothing was stored." in words_of(page)
    assert series.points.count() == 6


@pytest.mark.parametrize("forged", ["row-x-20261001", "row-1", "row-99999999-20261001", "", "row-1-2026-10-01"])
def test_a_forged_row_is_not_found(forged, client_as, trust, member):
    series_up_to(9, trust)

    assert client_as(member).post(page_of(), {"row": forged}).status_code == 404


def test_a_number_in_another_unit_must_be_confirmed(client_as, trust, member):
    series = SeriesFactory(metric=ValueMetricFactory(), organisation=trust)
    fill(series, [12.5, 13.1, 12.8, 12.2], start=dt.date(2026, 6, 1))
    browser, sent = client_as(member), row(series, value="0.125")

    asked = browser.post(page_of(), sent)
    stored = browser.post(page_of(), sent | {f"{sent['row']}-is_sure": "on"})

    assert "0.125 is about 100 times smaller than the usual 12.65" in words_of(asked)
    assert stored.status_code == 302


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_runs_a_constant_number_of_queries(client_as, trust, member, count, django_assert_max_num_queries):
    for _ in range(count):
        series_up_to(8, trust)
    browser = client_as(member)

    with django_assert_max_num_queries(14):
        browser.get(page_of())


# Two people ----------------------------------------------------------------------------------------------------------


def test_the_second_of_two_people_sees_the_firsts_value_and_chooses(client_as, trust, member):
    series = series_up_to(9, trust)
    first = AffiliationFactory(organisation=trust, user__full_name="Fiona First").user
    actions.enter_point(series=series, period_start=dt.date(2026, 10, 1), numerator=14, denominator=350, by=first)
    browser, sent = client_as(member), row(series, numerator="15", denominator="340")

    told = browser.post(page_of(), sent)
    (form,) = told.context["rows"].forms
    kept = browser.post(page_of(), sent | {f"{sent['row']}-seen": form["seen"].value(), f"{sent['row']}-numerator": ""})
    unexplained = browser.post(page_of(), sent | {f"{sent['row']}-seen": form["seen"].value()})
    assert series.points.get(period_start=dt.date(2026, 10, 1)).numerator == 14
    chosen = browser.post(
        page_of(), sent | {f"{sent['row']}-seen": form["seen"].value(), f"{sent['row']}-reason": "One was counted late"}
    )

    assert "Fiona First stored another value for October 2026" in words_of(told)
    assert "Stored now: 14 of 350" in words_of(told)
    assert 'value="15"' in told.content.decode()
    assert "say why you correct it" in words_of(unexplained)
    assert (kept.status_code, chosen.status_code) == (302, 302)
    (correction,) = Correction.objects.all()
    assert (correction.before_text, correction.after_text, correction.by) == (
        "14 of 350, final",
        "15 of 340, final",
        member,
    )


def test_two_corrections_of_the_same_value_meet_in_the_form_of_one_period(client_as, trust, member):
    series = series_up_to(10, trust)
    path = f"{reverse('measurement:point_enter', args=[series.metric.code])}?period=2026-10-01"
    browser = client_as(member)
    seen = browser.get(path).context["form"]["seen"].value()
    with clock.at(NOW + dt.timedelta(minutes=1)):
        actions.enter_point(
            series=series, period_start=dt.date(2026, 10, 1), numerator=14, denominator=340, reason="Late one", by=None
        )
    mine = {"period_start": "2026-10-01", "numerator": "15", "denominator": "340", "reason": "Counted again"}

    told = browser.post(path, mine | {"seen": seen})
    stored = browser.post(path, mine | {"seen": told.context["form"]["seen"].value()})

    assert "Stored now: 14 of 340" in words_of(told)
    assert stored.status_code == 302
    assert [c.before_text for c in Correction.objects.order_by("pk")] == ["12 of 340, final", "14 of 340, final"]


def test_a_value_that_was_taken_back_meanwhile_is_not_silently_entered_again(trust, member):
    series = series_up_to(10, trust)
    point = series.points.get(period_start=dt.date(2026, 10, 1))
    DataPoint.objects.filter(pk=point.pk).update(withdrawn_at=clock.now())

    with pytest.raises(actions.PointChanged, match="was taken back"):
        actions.enter_point(
            series=series, period_start=point.period_start, numerator=13, denominator=340, reason="Hm",
            seen=point.stamp, by=member,
        )  # fmt: skip


# Reminders -----------------------------------------------------------------------------------------------------------


def mails_to(user):
    return [mail.body for mail in OutboxMessage.objects.order_by("pk") if mail.to == [user.email]]


def test_owner_and_deputy_are_reminded_once_of_each_late_period(trust):
    series = series_up_to(9, trust)
    held = MetricOwnerFactory(metric=series.metric, deputy=UserFactory())
    early = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)  # the very day it is due
    late = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)

    with clock.at(early):
        actions.remind_of_late_data()
    assert not mails_to(held.user)
    with clock.at(late):
        actions.remind_of_late_data()
        actions.remind_of_late_data()

    for person in (held.user, held.deputy):
        (body,) = mails_to(person)
        assert f"{series.metric.name}, October 2026 (due 30 November 2026)" in body
        assert "/metrics/enter/RX1/" in body
    assert DataReminder.objects.count() == 2


def test_several_late_metrics_come_in_one_mail_and_later_ones_in_the_next(trust):
    owner = UserFactory()
    for _ in range(2):
        MetricOwnerFactory(metric=series_up_to(8, trust).metric, user=owner)
    actions.remind_of_late_data()
    later = series_up_to(8, trust)
    MetricOwnerFactory(metric=later.metric, user=owner)
    actions.remind_of_late_data()

    first, second = mails_to(owner)

    assert first.count("September 2026") == 2
    assert second.count("September 2026") == 1
    assert later.metric.name in second


def test_nobody_is_reminded_of_what_has_come_in_or_of_a_place_they_have_left(trust):
    entered = series_up_to(10, trust)
    MetricOwnerFactory(metric=entered.metric, user=(prompt := UserFactory()))
    left = AffiliationFactory(organisation=trust, from_date=dt.date(2020, 1, 1), to_date=dt.date(2026, 11, 1)).user
    moved = AffiliationFactory(organisation=trust, from_date=dt.date(2020, 1, 1), to_date=dt.date(2026, 11, 1)).user
    AffiliationFactory(user=moved, organisation=OrganisationFactory(), from_date=dt.date(2026, 11, 2))
    closed = UserFactory(is_active=False)
    stepped_back = UserFactory()
    for person in (left, moved, closed, stepped_back):
        MetricOwnerFactory(metric=series_up_to(8, trust).metric, user=person)
    MetricOwner.objects.filter(user=stepped_back).update(to_date=dt.date(2026, 11, 1))
    MetricOwnerFactory(metric=series_up_to(8, None).metric, user=moved)  # the region's, which they still keep

    actions.remind_of_late_data()

    assert [mails_to(person) for person in (prompt, left, closed, stepped_back)] == [[], [], [], []]
    (body,) = mails_to(moved)
    assert "Own Trust" not in body
    assert Affiliation.objects.current().filter(user=moved).exists()


# Units ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0.126, "about 100 times smaller"), (1260, "about 100 times larger"), (12600, "about 1,000 times larger"),
        (0.0126, "about 1,000 times smaller"), (-1260, "about 100 times larger"),
        (50, ""), (1, ""), (0, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_sudden_change_of_unit_is_noticed(number, said):
    assert jumps.how_far(number, jumps.usual([12, 13, 12.5, 12.7])) == said


def test_too_few_values_say_nothing_about_the_unit():
    assert jumps.how_far(1200, jumps.usual([12, 13, None])) == ""


def test_a_row_that_the_action_refuses_names_the_rule(trust, member):
    series = series_up_to(9, trust)

    (outcome,) = actions.enter_points(
        rows=[{"series": series, "period_start": dt.date(2026, 12, 1), "numerator": 1, "denominator": 2}], by=member
    )

    assert isinstance(outcome.refusal, ActionRefused)
    assert "not over yet" in str(outcome.refusal)
