"""The steps of a booking, and the signal that is sent at each step.

Tests use it to stop or kill a process at a step. Nothing in the platform depends on it.
"""

import enum

from django.dispatch import Signal


class Step(enum.StrEnum):
    """The steps of a booking, in their order (couriers.booking.protocol)."""

    RESERVING = "reserving"  # the first transaction is written but not committed
    RESERVED = "reserved"  # the first transaction is committed
    CALLING = "calling"  # the courier is about to be called
    CALLED = "called"  # the call has ended, with an answer or without one
    SETTLING = "settling"  # the second transaction is written but not committed
    SETTLED = "settled"  # the second transaction is committed


# Sent with `step` and `shipment_id`, in the thread that books. A receiver's error ends the booking.
booking_step = Signal()


def signal_step(step: Step, shipment_id: str) -> None:
    """Send `booking_step`, because a booking has reached the step."""
    booking_step.send(sender=None, step=step, shipment_id=shipment_id)
