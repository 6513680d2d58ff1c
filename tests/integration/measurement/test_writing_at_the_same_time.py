"""Two writers of one metric. Real connections, so that they really wait for each other."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from measurement import actions
from measurement.models import Metric
from psc_portal.common.refusals import ActionRefused
from tests.factories.measurement import SeriesFactory

pytestmark = pytest.mark.django_db(transaction=True)

START = dt.date(2025, 4, 1)


def on_its_own_connection(act, told):
    def run():
        try:
            act()
        except ActionRefused as refusal:
            told.append(refusal)
        finally:
            connection.close()

    return threading.Thread(target=run)


def test_of_two_people_who_save_the_same_period_at_once_one_is_told_of_the_other():
    series, told = SeriesFactory(), []
    together = threading.Barrier(2)

    def enter(numerator):
        together.wait(30)
        actions.enter_point(series=series, period_start=START, numerator=numerator, denominator=9, seen="none", by=None)

    people = [on_its_own_connection(lambda number=number: enter(number), told) for number in (1, 2)]
    for one in people:
        one.start()
    for one in people:
        one.join(60)

    (point,) = series.points.all()
    (refusal,) = told
    assert isinstance(refusal, actions.PointChanged)
    assert refusal.stored == point


def test_nobody_waits_for_ever_while_a_large_import_is_stored(monkeypatch):
    monkeypatch.setattr(actions, "LONGEST_WAIT", "100ms")
    series, told = SeriesFactory(), []
    person = on_its_own_connection(
        lambda: actions.enter_point(series=series, period_start=START, numerator=1, denominator=9, by=None), told
    )

    with transaction.atomic():
        Metric.objects.select_for_update().get(pk=series.metric_id)
        person.start()
        person.join(60)

    assert [str(refusal) for refusal in told] == [
        "A large import of this metric is being stored. Wait a minute, then save again."
    ]
    assert not series.points.exists()
