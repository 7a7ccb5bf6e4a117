"""The platform's own errors. No courier was called, and nothing was changed.

PlatformError
├── ScopeMissing          the API key may not be used for this
├── UnknownCourier        no plug-in has registered that courier
├── KeyReused             the idempotency key was used for another request
├── BookingInFlight       the same booking is being made right now: ask again
├── OrderAlreadyLive      the order has a live shipment, booked under another key
├── OrderDiffers          the order is booked already, with other content
├── OrderEnded            the order's shipment has ended, and the request has no key of its own
├── TooManyJobs           the company has as many open jobs of a kind as it may have
├── LabelsMissing         some of the labels cannot be had, so there is no PDF of them
├── LabelsTooLarge        the labels are larger together than one PDF may be
├── LabelsNotReady        workers have not finished the PDF of labels
├── ShipmentErased        the consignee's data of the shipment has been erased
├── NotReturnable         only a delivered forward shipment can be returned
├── ActionNotAllowed      the shipment does not allow the action, by the courier's rules
├── ActionOpen            another action on the shipment has not ended
├── ChangedSince          the shipment has changed since a member of staff looked at it
├── NotInDoubt            the shipment is not in doubt, so there is nothing to settle
├── TooEarly              the create call may still be answered: release the order later
├── UncheckedTrackingId   the courier cannot say whether a tracking id is this order's
├── NotCorrectable        the tracking id did not come from an operator, or the order is taken
├── FlagNotOpen           the flag has been cleared already
├── NotLiftable           no scan of the courier ended the shipment
└── UnreadableValue       a stored value was encrypted with a key that FERNET_KEYS do not have

The errors of calls to a courier are in couriers.contract.errors. docs/api.md lists the API's answer
to each error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class PlatformError(Exception):
    """Base of the platform's own errors.

    `retry_after` is the seconds after which to ask again, or None where that would not help.
    """

    retry_after: float | None = None

    @property
    def detail(self) -> str:
        """The text for a person, shown below the error's title."""
        return str(self)

    @property
    def facts(self) -> dict[str, Any]:
        """The error's data for programs, by name."""
        return {}


class ScopeMissing(PlatformError):
    """The API key may not be used for this; `scope` is what it lacks."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(f"the API key lacks the scope {scope!r}")

    @property
    def facts(self) -> dict[str, Any]:
        return {"scope": self.scope}


class UnknownCourier(PlatformError):
    """No plug-in registered that courier. The message lists the couriers that are registered."""


class KeyReused(PlatformError):
    """The key was used for another request. `fields` names what differs, without the values."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(f"the key was used for another request; different: {', '.join(fields)}")

    @property
    def facts(self) -> dict[str, Any]:
        return {"fields": self.fields}


class BookingInFlight(PlatformError):
    """The same booking is being made right now. `shipment_id` is "" where it is not known."""

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


class OrderDiffers(PlatformError):
    """The order is booked with other content. `fields` names what differs, without the values."""

    def __init__(self, shipment_id: str, status: str, fields: tuple[str, ...]) -> None:
        self.shipment_id = shipment_id
        self.status = status
        self.fields = fields
        super().__init__(
            f"the order is booked as {shipment_id} with other content; "
            f"different: {', '.join(fields)}"
        )

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "fields": self.fields,
            "shipment": self.shipment_id,
            "shipment_status": self.status,
        }


class OrderEnded(PlatformError):
    """The order's shipment has ended without a delivery.

    A request without a key could be a repetition of the first one, so it books nothing.
    """

    def __init__(self, shipment_id: str, status: str) -> None:
        self.shipment_id = shipment_id
        self.status = status
        super().__init__(
            f"the order's shipment {shipment_id} has ended ({status}); "
            "to book the order once more, send an Idempotency-Key of its own"
        )

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id, "shipment_status": self.status}


class TooManyJobs(PlatformError):
    """The company has as many open jobs of a kind as it may have (`limit`)."""

    retry_after: float

    def __init__(self, limit: int, retry_after: float, kind: str = "bulk jobs") -> None:
        self.retry_after = retry_after
        super().__init__(f"{limit} {kind} are open, which is the limit: wait until one is done")


class LabelsMissing(PlatformError):
    """Some of the labels cannot be had, so there is no PDF of them.

    `missing` has the position in the request, the shipment's id and the reason of each.
    `retry_after` is in seconds, where all of them may be had later.
    """

    def __init__(
        self, missing: Sequence[tuple[int, str, str]], *, retry_after: float | None = None
    ) -> None:
        self.missing = tuple(missing)
        self.retry_after = retry_after
        super().__init__(f"{len(self.missing)} of the labels cannot be had")

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "errors": [
                {"field": f"shipments[{position}]", "message": f"{shipment}: {reason}"}
                for position, shipment, reason in self.missing
            ]
        }


class LabelsTooLarge(PlatformError):
    """The labels are larger together than one PDF may be."""

    def __init__(self) -> None:
        super().__init__("the labels are too large for one PDF: ask for fewer at once")


class LabelsNotReady(PlatformError):
    """Workers have not finished the PDF of labels."""

    retry_after: float

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__("the labels are still being put together")


class ShipmentErased(PlatformError):
    """The personal data of the shipment has been erased, so nothing more can be done with it."""

    def __init__(self, shipment_id: str) -> None:
        self.shipment_id = shipment_id
        super().__init__(f"the personal data of shipment {shipment_id} has been erased")

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id}


class NotReturnable(PlatformError):
    """Only a delivered forward shipment can be returned."""

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
    """The shipment does not allow the action now, by the rules of its courier.

    `name` is the stable name of the problem in the API, for example `not-cancellable`.
    """

    def __init__(self, name: str, title: str, detail: str = "") -> None:
        self.name = name
        self.title = title
        self._detail = detail
        super().__init__(f"{title}: {detail}" if detail else title)

    @property
    def detail(self) -> str:
        return self._detail


class ActionOpen(PlatformError):
    """Another action on the shipment is open: one is asked of a courier at a time."""

    def __init__(self, shipment_id: str, action_id: str, kind: str, state: str) -> None:
        self.shipment_id = shipment_id
        self.action_id = action_id
        super().__init__(f"the action {action_id} ({kind}) is {state} and has not ended")

    @property
    def facts(self) -> dict[str, Any]:
        return {"shipment": self.shipment_id, "action": self.action_id}


class ChangedSince(PlatformError):
    """The shipment has changed since somebody looked at it and decided. Nothing was done."""

    def __init__(self, shipment_id: str) -> None:
        self.shipment_id = shipment_id
        super().__init__("the shipment has changed since the page was opened")


class NotInDoubt(PlatformError):
    """The shipment is not in doubt, or no longer."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the shipment is {status.lower()}, not in doubt")


class TooEarly(PlatformError):
    """The create call may still be answered: an order released now could be booked twice."""

    retry_after: float

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        wait = math.ceil(retry_after)
        super().__init__(f"the call may still be on its way; wait another {wait} s")


class NotLiftable(PlatformError):
    """No scan of the courier ended the shipment, so no end can be lifted."""


class UncheckedTrackingId(PlatformError):
    """The courier cannot say whether the tracking id is this order's; the message says why.

    Asked again with `confirm_unchecked`, the operator's word is taken.
    """


class NotCorrectable(PlatformError):
    """The shipment's tracking id cannot be corrected; the message says why."""


class FlagNotOpen(PlatformError):
    """The flag has been cleared already."""

    def __init__(self) -> None:
        super().__init__("the flag has been cleared already")


class PreconditionFailed(PlatformError):
    """The shipment is no longer as the caller has read it, so nothing was done."""

    def __init__(self) -> None:
        super().__init__("read the shipment again: it has changed since If-Match's ETag")


class WarehouseInUse(PlatformError):
    """The warehouse cannot be deleted; the message says what needs it."""


class UnreadableValue(PlatformError):
    """A stored value was encrypted with a key that FERNET_KEYS of this process do not have.

    `model` and `field` name the column, `pk` the row. Other rows and other fields can be read.
    """

    def __init__(self, model: str, field: str, pk: object) -> None:
        self.model, self.field, self.pk = model, field, pk
        super().__init__(
            f"the {field} of {model} {pk} cannot be read: it was encrypted with a key that "
            "FERNET_KEYS do not have"
        )
