"""Days in India."""

from __future__ import annotations

import datetime as dt

import time_machine

from couriers.contract.india import IST, day_span, today


def test_the_day_in_india_begins_at_half_past_six_in_the_evening_utc() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 29, 59, tzinfo=dt.UTC), tick=False):
        assert today() == dt.date(2026, 11, 22)
    with time_machine.travel(dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC), tick=False):
        assert today() == dt.date(2026, 11, 23)


def test_a_day_in_india_is_a_span_of_24_hours_that_ends_where_the_next_begins() -> None:
    start, end = day_span(dt.date(2026, 11, 23))
    assert start == dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)
    assert end == day_span(dt.date(2026, 11, 24))[0]


def test_the_last_day_of_the_calendar_ends_with_its_last_microsecond() -> None:
    start, end = day_span(dt.date.max)
    assert start == dt.datetime.combine(dt.date.max, dt.time(), IST)
    assert end == dt.datetime.combine(dt.date.max, dt.time.max, IST)
