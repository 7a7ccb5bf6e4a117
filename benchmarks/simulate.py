"""Simulate a day of 10 million shipments at three couriers: `python -m benchmarks.simulate`.

Bookings, callbacks and polls are queues with the couriers' limits and the speed of our processes.
Both are in figures.json, each with its source: `make bench` writes the speeds, and what is assumed
says so. Prints the backlog and the delay by hour, and draws both. Needs no server.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.queueing import MINUTES, Counts, LanedQueue, delays

FOLDER = Path(__file__).parent
FIGURES = FOLDER / "figures.json"
PLOT = FOLDER / "plots" / "simulate.png"
SEED = 20261108  # Diwali of that year
BURST_MINUTES = 10


@dataclass(slots=True)
class Line:
    """One queue's day, by minute: what arrived, was done, and was open at the minute's end."""

    name: str
    arrived: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    attempts: int = 0

    def add(self, arrived: int, done: int, still_open: int, attempts: int) -> None:
        self.arrived.append(arrived)
        self.done.append(done)
        self.open.append(still_open)
        self.attempts += attempts

    def by_hour(self) -> list[tuple[int, int, int, float]]:
        """For each hour: what arrived and was done, the largest backlog, the longest delay."""
        waits = delays(self.arrived, self.done)
        hours = [slice(hour * 60, hour * 60 + 60) for hour in range(MINUTES // 60)]
        return [
            (sum(self.arrived[h]), sum(self.done[h]), max(self.open[h]), max(waits[h]))
            for h in hours
        ]


@dataclass(slots=True)
class Courier:
    """A courier's create queue, and its polls."""

    name: str
    scope: str
    lane_shares: Any
    share: float
    batch: int
    create: LanedQueue
    track: LanedQueue
    faults: list[float]


class Day:
    """The simulated day. `figures` is the content of figures.json."""

    def __init__(self, figures: dict[str, Any], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._speeds = {name: one["value"] for name, one in figures["speeds"].items()}
        self._assumed = {name: one["value"] for name, one in figures["assumed"].items()}
        self.couriers = [self._courier(one) for one in figures["couriers"]]
        profile = minute_profile(
            self._assumed["hours"], self._assumed["burst_hour"], self._assumed["burst"]
        )
        self._bookings = profile * self._assumed["shipments"]
        self._callbacks = callbacks_by_minute(
            self._bookings,
            profile * self._assumed["ordinary_shipments"],
            self._assumed["events_after_hours"],
        )
        self.lines = {
            name: Line(name)
            for one in self.couriers
            for name in (f"{one.name}: book", f"{one.name}: poll")
        } | {"callbacks": Line("callbacks")}

    def run(self) -> None:
        """Let the day pass."""
        web = self._assumed["web_processes"]
        ingest = web * 60 * self._speeds["callbacks_ingested"]
        process = int(self._assumed["inbox_workers"] * 60 * self._speeds["callbacks_processed"])
        # Callbacks come first, so bookings have what is left of the web processes' time.
        inbox = LanedQueue(1, process, [1], self._rng)
        for minute in range(MINUTES):
            came = np.array([self._rng.poisson(self._callbacks[minute])])
            self._step("callbacks", inbox, came, 0.0, process)
            left = 1.0 - min(1.0, int(came[0]) / ingest)
            calls = int(left * web * 60_000 / self._speeds["booking_web_ms"])
            polls = int(self._assumed["poll_workers"] * 60 * self._speeds["polled"])
            self._book(minute, calls)
            self._poll(minute, polls)

    def _courier(self, given: dict[str, Any]) -> Courier:
        lanes = given["lanes"]
        skew = self._assumed["merchant_skew"] if given["scope"] == "account" else 0.0
        weights = np.arange(1, lanes + 1) ** -skew
        outage, faults = self._assumed["outage"], [self._assumed["fault_share"]] * MINUTES
        if outage["courier"] == given["name"]:
            begin = outage["from_minute"]
            faults[begin : begin + outage["minutes"]] = [outage["fault_share"]] * outage["minutes"]
        back_off = self._assumed["back_off_minutes"]
        create = LanedQueue(lanes, per_minute(given["create"]), back_off, self._rng)
        limit = per_minute(given["track"]) * given["batch"]
        track = LanedQueue(lanes, limit, back_off, self._rng)
        return Courier(
            given["name"], given["scope"], weights / weights.sum(), given["share"],
            given["batch"], create, track, faults,
        )  # fmt: skip

    def _book(self, minute: int, capacity: int) -> None:
        """Book what arrives; the web processes' time is shared by what each courier can take."""
        arrived = [
            self._rng.poisson(self._bookings[minute] * one.share * one.lane_shares)
            for one in self.couriers
        ]
        pairs = zip(self.couriers, arrived, strict=True)
        wanted = [one.create.possible(new) for one, new in pairs]
        for one, new, want in zip(self.couriers, arrived, wanted, strict=True):
            part = capacity * want // max(1, sum(wanted))
            self._step(f"{one.name}: book", one.create, new, one.faults[minute], part)

    def _poll(self, minute: int, capacity: int) -> None:
        under_way = (
            self._assumed["ordinary_shipments"] * self._assumed["days_under_way"]
            + self._bookings[:minute].sum()
        )
        due = under_way * self._assumed["silent_share"] / (self._assumed["poll_hours"] * 60)
        for one in self.couriers:
            new = self._rng.poisson(due * one.share * one.lane_shares)
            part = int(capacity * one.share)
            self._step(f"{one.name}: poll", one.track, new, one.faults[minute], part)

    def _step(
        self, name: str, queue: LanedQueue, new: Counts, faults: float, capacity: int
    ) -> None:
        result = queue.step(new, faults, capacity)
        still_open = queue.waiting + queue.paused
        self.lines[name].add(int(new.sum()), result.done, still_open, result.attempts)


def per_minute(limit: Sequence[int]) -> int:
    """Return what a limit of a count in a window of seconds allows in a minute."""
    count, window = limit
    return count * 60 // window


def minute_profile(hours: Sequence[float], burst_hour: int, burst: float) -> Any:
    """Return the share of the day's bookings in each minute; they add up to 1.

    The first minutes of `burst_hour` have `burst` times their rate, and the rest of it less.
    """
    minutes = np.repeat(np.array(hours, dtype=float) / 60, 60)
    begin = burst_hour * 60
    hour = minutes[begin : begin + 60].sum()
    minutes[begin : begin + BURST_MINUTES] *= burst
    rest = hour - minutes[begin : begin + BURST_MINUTES].sum()
    minutes[begin + BURST_MINUTES : begin + 60] = rest / (60 - BURST_MINUTES)
    return minutes / minutes.sum()


def callbacks_by_minute(today: Any, day_before: Any, after_hours: Sequence[float]) -> Any:
    """Return the callbacks in each minute of bookings of today and of equal days before it."""
    found = np.zeros(MINUTES)
    for hours in after_hours:
        lag = round(hours * 60)
        found += np.concatenate([np.roll(day_before, lag)[:lag], today])[:MINUTES]
    return found


def report(day: Day) -> list[str]:
    """Return the table by hour as lines of text, and what the limits came to."""
    text = [
        f"{one.name}: in its fullest {one.scope} "
        f"{one.create.longest_lane:,} bookings wait at midnight, "
        f"{one.create.longest_lane / one.create.limit:.0f} minutes at its limit"
        for one in day.couriers
    ]
    for line in day.lines.values():
        rows = line.by_hour()
        text.append(
            f"{line.name}: {sum(line.arrived):,} arrived, {sum(line.done):,} done, "
            f"{line.open[-1]:,} open at midnight, {line.attempts:,} attempts"
        )
        text.append("  hour    arrived       done   most open   longest delay")
        text += [
            f"    {hour:02d} {arrived:10,} {done:10,} {most:11,} {wait:11.0f} min"
            for hour, (arrived, done, most, wait) in enumerate(rows)
        ]
    return text


def draw(day: Day, path: Path) -> None:
    """Draw rates, backlogs and delays of the day."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    hours = np.arange(MINUTES) / 60
    figure, (rates, backlog, wait) = plt.subplots(3, 1, figsize=(10, 11), sharex=True)
    for line in day.lines.values():
        style = "--" if line.name.endswith("poll") else ":" if line.name == "callbacks" else "-"
        rates.plot(hours, np.array(line.arrived) / 60, style, label=line.name)
        backlog.plot(hours, np.maximum(line.open, 1), style, label=line.name)
        # What is not done at midnight has no delay yet.
        ended = np.cumsum(line.arrived) <= sum(line.done)
        waits = np.where(ended, delays(line.arrived, line.done), np.nan)
        wait.plot(hours, waits, style, label=line.name)
    rates.set(ylabel="arrivals a second", yscale="log", title="A day of 10 million shipments")
    backlog.set(ylabel="open (number that wait or back off)", yscale="log")
    wait.set(ylabel="delay in minutes, all accounts together", xlabel="hour in India")
    wait.set(xticks=range(0, 25, 2), xlim=(0, 24))
    for axes in (rates, backlog, wait):
        axes.grid(alpha=0.3)
    rates.legend(ncols=4, fontsize="small")
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Run the day, print it and draw it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--figures", type=Path, default=FIGURES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--plot", type=Path, default=PLOT)
    options = parser.parse_args()
    day = Day(json.loads(options.figures.read_text()), options.seed)
    day.run()
    print("\n".join(report(day)))
    draw(day, options.plot)


if __name__ == "__main__":
    main()
