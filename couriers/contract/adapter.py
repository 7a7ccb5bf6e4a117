"""BaseCourierAdapter: the contract every courier plug-in fulfils.

A plug-in subclasses it, declares `capabilities`, and overrides just the methods it declares.
Everything else raises NotSupported before any network call. Every method raises one of the four
classes of couriers.contract.errors and nothing else; none answers "success" for doing nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from couriers.contract.accounts import Account
from couriers.contract.errors import NotSupported
from couriers.contract.statuses import StatusMapper
from couriers.contract.types import (
    ActionResult,
    Booking,
    Document,
    Limit,
    ManifestDocument,
    Pickup,
    PickupRequest,
    RateQuote,
    RateRequest,
    ReattemptRequest,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)


class Capability(enum.StrEnum):
    """An operation of the contract; the value is the method's name."""

    CREATE_SHIPMENT = "create_shipment"
    TRACK_SHIPMENT = "track_shipment"
    GET_RATES = "get_rates"
    CANCEL_SHIPMENT = "cancel_shipment"
    CHECK_SERVICEABILITY = "check_serviceability"
    CREATE_WAREHOUSE = "create_warehouse"
    CREATE_REVERSE_SHIPMENT = "create_reverse_shipment"
    CANCEL_REVERSE_SHIPMENT = "cancel_reverse_shipment"
    REQUEST_REATTEMPT = "request_reattempt"
    CREATE_MANIFEST = "create_manifest"
    SCHEDULE_PICKUP = "schedule_pickup"
    UPDATE_DELIVERY_ADDRESS = "update_delivery_address"
    GET_PROOF_OF_DELIVERY = "get_proof_of_delivery"
    SCHEDULE_REVERSE_PICKUP = "schedule_reverse_pickup"
    GET_LABEL = "get_label"
    REQUEST_RTO = "request_rto"
    BULK_SERVICEABILITY = "list_serviceability"
    LABEL_DATA = "get_label_data"
    TRACK_WAYBILL = "track_waybill"


class BaseCourierAdapter:
    """One account's way to its courier. Made by CourierFactory, shared by threads.

    A subclass sets `code`, `name`, `capabilities`, `mapper` and `default_limits`, and overrides
    the methods it declares. It keeps no state about shipments: the platform does that.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    mapper: ClassVar[StatusMapper]
    default_limits: ClassVar[Mapping[str, Limit]] = {}
    # How many shipments one create_manifest call takes.
    manifest_size: ClassVar[int] = 100

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    def booking_deadline(cls) -> float:
        """The longest that a create request may be under way once the limiter let it go, seconds.

        No request leaves later than this before the end of the reservation's lease, so the lease
        must be longer by the time that waiting, logging in and retries may take.
        """
        return 90.0

    def supports(self, capability: Capability) -> bool:
        """Whether the courier offers the operation, without any call."""
        return capability in self.capabilities

    def check_request(self, request: ShipmentRequest) -> None:
        """Refuse before the wire what the courier would refuse.

        Raises InvalidRequest naming every field at fault. Makes no call.
        """

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a forward shipment. Never repeated by anybody after `Unknown`."""
        self._unsupported(Capability.CREATE_SHIPMENT)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """All scans of a shipment so far. Raises NotFound for an id the courier lacks."""
        self._unsupported(Capability.TRACK_SHIPMENT)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """The courier's prices for a lane, one quote a service."""
        self._unsupported(Capability.GET_RATES)

    def cancel_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a forward shipment; one that is already cancelled is done."""
        self._unsupported(Capability.CANCEL_SHIPMENT)

    def check_serviceability(self, pincode: str) -> Serviceability:
        """What the courier does at a pincode. An outage is an error, never "not serviceable"."""
        self._unsupported(Capability.CHECK_SERVICEABILITY)

    def list_serviceability(self) -> Iterator[Serviceability]:
        """What the courier does at every pincode it knows, one after the other.

        Optional. A list that breaks off raises; one that ends is whole.
        """
        self._unsupported(Capability.BULK_SERVICEABILITY)

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address; registering it again is done, not an error."""
        self._unsupported(Capability.CREATE_WAREHOUSE)

    def create_reverse_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a return from the consignee to the warehouse."""
        self._unsupported(Capability.CREATE_REVERSE_SHIPMENT)

    def cancel_reverse_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a return."""
        self._unsupported(Capability.CANCEL_REVERSE_SHIPMENT)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another delivery attempt on a day."""
        self._unsupported(Capability.REQUEST_REATTEMPT)

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """A manifest for at most as many shipments as the courier takes in one call."""
        self._unsupported(Capability.CREATE_MANIFEST)

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Have shipments fetched from a warehouse on a day."""
        self._unsupported(Capability.SCHEDULE_PICKUP)

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change the consignee's address or phone for the next attempt."""
        self._unsupported(Capability.UPDATE_DELIVERY_ADDRESS)

    def get_proof_of_delivery(self, tracking_id: str) -> Document:
        """The signed proof of delivery, fetched."""
        self._unsupported(Capability.GET_PROOF_OF_DELIVERY)

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        """Have returns fetched from the consignees on a day."""
        self._unsupported(Capability.SCHEDULE_REVERSE_PICKUP)

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        """The packing labels as one PDF, in the order asked."""
        self._unsupported(Capability.GET_LABEL)

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """What the labels say, as the courier's own JSON, for shops that print their own.

        Optional.
        """
        self._unsupported(Capability.LABEL_DATA)

    def track_waybill(self, waybill: str) -> Tracking:
        """The carrying network's own history, by waybill, for when track_shipment knows nothing.

        Optional. Raises NotFound for a waybill the network lacks.
        """
        self._unsupported(Capability.TRACK_WAYBILL)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Send an undelivered parcel back to its origin."""
        self._unsupported(Capability.REQUEST_RTO)

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check `options` against the plug-in's own schema; InvalidRequest names `options.…`."""
        return options

    def _unsupported(self, capability: Capability, why: str = "") -> NoReturn:
        raise NotSupported(
            why or f"{self.name} does not offer {capability.value}",
            courier=self.code,
            operation=capability.value,
        )
