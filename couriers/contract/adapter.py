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
from couriers.contract.actions import (
    ActionKind,
    ActionResult,
    ActionRule,
    PickupRequest,
    PickupScope,
    ReattemptRequest,
)
from couriers.contract.documents import Document, DocumentLink, ManifestDocument
from couriers.contract.errors import FieldProblem, InvalidRequest, NotSupported
from couriers.contract.logins import LoginField, RegisteredWebhook, Webhook
from couriers.contract.options import Options, parse_options
from couriers.contract.request_checks import OrderLimits
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import (
    Booking,
    Limit,
    Pickup,
    RateQuote,
    RateRequest,
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
    TRACK_SHIPMENTS = "track_shipments"
    FIND_BOOKING = "find_booking"
    RESERVE_IDS = "reserve_ids"
    OUTCOME_OF = "outcome_of"
    REGISTER_WEBHOOKS = "register_webhooks"


class BaseCourierAdapter:
    """Calls one courier for one account. CourierFactory creates it, and threads share it.

    A subclass sets `code`, `name`, `capabilities`, `mapper`, `default_limits` and `login_fields`,
    and overrides the methods it declares. It keeps no state of shipments: the platform does that.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    mapper: ClassVar[StatusMapper]
    default_limits: ClassVar[Mapping[str, Limit]] = {}
    # The dataclass of the courier's settings, SHIPCROWD["COURIERS"][code]; None for those that
    # every courier called over HTTP has (couriers.http.tunables).
    tunables: ClassVar[type | None] = None
    # What a login consists of. `seed_courier`, the admin's form and the checks follow it.
    login_fields: ClassVar[tuple[LoginField, ...]] = ()
    # Where a courier takes several logins: the names of the fields of each, one of which has to be
    # complete. These fields are not `required`.
    login_alternatives: ClassVar[Sequence[Sequence[str]]] = ()
    # The names of those of them by which the courier knows whom to send callbacks to. Two accounts
    # that have the same values of all of these, at one base URL, are refused.
    login_identity: ClassVar[tuple[str, ...]] = ()
    # When each action is allowed: a rule, or one for each direction. An action without is not
    # offered (couriers.contract.action_rules).
    action_rules: ClassVar[Mapping[ActionKind, ActionRule | tuple[ActionRule, ...]]] = {}
    # What a pickup is asked for, and the slots of a day to choose from, none where there is no
    # choice. The `days` of the pickup's rule hold for both scopes.
    pickup_scope: ClassVar[PickupScope] = PickupScope.SHIPMENT
    pickup_slots: ClassVar[tuple[str, ...]] = ()
    # The options of a booking that only this courier has. None: it has none.
    options_model: ClassVar[type[Options] | None] = None
    # The services that a booking may name, and the most cash and weight, as far as they are fixed.
    order_limits: ClassVar[OrderLimits] = OrderLimits()
    # Whether a booking needs `pickup.reference`. The platform registers the warehouse before it.
    registers_warehouses: ClassVar[bool] = False
    # Whether create_warehouse may be repeated after Unknown. Where it would register the warehouse
    # a second time, a person has to give the reference instead.
    warehouse_repeatable: ClassVar[bool] = True
    # Whether a booking without `pickup.reference` is sent, with the whole address, where the
    # courier refuses to register the warehouse.
    books_without_registration: ClassVar[bool] = False
    # The most shipments that one call of create_manifest, get_label and track_shipments takes.
    manifest_size: ClassVar[int] = 100
    label_size: ClassVar[int] = 100
    track_size: ClassVar[int] = 1
    # The most numbers that one call of reserve_ids takes.
    reserve_size: ClassVar[int] = 25
    # Seconds after which find_booking's None may be believed, once the create call is over. None:
    # it is not known, so only a found booking settles, and None informs an operator.
    lookup_lag: ClassVar[float | None] = None
    # Hosts that documents may be fetched from, beside the account's own: exact names, or `*.` and
    # a domain.
    document_hosts: ClassVar[tuple[str, ...]] = ()
    # Hosts of the courier's own test servers, where a booking moves no parcel; written likewise.
    test_hosts: ClassVar[tuple[str, ...]] = ()
    # Hosts of the courier's live servers; written likewise. No test account may have one of them.
    live_hosts: ClassVar[tuple[str, ...]] = ()
    # Whether serviceability is of a lane: then check_serviceability is asked with an `origin`.
    serves_lanes: ClassVar[bool] = False
    # The carriers behind an aggregator, as consignees know them. The tracking page names the one
    # whose name a booking's vendor begins with, and never the vendor's own text.
    carriers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds, without its wait for the rate limiter.

        Nothing is sent in a lease's last `max_create_seconds`. BOOKING_LEASE must therefore be
        longer: the rest is the time for waiting, logging in and retries.
        """
        return 90.0

    @classmethod
    def reference_problem(cls, reference: str) -> str | None:
        """Return why bookings could not use a warehouse's reference that a person gives, or None.

        The text continues the name of the field: "must be …".
        """
        return None

    def supports(self, capability: Capability) -> bool:
        """Whether the courier offers the operation. Makes no call."""
        return capability in self.capabilities

    def check_login(self) -> bool:
        """Ask the courier whether it takes the account's login, and change nothing there.

        False where it has no call for that. Raises CredentialsRefused for a wrong login, and the
        other errors of a call.
        """
        return False

    def check_request(self, request: ShipmentRequest) -> None:
        """Raise InvalidRequest, naming every wrong field, if the courier would refuse the request.

        Makes no call.
        """

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a forward shipment.

        After `Unknown` the platform repeats the call only with the same `request.reserved_id`. If
        the courier has the number for this order already, the booking that it has is returned.
        ReservedIdRefused means that this order is not booked with the number and cannot be, also
        because it is another order's. Any other Rejected says nothing of the calls before it.
        """
        self._unsupported(Capability.CREATE_SHIPMENT)

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        """Look for the booking of `request.order_number`, of either direction, at the courier.

        Return it with its `order_number`, or None if the courier answers that it has none. Of
        several it is the one that was booked last. Whatever else happens raises an error: "cannot
        say" is never None. The consignee, the items and the options of the request may have been
        erased.
        """
        self._unsupported(Capability.FIND_BOOKING)

    def reserve_ids(self, count: int) -> Sequence[str]:
        """Return up to `count` unused numbers (at most `reserve_size`), to book shipments with."""
        self._unsupported(Capability.RESERVE_IDS)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """Return all scans of a shipment so far. Raises NotFound for an unknown id."""
        self._unsupported(Capability.TRACK_SHIPMENT)

    def track_shipments(self, tracking_ids: Sequence[str]) -> Mapping[str, Tracking]:
        """Return the scans of at most `track_size` shipments by tracking id.

        Optional. An id that the courier does not know is missing from the answer. Each Tracking
        has the id that it stands under; others are ignored.
        """
        self._unsupported(Capability.TRACK_SHIPMENTS)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """Return the courier's quotes for a lane, one for each service."""
        self._unsupported(Capability.GET_RATES)

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Cancel a forward shipment. A shipment that is already cancelled is a success.

        `status` is the shipment's, as the platform knows it. The result says what follows: an end,
        or a return to origin.
        """
        self._unsupported(Capability.CANCEL_SHIPMENT)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        """Return what the courier offers at a pincode, from the pincode `origin` where it asks so.

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

    def cancel_reverse_shipment(
        self, tracking_id: str, *, status: Status | None = None
    ) -> ActionResult:
        """Cancel a return."""
        self._unsupported(Capability.CANCEL_REVERSE_SHIPMENT)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another delivery attempt, on `request.date` where the rule takes a date."""
        self._unsupported(Capability.REQUEST_REATTEMPT)

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """Make a manifest of at most `manifest_size` shipments."""
        self._unsupported(Capability.CREATE_MANIFEST)

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Have parcels picked up from a warehouse on `request.date`. One that is open is done."""
        self._unsupported(Capability.SCHEDULE_PICKUP)

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change the consignee's address, phone or name, as the rule's `fields` allow."""
        self._unsupported(Capability.UPDATE_DELIVERY_ADDRESS)

    def get_proof_of_delivery(self, tracking_id: str) -> Document | DocumentLink:
        """Fetch the proof of delivery: a PDF, JPEG or PNG. Raises NotFound while there is none."""
        self._unsupported(Capability.GET_PROOF_OF_DELIVERY)

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        """Have returns picked up from the consignees on `request.date`."""
        self._unsupported(Capability.SCHEDULE_REVERSE_PICKUP)

    def get_label(self, tracking_ids: Sequence[str]) -> Document | DocumentLink:
        """Fetch at most `label_size` packing labels as one PDF, in the order of `tracking_ids`.

        A courier whose labels come with the booking alone does not declare it.
        """
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

    def outcome_of(self, handle: str) -> ActionResult:
        """Return how an accepted action ended, or ACCEPTED while it has not.

        Raises Rejected if the courier did not do it.
        """
        self._unsupported(Capability.OUTCOME_OF)

    def register_webhooks(self, webhooks: Sequence[Webhook]) -> Sequence[RegisteredWebhook]:
        """Have the courier call these addresses, and no other of the account's.

        One that is registered already is updated. Where a courier has no call for it, a person
        asks the courier: `register_webhooks` prints what for.
        """
        self._unsupported(Capability.REGISTER_WEBHOOKS)

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options, checked against `options_model`.

        Raises InvalidRequest with fields named `options.…`.
        """
        _, problems = parse_options(self.options_model or Options, options)
        self._refuse(problems, "create_shipment")
        return options

    @classmethod
    def options_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of the options."""
        return (cls.options_model or Options).model_json_schema()

    def _refuse(self, problems: Sequence[FieldProblem], operation: str) -> None:
        """Raise InvalidRequest if there are problems."""
        if problems:
            raise InvalidRequest(problems, courier=self.code, operation=operation)

    def _check_ids(self, tracking_ids: Sequence[str], at_most: int, operation: str) -> list[str]:
        """Return each id once. Raises InvalidRequest unless there are 1 to `at_most` of them."""
        ids = list(dict.fromkeys(tracking_ids))
        if not 0 < len(ids) <= at_most:
            self._refuse([FieldProblem("tracking_ids", f"must be 1 to {at_most}")], operation)
        return ids

    def _unsupported(self, capability: Capability, message: str = "") -> NoReturn:
        raise NotSupported(
            message or f"{self.name} does not offer {capability.value}",
            courier=self.code,
            operation=capability.value,
        )
