"""What was booked before: by the request's key, or without a key by its order.

Without a key, the order is the key. The same order is then one number in one direction, whichever
courier has it and under whichever key it was booked.
"""

from __future__ import annotations

from dataclasses import dataclass

from couriers.booking.answers import ENCRYPTED_CONSIGNEE, shipment_json
from couriers.booking.booked import store_answer
from couriers.booking.drafts import clean_key
from couriers.booking.fingerprints import PERSONAL, differing_fields
from couriers.booking.leases import expire_leases, lease_seconds_left
from couriers.booking.settling import BookingResult
from couriers.booking.stored_drafts import differing_from_shipment
from couriers.contract.platform_errors import (
    BookingInFlight,
    KeyReused,
    OrderAlreadyLive,
    OrderDiffers,
    OrderEnded,
    ShipmentErased,
)
from couriers.contract.statuses import RELEASES_ORDER, Status
from couriers.contract.types import ShipmentDraft
from couriers.models import IdempotencyKey, Shipment
from couriers.models.compiled import CompiledQuery, Slot
from couriers.models.idempotency import KeyScope
from couriers.models.shipment import ShipmentQuerySet

# Reading them costs a decryption each, and only an order without a stored key needs them.
ENCRYPTED = (*ENCRYPTED_CONSIGNEE, "options")


def _of_any_order(shipments: ShipmentQuerySet) -> ShipmentQuerySet:
    return shipments.filter(
        company_id=Slot("company"),
        direction=Slot("direction"),
        order_number=Slot("order_number"),
        is_test=Slot("is_test"),
    )


_OF_ORDER = CompiledQuery(
    Shipment,
    lambda: _of_any_order(Shipment.objects.all()).defer(*ENCRYPTED).order_by("-id"),
)
_LIVE_OF_ORDER = CompiledQuery(
    Shipment, lambda: _of_any_order(Shipment.objects.live()).only("status").order_by("id")[:1]
)
# Most keys are new, so the shipment is not joined; it is fetched where the key exists.
_KEY = CompiledQuery(
    IdempotencyKey,
    lambda: IdempotencyKey.objects.filter(
        company_id=Slot("company"),
        scope=Slot("scope"),
        key=Slot("key"),
        is_test=Slot("is_test"),
    ),
)


@dataclass(frozen=True, slots=True)
class BookingKey:
    """The key of a booking within its company and mode."""

    company_id: int
    scope: KeyScope
    key: str
    is_test: bool = False

    def stored(self) -> IdempotencyKey | None:
        """Return the row of the key, or None for a new one."""
        return _KEY.first(
            company=self.company_id, scope=self.scope, key=self.key, is_test=self.is_test
        )


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of a request. With an `answer` there is nothing to book.

    `failed` is the row of the key if its last booking has failed. The key is then used again.
    """

    key: BookingKey
    answer: BookingResult | None = None
    failed: IdempotencyKey | None = None


def find_earlier(
    company_id: int,
    draft: ShipmentDraft,
    key: str | None,
    *,
    is_test: bool = False,
    rebook: bool = False,
) -> Earlier:
    """Find what was booked before in the same mode for a checked draft.

    With `rebook`, an order whose shipment has ended gets a key of its own, always the same one for
    the same ended shipment.

    Raises KeyReused, OrderAlreadyLive, OrderDiffers, OrderEnded or ShipmentErased where the request
    is not to be booked, and BookingInFlight where it may be asked again. Raises InvalidRequest for
    a bad key.
    """
    if key is not None:
        return _by_key(BookingKey(company_id, KeyScope.CLIENT, clean_key(key), is_test), draft)
    number = clean_key(draft.order_number)
    number_key = BookingKey(company_id, KeyScope(draft.direction), number, is_test)
    shipments = _OF_ORDER.rows(
        company=company_id,
        direction=draft.direction,
        order_number=draft.order_number,
        is_test=is_test,
    )
    if live := next((s for s in shipments if s.status not in RELEASES_ORDER), None):
        return Earlier(number_key, answer=_answer_of_live(live, draft))
    ended = next((s for s in shipments if s.status != Status.FAILED), None)
    if ended is not None:
        if not rebook:
            raise OrderEnded(ended.pk, ended.status)
        rebooked = BookingKey(company_id, KeyScope.CLIENT, f"rebook {ended.pk}", is_test)
        return _by_key(rebooked, draft)
    return Earlier(number_key, failed=number_key.stored() if shipments else None)


def _by_key(key: BookingKey, draft: ShipmentDraft) -> Earlier:
    row = key.stored()
    if row is None or row.shipment.status == Status.FAILED:
        live = _live_shipment(key, draft)
        if live is None:
            return Earlier(key, failed=row)
        # Another request with this key may have reserved the order meanwhile.
        row = key.stored()
        if row is None or row.shipment_id != live.pk:
            raise OrderAlreadyLive(live.pk, live.status)
    # What was erased cannot be compared: the key alone says that this is the same request.
    erased = PERSONAL if row.shipment.erased_at else ()
    if different := differing_fields(row.fingerprints, draft, without=erased):
        raise KeyReused(different)
    answer = _replay(row.shipment, row)
    return Earlier(key, answer) if answer else Earlier(key, failed=key.stored())


def _live_shipment(key: BookingKey, draft: ShipmentDraft) -> Shipment | None:
    """Return the order's live shipment in the key's mode, whichever key has booked it.

    The constraint of the table decides between two requests that come at once. It leaves out
    shipments that were live beside another one before it existed.
    """
    return _LIVE_OF_ORDER.first(
        company=key.company_id,
        direction=draft.direction,
        order_number=draft.order_number,
        is_test=key.is_test,
    )


def _answer_of_live(shipment: Shipment, draft: ShipmentDraft) -> BookingResult:
    """Return the stored answer of the order's live shipment. Raises OrderDiffers.

    Raises ShipmentErased where it can no longer be told whether the request is the same.
    """
    if shipment.erased_at is not None:
        raise ShipmentErased(shipment.pk)
    row = IdempotencyKey.objects.filter(shipment=shipment).order_by("id").first()
    if row is None:
        different = differing_from_shipment(shipment, draft)
    else:
        different = differing_fields(row.fingerprints, draft)
    if different:
        raise OrderDiffers(shipment.pk, shipment.status, different)
    answer = _replay(shipment, row)
    if answer is None:
        raise BookingInFlight(shipment.pk, retry_after=1)
    return answer


def _replay(shipment: Shipment, row: IdempotencyKey | None) -> BookingResult | None:
    """Return the answer of a booking, or None if it has just failed. Raises BookingInFlight."""
    body = row.answer() if row else None
    if row and body is not None and row.response_status is not None:
        return BookingResult(shipment, row.response_status, body, replayed=True)
    if shipment.status == Status.BOOKING:
        left = lease_seconds_left(shipment)
        if left > 0:
            raise BookingInFlight(shipment.pk, retry_after=max(1, min(2, round(left))))
        expire_leases()
        shipment = Shipment.objects.defer(*ENCRYPTED).get(pk=shipment.pk)
        if shipment.status == Status.BOOKING:  # by the database's clock the lease goes on
            raise BookingInFlight(shipment.pk, retry_after=1)
    if shipment.status == Status.FAILED:
        return None
    if shipment.status == Status.IN_DOUBT:
        return BookingResult(shipment, 202, shipment_json(shipment), replayed=True)
    if row is None:
        return BookingResult(shipment, 201, shipment_json(shipment), replayed=True)
    return BookingResult(shipment, 201, store_answer(shipment), replayed=True)
