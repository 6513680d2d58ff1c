"""The smallest valid rows of the measurement plan."""

import datetime as dt
from decimal import Decimal

import factory

from measurement import periods
from measurement.models import DataPoint, Metric, MetricOwner, MetricTarget, MetricVersion, Series
from tests.factories.accounts import UserFactory


class MetricFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Metric
        skip_postgeneration_save = True

    code = factory.Sequence(lambda number: f"TST{number}")
    name = factory.Sequence(lambda number: f"Metric {number}")
    kind = Metric.Kind.PROCESS
    dimension = Metric.Dimension.RELIABILITY
    direction = Metric.Direction.INCREASE
    unit = "%"
    multiplier = 100
    is_public = True
    numerator_counts_people = False
    denominator_counts_people = False

    class Params:
        of_people = factory.Trait(numerator_counts_people=True, denominator_counts_people=True)
        members_only = factory.Trait(is_public=False)
        rate = factory.Trait(unit="per 1,000 occupied bed days", multiplier=1000, direction=Metric.Direction.DECREASE)

    @factory.post_generation
    def definition(self, create, extracted, **kwargs):
        given = {"numerator": "Checked in time", "denominator": "All admissions", **(extracted or {})}
        MetricVersion.objects.create(
            metric=self, number=1, operational_definition="What is counted, and how.", source="Ward register", **given
        )

    @factory.post_generation
    def target(self, create, extracted, **kwargs):
        if extracted is not None:
            MetricTarget.objects.create(metric=self, value=extracted, **kwargs)


class ValueMetricFactory(MetricFactory):
    """One value a period: no numerator, no denominator."""

    unit = "days"
    multiplier = 1

    @factory.post_generation
    def definition(self, create, extracted, **kwargs):
        MetricVersion.objects.create(metric=self, number=1, operational_definition="Days from one to the next.")


class SeriesFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Series

    metric = factory.SubFactory(MetricFactory)
    organisation = None


class MetricOwnerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MetricOwner

    metric = factory.SubFactory(MetricFactory)
    user = factory.SubFactory(UserFactory)
    from_date = dt.date(2020, 1, 1)


def fill(series, values, *, start=dt.date(2023, 4, 1), **fields):
    """Data points, one a period from `start` on: numbers are values, pairs numerator and denominator, None a gap."""
    points = []
    for value in values:
        numbers = {"value": value}
        if isinstance(value, tuple):
            numbers = {"numerator": value[0], "denominator": value[1]}
        if value is not None:
            points.append(
                DataPoint(
                    series=series,
                    period_start=start,
                    period_end=periods.end_of(start, series.metric.frequency),
                    **{name: None if number is None else Decimal(str(number)) for name, number in numbers.items()},
                    **fields,
                )
            )
        start = periods.next_start(start, series.metric.frequency)
    return DataPoint.objects.bulk_create(points)
