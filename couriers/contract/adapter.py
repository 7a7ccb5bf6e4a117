"""BaseCourierAdapter: the operations of a courier, which each plug-in implements.

A plug-in subclasses it, declares `capabilities` and overrides the methods that it declares. Any
other method raises NotSupported before a network call. A method raises only the errors of
couriers.contract.errors, and never returns a success without having done the work.
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
    """Calls one courier for one account. CourierFactory creates it, and threads share it.

    A subclass sets `code`, `name`, `capabilities`, `mapper` and `default_limits`, and overrides
    the methods it declares. It keeps no state of shipments: the platform does that.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    mapper: ClassVar[StatusMapper]
    default_limits: ClassVar[Mapping[str, Limit]] = {}
    # The account's fields by which the courier knows whom to send callbacks to. Two accounts that
    # have the same values of all of them, at one base URL, are refused.
    login_identity: ClassVar[tuple[str, ...]] = ("client_id", "username")
    # The most shipments that one create_manifest call takes.
    manifest_size: ClassVar[int] = 100

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds, without its wait for the rate limiter.

        Nothing is sent in a lease's last `max_create_seconds`. BOOKING_LEASE must therefore be
        longer: the rest is the time for waiting, logging in and retries.
        """
        return 90.0

    def supports(self, capability: Capability) -> bool:
        """Whether the courier offers the operation. Makes no call."""
        return capability in self.capabilities

    def check_request(self, request: ShipmentRequest) -> None:
        """Raise InvalidRequest, naming every wrong field, if the courier would refuse the request.

        Makes no call.
        """

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a forward shipment. After `Unknown` the platform never repeats the call."""
        self._unsupported(Capability.CREATE_SHIPMENT)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """Return all scans of a shipment so far. Raises NotFound for an unknown id."""
        self._unsupported(Capability.TRACK_SHIPMENT)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """Return the courier's quotes for a lane, one for each service."""
        self._unsupported(Capability.GET_RATES)

    def cancel_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a forward shipment. A shipment that is already cancelled is a success."""
        self._unsupported(Capability.CANCEL_SHIPMENT)

    def check_serviceability(self, pincode: str) -> Serviceability:
        """Return what the courier offers at a pincode.

        An outage raises an error: it is never reported as "not serviceable".
        """
        self._unsupported(Capability.CHECK_SERVICEABILITY)

    def list_serviceability(self) -> Iterator[Serviceability]:
        """Yield what the courier offers at each pincode it knows.

        Optional. A list that breaks off raises an error, so a list without an error is complete.
        """
        self._unsupported(Capability.BULK_SERVICEABILITY)

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address. Registering it again is a success."""
        self._unsupported(Capability.CREATE_WAREHOUSE)

    def create_reverse_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a return from the consignee to the warehouse."""
        self._unsupported(Capability.CREATE_REVERSE_SHIPMENT)

    def cancel_reverse_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a return."""
        self._unsupported(Capability.CANCEL_REVERSE_SHIPMENT)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another delivery attempt on `request.date`."""
        self._unsupported(Capability.REQUEST_REATTEMPT)

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """Make a manifest of at most `manifest_size` shipments."""
        self._unsupported(Capability.CREATE_MANIFEST)

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Have shipments picked up from a warehouse on `request.date`."""
        self._unsupported(Capability.SCHEDULE_PICKUP)

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change the consignee's address or phone for the next attempt."""
        self._unsupported(Capability.UPDATE_DELIVERY_ADDRESS)

    def get_proof_of_delivery(self, tracking_id: str) -> Document:
        """Fetch the signed proof of delivery."""
        self._unsupported(Capability.GET_PROOF_OF_DELIVERY)

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        """Have returns picked up from the consignees on `request.date`."""
        self._unsupported(Capability.SCHEDULE_REVERSE_PICKUP)

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        """Fetch the packing labels as one PDF, in the order of `tracking_ids`."""
        self._unsupported(Capability.GET_LABEL)

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Fetch the data of the labels as the courier's own JSON, for shops that print labels.

        Optional.
        """
        self._unsupported(Capability.LABEL_DATA)

    def track_waybill(self, waybill: str) -> Tracking:
        """Return the carrying network's history of a waybill.

        Optional. The platform calls it when track_shipment does not know the shipment. Raises
        NotFound for an unknown waybill.
        """
        self._unsupported(Capability.TRACK_WAYBILL)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Ask for an undelivered parcel to be returned to its origin (RTO)."""
        self._unsupported(Capability.REQUEST_RTO)

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options checked against the plug-in's schema.

        Raises InvalidRequest with fields named `options.…`.
        """
        return options

    def _unsupported(self, capability: Capability, message: str = "") -> NoReturn:
        raise NotSupported(
            message or f"{self.name} does not offer {capability.value}",
            courier=self.code,
            operation=capability.value,
        )
