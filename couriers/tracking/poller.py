"""Asking a courier about a batch of shipments, and applying its answers.

A failure is kept from the other shipments of its batch: the batch is asked about in halves.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import WRONG_ANSWER
from couriers.contract.errors import (
    CircuitOpen,
    CourierError,
    CredentialsRefused,
    LoginUnreadable,
    NotFound,
    NotSupported,
    RateLimited,
    Rejected,
)
from couriers.contract.logs import get_logger
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Tracking
from couriers.models import CourierAccount, Shipment
from couriers.models.claims import DoublingPauses, back_off
from couriers.resilience import waits
from couriers.resilience.database import is_outage
from couriers.tracking.events import apply_trackings
from couriers.tracking.lookup import latest_tracking, latest_trackings, waybill_tracking
from couriers.tracking.poll_feed import Feed

log = get_logger(__name__)

TRIES = 3  # of one call in a run
PAUSES = DoublingPauses(first=1.0, longest=4.0)  # between tries, in seconds
# Errors after which no other shipment of the account can be polled either.
ACCOUNT_FAILURES = (CircuitOpen, CredentialsRefused, LoginUnreadable, NotSupported)

Answers = Mapping[str, Tracking]  # by shipment id


class Polled(enum.StrEnum):
    """How polling one shipment ended. `moved`: its status or the time of its last scan changed."""

    MOVED = "moved"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    FAILED = "failed"


def batch_size(courier: str) -> int:
    """Return how many shipments one call of the courier's asks about."""
    adapter_class = CourierFactory.adapter_class(courier)
    in_batches = Capability.TRACK_SHIPMENTS in adapter_class.capabilities
    return max(1, adapter_class.track_size) if in_batches else 1


class Poller:
    """Polls batches of one account's shipments. Threads share it.

    `done` is called for each shipment that was polled.
    """

    def __init__(self, account: CourierAccount, feed: Feed, done: Callable[[Polled], None]) -> None:
        self._account = account
        self._feed = feed
        self._done = done
        capabilities = CourierFactory.adapter_class(account.courier_id).capabilities
        self._in_batches = Capability.TRACK_SHIPMENTS in capabilities

    def poll(self, shipments: Sequence[Shipment]) -> None:
        """Ask about a batch, and apply the answers.

        What a courier's answer about many lacks is asked about by waybill, where it can be.
        """
        if not self._in_batches:
            (shipment,) = shipments
            track = partial(self._track_one, shipment)
            self._end(self._ask(shipments, track), Polled.NOT_FOUND)
            return
        missing = self._ask(shipments, lambda: latest_trackings(self._account, shipments))
        for shipment in missing:
            by_waybill = partial(self._track_waybill, shipment)
            self._end(self._ask([shipment], by_waybill), Polled.NOT_FOUND)

    def _track_one(self, shipment: Shipment) -> Answers:
        return {shipment.pk: latest_tracking(self._account, shipment)}

    def _track_waybill(self, shipment: Shipment) -> Answers:
        return {shipment.pk: waybill_tracking(self._account, shipment)}

    def _ask(self, shipments: Sequence[Shipment], call: Callable[[], Answers]) -> list[Shipment]:
        """Make the call and apply its answers. Returns the shipments that the courier lacks."""
        if self._feed.stopped.is_set():
            self._feed.give_back(shipments)
            return []
        try:
            answers = self._repeat(call)
        except NotFound:
            return list(shipments)
        except RateLimited as error:
            self._feed.give_back(shipments)
            self._feed.stop(error.retry_after or 1.0)
            return []
        except ACCOUNT_FAILURES as error:
            log.warning("poll_failed", account=self._account.pk, error=str(error))
            self._feed.give_back(shipments)
            self._feed.stop()
            self._end(shipments, Polled.FAILED)
            return []
        except Exception as error:
            if is_outage(error):  # the other shipments could not be updated either
                raise
            self._keep_apart(shipments, error)
            return []
        self._apply([(s, answers[s.pk]) for s in shipments if s.pk in answers])
        return [shipment for shipment in shipments if shipment.pk not in answers]

    def _keep_apart(self, shipments: Sequence[Shipment], error: Exception) -> None:
        """After a failure, ask about each half of the batch by itself, down to one shipment."""
        if len(shipments) > 1:
            half = len(shipments) // 2
            self.poll(shipments[:half])
            self.poll(shipments[half:])
            return
        self._fail(shipments[0], error)

    def _apply(self, answers: Sequence[tuple[Shipment, Tracking]]) -> None:
        """Apply the answers in one transaction; where that fails, each in its own."""
        if not answers:
            return
        try:
            updated = apply_trackings(answers)
        except Exception as error:
            if is_outage(error):
                raise
            if len(answers) == 1:
                self._fail(answers[0][0], error)
                return
            for answer in answers:
                self._apply([answer])
            return
        for (before, _), after in zip(answers, updated, strict=True):
            same = (after.status, after.tracked_at) == (before.status, before.tracked_at)
            self._done(Polled.UNCHANGED if same else Polled.MOVED)

    def _fail(self, shipment: Shipment, error: Exception) -> None:
        """Note a failure of one shipment, which is due again in the next run."""
        if isinstance(error, CourierError):
            log.warning("poll_failed", shipment=shipment.pk, error=str(error))
        else:  # an unexpected answer must not end the polling of the other shipments
            log.error("poll_failed", shipment=shipment.pk, exc_info=error)
        self._feed.retry_next_run([shipment])
        self._done(Polled.FAILED)

    def _end(self, shipments: Sequence[Shipment], outcome: Polled) -> None:
        for shipment in shipments:
            if outcome is Polled.NOT_FOUND:
                log.warning("tracking_id_not_found", shipment=shipment.pk)
            self._done(outcome)

    def _repeat(self, call: Callable[[], Answers]) -> Answers:
        """Make a call. A read is repeated after an error that may end soon.

        Raises RateLimited where the rate limiter's next permit would come too late, and what the
        last of TRIES tries raised.
        """
        failures = 0
        while True:
            try:
                with waits.allow_long_waits():
                    return call()
            except RateLimited as error:
                if not self._feed.wait(error.retry_after or 1.0):
                    raise
            except (Rejected, *ACCOUNT_FAILURES):
                raise
            except CourierError as error:
                if error.code == WRONG_ANSWER:  # the plug-in's fault does not end soon
                    raise
                failures += 1
                pause = min(back_off(failures, PAUSES, error.retry_after), waits.MAX_LONG_WAIT)
                if failures >= TRIES or not self._feed.wait(pause):
                    raise
