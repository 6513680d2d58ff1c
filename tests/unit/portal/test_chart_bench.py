"""What script/bench says of the analysis of charts."""

import io

import pytest
from django.core.management import call_command

from psc_portal.management.bench import charts
from psc_portal.management.bench.charts import Speed


def test_every_series_is_analysed_and_timed_beside_a_plain_pass(monkeypatch):
    monkeypatch.setattr(charts, "SERIES", 3)

    speed = charts.measure()

    assert 0 < speed.plain < speed.seconds < 1


def test_the_speed_is_told_as_series_a_second_and_as_a_ratio():
    said = str(Speed(seconds=0.5, plain=0.1))

    assert "20,000 series of 60 points a second" in said
    assert "5.0 times a plain pass" in said


@pytest.mark.parametrize(("seconds", "word"), [(1.0, "ok"), (1.1, "over")])
def test_more_than_ten_times_the_plain_pass_is_over_the_budget_and_fails(monkeypatch, seconds, word):
    monkeypatch.setattr(charts, "measure", lambda: Speed(seconds=seconds, plain=0.1))
    out = io.StringIO()

    if word == "over":
        with pytest.raises(SystemExit):
            call_command("bench", only="xmr", stdout=out)
    else:
        call_command("bench", only="xmr", stdout=out)

    assert out.getvalue().strip().endswith(word)
    assert "Filling" not in out.getvalue()
