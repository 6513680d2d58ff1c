import datetime as dt

from psc_portal.common import clock


def test_the_date_is_that_of_the_united_kingdom():
    with clock.at(dt.datetime(2026, 6, 30, 23, 30, tzinfo=dt.UTC)):
        assert clock.today() == dt.date(2026, 7, 1)  # half past midnight, British Summer Time


def test_the_clock_goes_on_after_a_moment():
    before = clock.now()

    with clock.at(dt.datetime(2020, 1, 1, tzinfo=dt.UTC)):
        assert clock.now().year == 2020

    assert clock.now() >= before
