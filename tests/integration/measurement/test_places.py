"""The page of all places of a metric."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory

pytestmark = pytest.mark.django_db
JANUARY = dt.date(2020, 1, 1)


def places_of(metric, by_place):
    for name, values in by_place.items():
        fill(SeriesFactory(metric=metric, organisation=OrganisationFactory(name=name)), values, start=JANUARY)


def page_of(client, metric, query=""):
    return client.get(reverse("measurement:metric_places", args=[metric.code]) + query)


THREE = {"Ash": [(40, 100), (60, 100)], "Beech": [(60, 100), (50, 100)], "Cedar": [(50, 100), (40, 100)]}


def test_places_are_shown_side_by_side_added_up_and_against_chance(client):
    metric = MetricFactory()
    places_of(metric, THREE)

    response = page_of(client, metric)

    assert [one.place for one, _svg in response.context["multiples"]] == ["Ash", "Beech", "Cedar"]
    assert [point.value for point in response.context["total"].points] == [50.0, 50.0]
    assert response.context["funnel"].period == "February 2020"


def test_another_period_can_be_chosen_and_one_that_is_none_leads_to_the_newest(client):
    metric = MetricFactory()
    places_of(metric, THREE)

    assert page_of(client, metric, "?period=2020-01-01").context["funnel"].period == "January 2020"
    assert page_of(client, metric, "?period=2019-07-01").context["funnel"].period == "February 2020"


def test_the_public_compares_published_numbers_and_staff_true_ones(client, client_as):
    metric = MetricFactory(of_people=True)
    places_of(metric, {"Ash": [(3, 100)], "Beech": [(42, 101)], "Cedar": [(58, 100)], "Elm": [(61, 100)]})

    public = page_of(client, metric)
    true = page_of(client_as(UserFactory(staff=True)), metric)

    assert public.context["funnel"].places[0].value is None
    assert "total" not in public.context
    assert "There is no period for which every place shows its numbers" in public.content.decode()
    assert true.context["funnel"].places[0].value == 3
    assert "Do not share this page" in true.content.decode()


def test_who_keeps_one_place_sees_all_as_published_so_that_they_can_be_compared(client_as):
    metric = MetricFactory(of_people=True)
    places_of(metric, {"Ash": [(12, 100)], "Beech": [(42, 101)], "Cedar": [(58, 100)]})
    ash = metric.series.get(organisation__name="Ash").organisation

    response = page_of(client_as(AffiliationFactory(organisation=ash).user), metric)

    assert response.context["audience"] == "public"
    assert [one.point.numerator for one in response.context["funnel"].places] == [10, 40, 60]


def test_a_metric_of_one_place_has_no_such_page_and_no_link_to_it(client):
    metric = MetricFactory()
    SeriesFactory(metric=metric)
    SeriesFactory(metric=metric, organisation=OrganisationFactory())

    assert page_of(client, metric).status_code == 404
    assert "/places/" not in client.get(metric.get_absolute_url()).content.decode()


def test_a_members_only_metric_is_not_found_by_the_public(client):
    metric = MetricFactory(members_only=True)
    places_of(metric, THREE)

    assert page_of(client, metric).status_code == 404


def test_the_page_asks_as_many_queries_for_many_places_as_for_few(client):
    few, many = MetricFactory(), MetricFactory()
    places_of(few, dict(list(THREE.items())[:2]))
    places_of(many, {f"Place {i}": [(i, 100)] for i in range(12)})

    page_of(client, few)  # what is asked once for all pages

    counts = []
    for metric in (many, few):
        with CaptureQueriesContext(connection) as captured:
            page_of(client, metric, "?made-anew=" + "x" * 300)
        counts.append(len(captured))

    assert counts[0] <= counts[1]
