"""Listening to the signals about shipments in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from couriers.contract import signals
from couriers.models import Shipment

ALL = {
    "booked": signals.shipment_booked,
    "settled": signals.shipment_settled,
    "status_changed": signals.shipment_status_changed,
    "action_ended": signals.shipment_action_ended,
    "corrected": signals.shipment_tracking_id_corrected,
    "flagged": signals.shipment_flagged,
}


class Heard(list[tuple[str, dict[str, Any]]]):
    """The signals that were sent, as pairs of name and facts, in their order."""

    def names(self) -> list[str]:
        return [name for name, _ in self]

    def facts(self, name: str, *wanted: str) -> list[tuple[Any, ...]]:
        """The wanted facts of each signal of this name."""
        return [tuple(facts[key] for key in wanted) for of, facts in self if of == name]

    def statuses(self) -> list[tuple[str, str]]:
        """The status before and after each change."""
        return self.facts("status_changed", "previous_status", "status")


@contextmanager
def listening() -> Iterator[Heard]:
    """Record every signal that is sent inside the block."""
    heard = Heard()

    def receiver_of(name: str) -> Any:
        def receive(sender: Any, signal: Any, **facts: Any) -> None:
            assert sender is Shipment
            heard.append((name, facts))

        return receive

    receivers = {name: receiver_of(name) for name in ALL}
    for name, receive in receivers.items():
        ALL[name].connect(receive, sender=Shipment)
    try:
        yield heard
    finally:
        for name, receive in receivers.items():
            ALL[name].disconnect(receive, sender=Shipment)


@contextmanager
def failing_receivers(error: Exception) -> Iterator[None]:
    """Connect a receiver that raises the error to every signal."""

    def fail(**_: Any) -> None:
        raise error

    for signal in ALL.values():
        signal.connect(fail)
    try:
        yield
    finally:
        for signal in ALL.values():
            signal.disconnect(fail)
