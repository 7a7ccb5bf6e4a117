"""What the platform tells of while it works."""

import enum

from django.dispatch import Signal


class Step(enum.StrEnum):
    """The named steps of a booking, in their order (couriers.booking.protocol)."""

    RESERVING = "reserving"  # the first transaction is written, not committed
    RESERVED = "reserved"  # it is committed
    CALLING = "calling"  # the courier is about to be called
    CALLED = "called"  # its answer, or the lack of one, is known
    SETTLING = "settling"  # the second transaction is written, not committed
    SETTLED = "settled"  # it is committed


# Sent with `step` and `shipment_id` as a booking reaches each step, in the thread that books. For
# tests that stop or kill a process just there; a receiver must not raise in production.
booking_step = Signal()


def reached(step: Step, shipment_id: str) -> None:
    """Tell that a booking reached a step."""
    booking_step.send(sender=None, step=step, shipment_id=shipment_id)
