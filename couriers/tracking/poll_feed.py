"""The shipments that a run of polling asks about: claimed in batches, handed to threads.

Two runs never ask about the same shipment: a claim sets the time of its last poll.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from couriers.models import Shipment
from couriers.models.claims import claim
from couriers.tracking import snapshot

CLAIMED = 200  # shipments claimed at once, or as many full batches as that has
COLUMNS = (*snapshot.READ, "waybill", "polled_at")  # no encrypted one


class Feed:
    """Due shipments in batches of `size`, the longest due first.

    `due` returns the shipments that are due, in order. They stop being due when they are claimed.
    The run ends at `deadline`, on the monotonic clock.
    """

    def __init__(
        self,
        due: Callable[[], QuerySet[Shipment]],
        *,
        size: int,
        cutoff: dt.datetime,
        deadline: float,
    ) -> None:
        self._due = due
        self._size = size
        self._cutoff = cutoff
        self._deadline = deadline
        self._claimed: list[Shipment] = []
        self._failed: list[Shipment] = []
        self.resume_after: float | None = None
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def take(self) -> list[Shipment] | None:
        """The next batch; None when none is left, the time is over, or the feed is stopped."""
        with self._lock:
            if self.stopped.is_set():
                return None
            if time.monotonic() >= self._deadline:
                self.resume_after = 0.0
                return None
            if not self._claimed:
                self._claimed = self._claim()
            batch, self._claimed = self._claimed[: self._size], self._claimed[self._size :]
            return batch or None

    def wait(self, seconds: float) -> bool:
        """Sleep before the next call. Returns False at once where that would exceed the time."""
        if self.stopped.is_set() or time.monotonic() + seconds >= self._deadline:
            return False
        time.sleep(seconds)
        return True

    def give_back(self, shipments: Sequence[Shipment]) -> None:
        """Make shipments due again that were not asked about. They keep their place."""
        with self._lock:
            self._claimed[:0] = shipments

    def stop(self, resume_after: float | None = None) -> None:
        """Stop the run: no shipment of the account can be polled now.

        `resume_after` is the seconds until one can be, where they are known.
        """
        self.stopped.set()
        with self._lock:
            self.resume_after = resume_after

    def retry_next_run(self, shipments: Sequence[Shipment]) -> None:
        """Make these shipments due again in the next run."""
        with self._lock:
            self._failed += shipments

    def release(self) -> None:
        """Make the shipments due again that were claimed and not polled, or that failed.

        Those that were not polled keep their place. Those that failed come after all others that
        were due in this run: shipments that fail each time must not keep others from being polled.
        """
        for shipment in self._failed:
            shipment.polled_at = self._cutoff - dt.timedelta(microseconds=1)
        Shipment.objects.bulk_update(
            [*self._claimed, *self._failed], ["polled_at"], batch_size=CLAIMED
        )

    def _claim(self) -> list[Shipment]:
        limit = self._size * max(1, CLAIMED // self._size)
        return claim(self._due().only(*COLUMNS), limit=limit, polled_at=timezone.now())
