"""Queues of a day in steps of a minute: lanes with limits, faults, back-off, and who waits long.

A lane is what a courier limits: an account, or one of our addresses. All numbers are whole, so that
what arrived is what is done, what waits and what is backing off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Attempted:
    """What one minute came to, over all lanes: attempts, and those of them that succeeded."""

    attempts: int
    done: int


class LanedQueue:
    """Work for lanes of which each may make `limit` attempts a minute.

    A failed attempt is made again after the pauses of `back_off`, in minutes; the last of them is
    for all later failures. What has failed most often goes first.
    """

    def __init__(self, lanes: int, limit: int, back_off: Sequence[int], rng: Any) -> None:
        self.limit = limit
        self._rng = rng
        self._back_off = back_off
        self._waiting: Counts = np.zeros((lanes, len(back_off) + 1), dtype=np.int64)
        # By the minute in which it is due, of a ring, then as `_waiting`.
        self._paused: Counts = np.zeros((max(back_off) + 1, *self._waiting.shape), dtype=np.int64)
        self._minute = 0
        self.most_attempts = 0  # of one lane in one minute

    @property
    def waiting(self) -> int:
        """What may be attempted as soon as the limit allows it."""
        return int(self._waiting.sum())

    @property
    def paused(self) -> int:
        """What has failed, and whose pause is not over."""
        return int(self._paused.sum())

    @property
    def longest_lane(self) -> int:
        """What waits in the lane where most waits."""
        return int(self._waiting.sum(axis=1).max())

    def possible(self, arrived: Counts) -> int:
        """How many attempts the limits allow in the next minute, if so much arrives in it."""
        due = self._paused[self._minute % len(self._paused)]
        waiting = (self._waiting + due).sum(axis=1) + arrived
        return int(np.minimum(waiting, self.limit).sum())

    def step(self, arrived: Counts, fault_share: float, capacity: int) -> Attempted:
        """Let a minute pass in which so much arrives in each lane; attempt at most `capacity`."""
        slot = self._minute % len(self._paused)
        self._waiting += self._paused[slot]
        self._paused[slot] = 0
        self._waiting[:, 0] += arrived
        room = share_out(np.minimum(self._waiting.sum(axis=1), self.limit), capacity)
        attempts = int(room.sum())
        self.most_attempts = max(self.most_attempts, int(room.max()))
        done = 0
        for level in reversed(range(self._waiting.shape[1])):
            taken = np.minimum(self._waiting[:, level], room)
            room -= taken
            failed = self._rng.binomial(taken, fault_share)
            self._waiting[:, level] -= taken
            self._pause(failed, level)
            done += int((taken - failed).sum())
        self._minute += 1
        return Attempted(attempts, done)

    def _pause(self, failed: Counts, level: int) -> None:
        failures = min(level, len(self._back_off) - 1)
        due = (self._minute + self._back_off[failures]) % len(self._paused)
        self._paused[due, :, min(level + 1, self._waiting.shape[1] - 1)] += failed


def share_out(wanted: Counts, capacity: int) -> Counts:
    """Return what each lane gets of the capacity, in proportion to what it wants, never more."""
    total = int(wanted.sum())
    if total <= capacity:
        return wanted.copy()
    given = wanted * capacity // total
    left = capacity - int(given.sum())
    # The rest, less than one for each lane, goes to those that were rounded down the furthest.
    remainders = wanted * capacity % total
    given[np.argsort(-remainders, kind="stable")[:left]] += 1
    return given


def delays(arrived: Sequence[int], done: Sequence[int]) -> list[float]:
    """Return the minutes that what arrives in each minute waits, if the first to come goes first.

    Lanes are taken together, so those of a full lane wait longer and others less. What is not done
    at the end of the day has waited until then at the least.
    """
    came, went = np.cumsum(arrived), np.cumsum(done)
    ends = np.searchsorted(went, came)
    return [float(max(0, end - minute)) for minute, end in enumerate(ends)]
