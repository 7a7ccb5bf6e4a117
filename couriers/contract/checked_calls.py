"""Calls of an adapter's methods, whose answers are checked before the platform believes them.

The platform calls every method of a plug-in through `call_adapter`. A plug-in may raise errors that
the contract does not know, answer with another type, or name another order: each of these is an
Unknown that names the plug-in. So a booking is then in doubt, a search cannot say, and nothing else
is changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import Error as DatabaseFailure

from couriers.contract.actions import ActionResult
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.documents import Document, DocumentLink, ManifestDocument
from couriers.contract.errors import CourierError, Unknown, plugin_fault
from couriers.contract.logins import RegisteredWebhook
from couriers.contract.logs import get_logger
from couriers.contract.text import has_control_characters, make_storable
from couriers.contract.types import (
    Booking,
    RateQuote,
    Scan,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)

log = get_logger(__name__)

MAX_ID = 100  # characters of a tracking id, a waybill or a reserved number
MAX_VENDOR = 100  # characters of it that are kept
WRONG_ANSWER = "wrong-answer"  # the code of an Unknown for an answer that breaks the contract

CREATES = (Capability.CREATE_SHIPMENT, Capability.CREATE_REVERSE_SHIPMENT)
LISTS: Mapping[Capability, type] = {
    Capability.GET_RATES: RateQuote,
    Capability.LABEL_DATA: Mapping,
    Capability.REGISTER_WEBHOOKS: RegisteredWebhook,
}
SINGLE: Mapping[Capability, type] = {
    Capability.TRACK_SHIPMENT: Tracking,
    Capability.TRACK_WAYBILL: Tracking,
    Capability.CANCEL_SHIPMENT: ActionResult,
    Capability.CANCEL_REVERSE_SHIPMENT: ActionResult,
    Capability.REQUEST_REATTEMPT: ActionResult,
    Capability.UPDATE_DELIVERY_ADDRESS: ActionResult,
    Capability.REQUEST_RTO: ActionResult,
    Capability.SCHEDULE_PICKUP: ActionResult,
    Capability.SCHEDULE_REVERSE_PICKUP: ActionResult,
    Capability.OUTCOME_OF: ActionResult,
    Capability.CHECK_SERVICEABILITY: Serviceability,
    Capability.CREATE_WAREHOUSE: WarehouseRegistration,
    Capability.CREATE_MANIFEST: ManifestDocument,
}
DOCUMENTS = (Capability.GET_LABEL, Capability.GET_PROOF_OF_DELIVERY)


def call_adapter(
    adapter: BaseCourierAdapter, capability: Capability, *arguments: Any, **options: Any
) -> Any:
    """Call the adapter's method of this capability, and return its checked answer.

    Raises the method's own CourierError. Any other exception, and an answer that breaks the
    contract, become an Unknown that names the plug-in. So does a failure of the database, where
    plug-ins keep their tokens, in a create call: it may have been sent. Elsewhere it is raised.
    """
    try:
        answer = getattr(adapter, capability.value)(*arguments, **options)
    except CourierError:
        raise
    except Exception as error:
        if isinstance(error, DatabaseFailure) and capability not in CREATES:
            raise
        raise _fault(adapter, capability, error) from error
    if capability is Capability.BULK_SERVICEABILITY:
        return _checked_lines(adapter, answer)
    if problem := _problem(capability, arguments, answer):
        raise wrong_answer(adapter, capability, problem)
    return answer


def create_booking(
    adapter: BaseCourierAdapter, operation: str, request: ShipmentRequest
) -> Booking:
    """Make a create call. `operation` is the method's name, for a shipment or a return.

    Raises as `call_adapter`. An answer without a storable tracking id, or for another order, is an
    Unknown.
    """
    booking: Booking = call_adapter(adapter, Capability(operation), request)
    return dataclasses.replace(booking, vendor=make_storable(booking.vendor)[:MAX_VENDOR])


def find_booking(adapter: BaseCourierAdapter, request: ShipmentRequest) -> Booking | None:
    """Search for the booking of the order. None means that the courier says it has none.

    Raises as `call_adapter`; every error means that the courier cannot say.
    """
    booking: Booking | None = call_adapter(adapter, Capability.FIND_BOOKING, request)
    if booking is None:
        return None
    return dataclasses.replace(booking, vendor=make_storable(booking.vendor)[:MAX_VENDOR])


def reserve_ids(adapter: BaseCourierAdapter, count: int) -> tuple[str, ...]:
    """Reserve up to `count` numbers, in the courier's order. Raises as `call_adapter`."""
    return tuple(call_adapter(adapter, Capability.RESERVE_IDS, count))


def wrong_answer(adapter: BaseCourierAdapter, operation: str, problem: str) -> Unknown:
    """Return the Unknown that stands for an answer that breaks the contract, and log it."""
    name = _plugin(adapter)
    log.error(
        "plugin_answered_wrongly", courier=adapter.code, plugin=name, operation=str(operation)
    )
    return Unknown(
        f"the plug-in {adapter.code} gave a wrong answer: {problem}",
        courier=adapter.code,
        operation=str(operation),
        code=WRONG_ANSWER,
    )


def id_problem(value: Any, name: str, *, required: bool = True) -> str | None:
    """Return why a value cannot be stored as an id, without the value, or None."""
    if not isinstance(value, str):
        return f"{name} is {_type(value)}, not a text"
    if not value.strip():
        return f"{name} is empty" if required or value else None
    if len(value) > MAX_ID:
        return f"{name} has more than {MAX_ID} characters"
    if value != value.strip() or has_control_characters(value):
        return f"{name} has characters that no id has"
    return None


def _problem(capability: Capability, arguments: Sequence[Any], answer: Any) -> str | None:
    """Return what is wrong with an answer, without any of its values, or None."""
    if capability in CREATES:
        return _booking_problem(answer) or _other_order(arguments[0], answer, must_name=False)
    if capability is Capability.FIND_BOOKING:
        if answer is None:
            return None
        return _booking_problem(answer) or _other_order(arguments[0], answer, must_name=True)
    if capability is Capability.RESERVE_IDS:
        return _list_problem(answer, str) or next(
            (problem for n in answer if (problem := id_problem(n, "a number"))), None
        )
    if capability is Capability.TRACK_SHIPMENTS:
        return _trackings_problem(arguments[0], answer)
    if capability in DOCUMENTS:
        return _type_problem(answer, Document, DocumentLink)
    if kind := LISTS.get(capability):
        return _list_problem(answer, kind)
    problem = _type_problem(answer, SINGLE[capability])
    if problem is None and isinstance(answer, Tracking):
        return _tracking_problem(answer)
    return problem


def _booking_problem(answer: Any) -> str | None:
    if problem := _type_problem(answer, Booking):
        return problem
    for name in ("vendor", "tracking_url", "courier_status", "order_number", "courier_order_id"):
        if not isinstance(getattr(answer, name), str):
            return f"{name} is {_type(getattr(answer, name))}, not a text"
    # What else it brings is left out where it cannot be stored (couriers.booking.settling).
    return id_problem(answer.tracking_id, "tracking_id") or id_problem(
        answer.waybill, "waybill", required=False
    )


def _other_order(request: ShipmentRequest, booking: Booking, *, must_name: bool) -> str | None:
    """Return that the booking is another order's, or None. A courier may put a prefix on numbers.

    What was searched for has to be named exactly.
    """
    named, own = booking.order_number.strip(), request.order_number.strip()
    if must_name:
        return None if named == own else "it names another order, or none"
    return None if not named or named.endswith(own) else "it names another order"


def _tracking_problem(answer: Any) -> str | None:
    if not isinstance(answer.tracking_id, str) or not isinstance(answer.order_number, str):
        return "an id of it is not a text"
    if problem := _list_problem(answer.scans, Scan):
        return problem
    if any(scan.at.tzinfo is None for scan in answer.scans):
        return "the time of a scan has no zone"
    return None


def _trackings_problem(asked: Sequence[str], answer: Any) -> str | None:
    """Return what is wrong with the trackings that were asked for; the others are not used."""
    if problem := _type_problem(answer, Mapping):
        return problem
    for tracking in (answer[one] for one in asked if one in answer):
        if problem := _type_problem(tracking, Tracking) or _tracking_problem(tracking):
            return problem
    return None


def _list_problem(answer: Any, kind: type) -> str | None:
    if not isinstance(answer, Sequence) or isinstance(answer, (str, bytes)):
        return f"it is {_type(answer)}, not a list"
    return next((problem for one in answer if (problem := _type_problem(one, kind))), None)


def _type_problem(value: Any, *kinds: type) -> str | None:
    if isinstance(value, kinds):
        return None
    return f"it is {_type(value)}, not {' or '.join(kind.__name__ for kind in kinds)}"


def _type(value: Any) -> str:
    return type(value).__name__


def _checked_lines(adapter: BaseCourierAdapter, lines: Any) -> Iterator[Serviceability]:
    """Yield the lines of a list that is still being fetched."""
    operation = Capability.BULK_SERVICEABILITY
    try:
        for line in lines:
            if problem := _type_problem(line, Serviceability):
                raise wrong_answer(adapter, operation, problem)
            yield line
    except (CourierError, DatabaseFailure):
        raise
    except Exception as error:
        raise _fault(adapter, operation, error) from error


def _fault(adapter: BaseCourierAdapter, operation: str, error: Exception) -> Unknown:
    log.exception(
        "adapter_failed", courier=adapter.code, plugin=_plugin(adapter), operation=str(operation)
    )
    return plugin_fault(error, adapter.code)


def _plugin(adapter: BaseCourierAdapter) -> str:
    return f"{type(adapter).__module__}.{type(adapter).__qualname__}"
