"""What the platform itself refuses. No courier was called, and nothing was changed.

PlatformError
├── UnknownCourier        no plug-in has registered that courier
├── KeyReused             the idempotency key stands for another request
├── BookingInFlight       the same booking is being made at this moment: ask again
├── OrderAlreadyLive      the order has a live shipment, booked under another key
├── NotReturnable         only a delivered forward shipment can be returned
├── ActionNotAllowed      the shipment's status does not allow the action
├── NotInDoubt            the booking is not in doubt, so there is nothing to settle
├── TooEarly              the create call may still be answered: release the order later
└── NotLiftable           no scan of the courier ended the shipment

What a courier answers, and what a plug-in refuses before a call, is in couriers.contract.errors.
docs/api.md lists the problem that the API makes of each.
"""

from __future__ import annotations

import math
from typing import Any


class PlatformError(Exception):
    """Base of what the platform refuses.

    `retry_after` is the seconds after which to ask again, or None where asking again is of no use.
    """

    retry_after: float | None = None

    @property
    def detail(self) -> str:
        """What a person is told beside the error's title."""
        return str(self)

    @property
    def facts(self) -> dict[str, Any]:
        """What a program can read of the error, by name."""
        return {}


class UnknownCourier(PlatformError):
    """No plug-in registered that courier. The message lists the couriers that are registered."""


class KeyReused(PlatformError):
    """The key stands for another request. `fields` names what differs, never the values."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(f"the key was used for another request; different: {', '.join(fields)}")

    @property
    def facts(self) -> dict[str, Any]:
        return {"fields": self.fields}


class BookingInFlight(PlatformError):
    """The same booking is being made. `shipment_id` is "" where it is not known."""

    retry_after: float

    def __init__(self, shipment_id: str, retry_after: float) -> None:
        self.shipment_id = shipment_id
        self.retry_after = retry_after
        super().__init__("this booking is being made right now")

    @property
    def detail(self) -> str:
        return ""

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id}


class OrderAlreadyLive(PlatformError):
    """The order has a live shipment, booked under another key."""

    def __init__(self, shipment_id: str, status: str) -> None:
        self.shipment_id = shipment_id
        self.status = status
        super().__init__(f"the order has a live shipment already: {shipment_id} ({status})")

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id, "shipment_status": self.status}


class NotReturnable(PlatformError):
    """Only a delivered forward shipment has goods that can come back."""

    def __init__(self, shipment_id: str, direction: str, status: str) -> None:
        self.shipment_id = shipment_id
        super().__init__(
            f"the {direction.lower()} shipment is {status.lower()}: "
            "only a delivered one can be returned"
        )

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id}


class ActionNotAllowed(PlatformError):
    """The shipment's status does not allow the action.

    `name` is stable and names the problem in the API, such as `not-cancellable`.
    """

    def __init__(self, name: str, title: str, detail: str = "") -> None:
        self.name = name
        self.title = title
        self._detail = detail
        super().__init__(f"{title}: {detail}" if detail else title)

    @property
    def detail(self) -> str:
        return self._detail


class NotInDoubt(PlatformError):
    """The shipment is not in doubt (any more)."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the shipment is {status.lower()}, not in doubt")


class TooEarly(PlatformError):
    """The create call may still be answered. To release the order now could book it twice."""

    retry_after: float

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        wait = math.ceil(retry_after)
        super().__init__(f"the call may still be on its way; wait another {wait} s")


class NotLiftable(PlatformError):
    """The shipment has no end that can be lifted. The message says why."""
