"""The simulated day adds up: nothing is lost, no limit is exceeded, and a seed decides all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import speeds
from benchmarks.figures import Figure
from benchmarks.queueing import MINUTES, LanedQueue, delays, share_out
from benchmarks.report import Part
from benchmarks.simulate import FIGURES, Day, minute_profile, per_minute


def small_day(seed: int) -> Day:
    """A day of a thousandth of the shipments, and as much less of all else."""
    figures = json.loads(FIGURES.read_text())
    for name in ("shipments", "ordinary_shipments"):
        figures["assumed"][name]["value"] //= 1000
    for courier in figures["couriers"]:
        courier["lanes"] = 3
        courier["create"] = [courier["create"][0], 60]
    day = Day(figures, seed)
    day.run()
    return day


def test_what_arrived_is_done_or_open_in_every_minute() -> None:
    day = small_day(1)
    for line in day.lines.values():
        assert len(line.arrived) == MINUTES
        came, went = np.cumsum(line.arrived), np.cumsum(line.done)
        assert (came == went + np.array(line.open)).all(), line.name
        assert sum(line.done) <= line.attempts


def test_no_lane_exceeds_its_limit_and_some_reach_it() -> None:
    day = small_day(1)
    queues = [queue for one in day.couriers for queue in (one.create, one.track)]
    assert all(0 < queue.most_attempts <= queue.limit for queue in queues)
    assert any(queue.most_attempts == queue.limit for queue in queues)


def test_the_same_seed_is_the_same_day() -> None:
    first, again, other = small_day(1), small_day(1), small_day(2)
    assert first.lines == again.lines
    assert first.lines != other.lines


class NoChance:
    """A generator whose every number is the expected one."""

    def poisson(self, expected: Any) -> Any:
        return np.rint(expected).astype(np.int64)

    def binomial(self, count: Any, share: float) -> Any:
        return np.rint(count * share).astype(np.int64)


def even_day(monkeypatch: pytest.MonkeyPatch, *couriers: dict[str, Any], **changed: Any) -> Day:
    """A day with 100 bookings in each minute, 60 on the days before it, and one process of each."""
    monkeypatch.setattr(np.random, "default_rng", lambda seed: NoChance())
    figures = json.loads(FIGURES.read_text())
    figures["couriers"] = [
        {"name": "A", "share": 1.0, "scope": "address", "lanes": 1, "create": [1, 1],
         "track": [100, 1], "batch": 1, **one}
        for one in couriers
    ]  # fmt: skip
    values = {
        "shipments": 100 * MINUTES, "ordinary_shipments": 60 * MINUTES, "hours": [1.0] * 24,
        "burst": 1.0, "events_after_hours": [0, 1], "fault_share": 0.0, "silent_share": 0.1,
        "days_under_way": 1, "web_processes": 1, "inbox_workers": 1, "poll_workers": 1,
        "booking_web_ms": 1.0, "callbacks_ingested": 640 / 60, "callbacks_processed": 3.001,
        "polled": 0.5, **changed,
    }  # fmt: skip
    for name, value in values.items():
        part = "speeds" if name in figures["speeds"] else "assumed"
        figures[part][name]["value"] = value
    day = Day(figures, 0)
    day.run()
    return day


def test_a_day_is_as_computed_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 a minute come and 60 may be booked: 40 more are open after each minute.

    What comes in the 60th minute is the 6,000th, which is booked in the 100th: 40 minutes later.
    For an hour each minute has 100 callbacks of its own bookings and 60 of the day before's, then
    200; 180 are processed. 8,640 are silent and polled every 4 hours: 36 a minute, of which 30 are
    done.
    """
    day = even_day(monkeypatch, {})
    booked, callbacks, polls = (day.lines[name] for name in ("A: book", "callbacks", "A: poll"))
    assert booked.by_hour()[0] == (6_000, 3_600, 2_400, 40)
    assert (sum(booked.done), booked.open[-1]) == (60 * MINUTES, 40 * MINUTES)
    assert callbacks.by_hour()[0] == (160 * 60, 160 * 60, 0, 0)
    assert callbacks.by_hour()[1][:3] == (200 * 60, 180 * 60, 20 * 60)
    assert callbacks.open[-1] == 23 * 60 * 20
    assert (polls.arrived[0], polls.done[0], polls.open[0]) == (36, 30, 6)


def test_callbacks_take_the_web_processes_time_from_bookings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """160 of at most 640 callbacks leave three quarters of a minute: 45 bookings of a second."""
    day = even_day(monkeypatch, {}, booking_web_ms=1000.0)
    assert day.lines["A: book"].done[0] == 45
    assert day.lines["A: book"].done[60] == 41  # 200 callbacks leave 41.25 seconds


def test_a_courier_that_is_full_takes_no_time_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 bookings a minute the first courier's limit takes 6, whatever waits for it."""
    full, free = {"share": 0.5, "create": [1, 10]}, {"name": "B", "share": 0.5, "create": [9, 1]}
    day = even_day(monkeypatch, full, free, booking_web_ms=1000.0, callbacks_ingested=1e9)
    assert min(day.lines["B: book"].done[1:]) >= 48
    assert max(day.lines["A: book"].done) == 6


def test_the_benchmarks_replace_the_speeds_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(FIGURES.read_text())
    before = json.loads(path.read_text())
    assert speeds.text_of(before) == FIGURES.read_text()
    parts = [
        Part("floor", [Figure("CPU", "12.3 ms", speed=("booking_web_ms", 12.345678))], 1.0),
        Part("polling", [Figure("without a speed", "7")], 1.0),
    ]
    left = speeds.write(parts, path)
    assert left == ["callbacks_ingested", "callbacks_processed", "polled"]
    after = json.loads(path.read_text())
    found = after["speeds"]["booking_web_ms"]
    assert (found["value"], found["unit"]) == (12.35, before["speeds"]["booking_web_ms"]["unit"])
    assert found["source"].startswith("`make bench ARGS=floor`, ")
    before["speeds"]["booking_web_ms"] = found
    assert after == before


def test_a_failed_attempt_is_made_again_after_its_pause() -> None:
    queue = LanedQueue(1, 10, [2, 3], np.random.default_rng(1))
    none, five = np.array([0]), np.array([5])
    seen = [queue.step(five, 1.0, 100), *(queue.step(none, 1.0, 100) for _ in range(5))]
    assert [one.attempts for one in seen] == [5, 0, 5, 0, 0, 5]
    assert (queue.waiting, queue.paused) == (0, 5)
    assert [queue.step(none, 0.0, 100).done for _ in range(3)] == [0, 0, 5]


@pytest.mark.parametrize(
    ("wanted", "capacity", "given"),
    [([1, 2, 3], 9, [1, 2, 3]), ([3, 3, 3], 4, [2, 1, 1]), ([1, 0, 99], 10, [0, 0, 10])],
)
def test_a_capacity_is_shared_in_proportion(
    wanted: list[int], capacity: int, given: list[int]
) -> None:
    assert share_out(np.array(wanted), capacity).tolist() == given


def test_delays_are_those_of_a_queue_where_the_first_goes_first() -> None:
    assert delays([4, 0, 0, 2], [2, 1, 1, 2]) == [2.0, 1.0, 0.0, 0.0]


def test_limits_and_shares_of_a_minute() -> None:
    assert [per_minute([2, 1]), per_minute([20000, 300]), per_minute([1, 2])] == [120, 4000, 30]
    profile = minute_profile([1.0] * 24, burst_hour=20, burst=3.0)
    assert profile.sum() == pytest.approx(1)
    assert profile[1200:1260].sum() == pytest.approx(1 / 24)
    assert profile[1200] == pytest.approx(3 / MINUTES)
