"""The courier contract for Delhivery: puts the mapper and the HTTP client together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from couriers.contract import india
from couriers.contract.actions import (
    ActionResult,
    ActionState,
    PickupRequest,
    PickupScope,
    ReattemptRequest,
)
from couriers.contract.adapter import Capability
from couriers.contract.documents import DocumentLink
from couriers.contract.errors import (
    CourierError,
    NotFound,
    Rejected,
    ReservedIdRefused,
    UnknownPickupAlias,
)
from couriers.contract.reading import words_if_done
from couriers.contract.statuses import Status
from couriers.contract.types import (
    Booking,
    Pickup,
    RateQuote,
    RateRequest,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)
from couriers.http.adapter import HttpAdapter
from couriers.http.preparation import before_sending
from couriers.http.quotes import DeliveryDays, quote_services
from couriers.http.tunables import http_tunables
from couriers_delhivery.client import DelhiveryClient
from couriers_delhivery.conf import LOGIN_FIELDS, DelhiveryTunables, delhivery_tunables
from couriers_delhivery.mapper import answers, bookings, payloads, refusals, tracking
from couriers_delhivery.mapper.options import DelhiveryOptions
from couriers_delhivery.mapper.statuses import DELHIVERY_MAPPER

CREATE = "create_shipment"


class DelhiveryAdapter(HttpAdapter):
    """Calls Delhivery (B2C) for one account.

    Each shipment is booked with a number that was reserved before, so a create call can be
    repeated: Delhivery has one shipment of a number.
    """

    code = "delhivery"
    name = "Delhivery"
    mapper = DELHIVERY_MAPPER
    client_class = DelhiveryClient
    tunables = DelhiveryTunables
    test_hosts = ("staging-express.delhivery.com",)
    live_hosts = ("track.delhivery.com",)
    login_fields = LOGIN_FIELDS
    login_identity = ("client_name",)
    options_model = DelhiveryOptions
    order_limits = refusals.LIMITS
    action_rules = refusals.ACTION_RULES
    pickup_scope = PickupScope.WAREHOUSE
    pickup_slots = ("10:00:00", "14:00:00", "18:00:00")
    registers_warehouses = True
    label_size = 1
    track_size = 50
    # Five batches in five minutes are all that Delhivery gives, so each is a large one.
    reserve_size = 2000
    # Later than this no new shipment was missing from a search (at least a minute is documented).
    lookup_lag = 90.0
    # Labels and proofs are signed links of S3.
    document_hosts = ("*.amazonaws.com", "*.delhivery.com")
    capabilities = frozenset(Capability) - {
        Capability.CREATE_MANIFEST,
        Capability.TRACK_WAYBILL,
        Capability.REGISTER_WEBHOOKS,
    }

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that a create call can last, in seconds: labels take longer, and do not count."""
        return http_tunables(cls.code).longest_call()

    def check_login(self) -> bool:
        """Ask for a pincode, which needs the key and changes nothing."""
        self.check_serviceability("110001")
        return True

    def check_request(self, request: ShipmentRequest) -> None:
        """Raise InvalidRequest, naming every field that Delhivery would refuse. Makes no call."""
        self._refuse(refusals.booking_problems(request), CREATE)

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book (POST /api/cmu/create.json). Raises InvalidRequest before any call.

        The boxes of a shipment of several have numbers that are reserved just before.
        """
        with before_sending(self.code, CREATE, "the request could not be built"):
            self.check_request(request)
            if not (name := request.pickup.reference):
                raise UnknownPickupAlias(
                    "the warehouse is not registered", courier=self.code, operation=CREATE
                )
            boxes = payloads.box_count(request)
            form = payloads.create_form(request, self._numbers_for(request, boxes))
        body = self.client.call(CREATE, form=form, ids=[name])
        try:
            return bookings.booking_from(body, request, boxes)
        except bookings.LookUp as doubt:
            return self._look_up(request, doubt)

    # A return is the same call, with payment mode Pickup.
    create_reverse_shipment = create_shipment

    def find_booking(self, request: ShipmentRequest) -> Booking | None:
        """Search by the order's number (GET /api/v1/packages/json/?ref_ids=)."""
        try:
            found = self._shipments(ref_ids=request.order_number)
        except NotFound:
            return None
        return tracking.booking_among(found, request, payloads.box_count(request))

    def reserve_ids(self, count: int) -> Sequence[str]:
        """Reserve waybills (GET /waybill/api/bulk/json/; a single one: …/fetch/json/)."""
        params = {"cl": self.client.login_values["client_name"]}
        if count == 1:
            return self.ask(answers.Numbers, "fetch_number", params=params).waybills()
        params["count"] = str(count)
        return self.ask(answers.Numbers, "fetch_numbers", params=params).waybills()

    def track_shipment(self, tracking_id: str) -> Tracking:
        """Return all scans (GET /api/v1/packages/json/)."""
        for found in self._shipments(waybill=tracking_id):
            if found.waybill == tracking_id:
                return found.tracking()
        raise NotFound("no such shipment", courier=self.code, operation="track")

    def track_shipments(self, tracking_ids: Sequence[str]) -> Mapping[str, Tracking]:
        """Return the scans of at most 50 shipments; the unknown ones are missing."""
        ids = self._check_ids(tracking_ids, self.track_size, "track")
        try:
            found = self._shipments(skip_unreadable=True, waybill=",".join(ids))
        except NotFound:
            return {}
        return {one.waybill: one.tracking() for one in found if one.waybill in ids}

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Cancel (POST /api/p/edit): a parcel on its way turns back. May be repeated."""
        return ActionResult(
            remark=self._edit(tracking_id, cancellation="true"),
            status=answers.status_after_cancel(status),
        )

    def cancel_reverse_shipment(
        self, tracking_id: str, *, status: Status | None = None
    ) -> ActionResult:
        """Cancel a return before its pickup."""
        words = self._edit(tracking_id, cancellation="true")
        return ActionResult(remark=words, status=Status.CANCELLED)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Turn an undelivered parcel back: Delhivery has no other call than the cancellation."""
        words = self._edit(tracking_id, cancellation="true")
        return ActionResult(remark=words, status=Status.RTO_REQUESTED)

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change name, phone or address (POST /api/p/edit), never the pincode."""
        changes = {"name": request.name, "add": request.address}
        given = {field: payloads.plain(text) for field, text in changes.items() if text}
        if request.phone:
            given["phone"] = request.phone
        return ActionResult(remark=self._edit(request.tracking_id, **given))

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another attempt (POST /api/p/update): queued, and done or refused later."""
        return self._queue(request.tracking_id, "RE-ATTEMPT")

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        """Ask for another pickup of one return, whose pickup was called off."""
        (tracking_id,) = self._check_ids(request.tracking_ids, 1, "ndr")
        return self._queue(tracking_id, "PICKUP_RESCHEDULE")

    def outcome_of(self, handle: str) -> ActionResult:
        """Return how a queued action ended (GET /api/cmu/get_bulk_upl/{id})."""
        request_id, _, waybill = handle.partition("/")
        answer = self.client.call(
            "ndr_outcome", request_id=request_id, params={"verbose": "true"}, ids=[waybill]
        )
        return answers.outcome_from(answer, waybill, handle)

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Have all parcels of a warehouse fetched on a day (POST /fm/request/new/)."""
        body = {
            "pickup_location": request.pickup.reference,
            "pickup_date": request.date.isoformat(),
            "pickup_time": request.slot or self.pickup_slots[-1],
            "expected_package_count": max(1, request.count),
        }
        try:
            return self.ask(answers.PickupAnswer, "pickup", json=body).result()
        except Rejected as refusal:
            return answers.accept_open_pickup(refusal)

    def get_label(self, tracking_ids: Sequence[str]) -> DocumentLink:
        """Return the link of one label (GET /api/p/packing_slip)."""
        return answers.label_from(self._label(tracking_ids, "true"), tracking_ids[0])

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return what one label says, as Delhivery's own JSON."""
        return answers.label_data_from(self._label(tracking_ids, "false"))

    def get_proof_of_delivery(self, tracking_id: str) -> DocumentLink:
        """Return the link of the proof (GET /api/rest/fetch/pkg/document/)."""
        params = {"doc_type": "EPOD", "waybill": tracking_id}
        try:
            return answers.proof_from(self.client.call("document", params=params), tracking_id)
        except Rejected as refusal:
            raise NotFound(
                "there is no proof", courier=self.code, operation="document",
                courier_message=refusal.courier_message,
            ) from None  # fmt: skip

    def set_ewaybill(self, tracking_id: str, invoice_number: str, number: str) -> None:
        """Give a booked shipment its e-way bill of twelve digits (PUT /api/rest/ewaybill/{id}/)."""
        body = {"data": [{"dcn": invoice_number, "ewbn": number}]}
        self.ask(answers.SuccessAnswer, "ewaybill", waybill=tracking_id, json=body).require(
            "ewaybill"
        )

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a warehouse under its reference, or a new name. One that exists is done."""
        operation = "create_warehouse"
        name = pickup.reference or pickup.new_reference()
        payload = payloads.warehouse_payload(pickup, name)
        try:
            answer = self.ask(answers.SuccessAnswer, operation, json=payload, ids=[name])
            answer.require(operation)
        except Rejected as refusal:
            if refusal.code != "2000":
                raise
        return WarehouseRegistration(name)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        """Return what is offered at a pincode (GET /c/api/pin-codes/json/)."""
        answer = self.client.call("pincodes", params={"filter_codes": pincode})
        found = (one for one in answers.pincodes_from(answer) if one.pincode == pincode)
        return next(found, Serviceability(pincode, serviceable=False))

    def list_serviceability(self) -> Iterator[Serviceability]:
        """Yield every pincode, those under an embargo too."""
        return answers.pincodes_from(self.client.call("pincodes"))

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """Return a quote for Surface and one for Express, with their days."""
        self._refuse(refusals.LIMITS.problems_of(request), "charges")
        return quote_services(
            self.account,
            [request.service] if request.service else refusals.SERVICES,
            prepare=lambda: None,
            price=partial(self._price, request),
            days=partial(self._days, request),
        )

    def _price(self, request: RateRequest, service: str) -> RateQuote:
        params = payloads.charges_params(request, service)
        return answers.quote_from(self.client.call("charges", params=params), service)

    def _days(self, request: RateRequest, service: str) -> DeliveryDays | None:
        """Return the days of delivery, or None if the service is not offered on the lane."""
        tomorrow = india.today() + dt.timedelta(days=1)
        params = {
            "origin_pin": request.pickup_pincode,
            "destination_pin": request.drop_pincode,
            "mot": service[0],
            "pdt": "B2C",
            "expected_pickup_date": f"{tomorrow} 10:00",
        }
        try:
            return self.ask(answers.Transit, "transit", params=params).days()
        except Rejected as refusal:
            words_if_done(refusal, "not serviceable")
            return None

    def _numbers_for(self, request: ShipmentRequest, boxes: int) -> list[str]:
        """Return the waybills of the boxes: the reserved one, and new ones for the others."""
        numbers = [request.reserved_id] if request.reserved_id else []
        if boxes > 1:
            numbers += self.reserve_ids(boxes - len(numbers))
            if len(numbers) != boxes:
                raise self.reader.unknown("fetch_numbers", "there are not enough numbers")
        return numbers

    def _look_up(self, request: ShipmentRequest, doubt: bookings.LookUp) -> Booking:
        """Return the booking that Delhivery has already, if it is this one. Raises `doubt`.

        Raises ReservedIdRefused if the number is another order's. That the search fails proves
        nothing.
        """
        by_number = doubt.by_number and bool(request.reserved_id)
        key = {"waybill": request.reserved_id} if by_number else {"ref_ids": request.order_number}
        try:
            found = self._shipments(**key)
        except CourierError:
            raise doubt from None
        if by_number and all(one.order != request.order_number for one in found):
            raise ReservedIdRefused(
                "the number is another order's", courier=self.code, operation=CREATE
            )
        booking = tracking.booking_among(found, request, payloads.box_count(request))
        if booking is None or (request.reserved_id and booking.tracking_id != request.reserved_id):
            raise doubt
        return booking

    def _shipments(self, *, skip_unreadable: bool = False, **key: str) -> list[tracking.Shipment]:
        answer = self.client.call("track", params={**key, "verbose": "1"})
        return tracking.shipments_from(answer, skip_unreadable=skip_unreadable)

    def _edit(self, waybill: str, **changes: str) -> str:
        answer = self.client.call("edit", json={"waybill": waybill, **changes})
        return answers.edit_from(answer, waybill)

    def _queue(self, waybill: str, act: str) -> ActionResult:
        body = {"data": [{"waybill": waybill, "act": act}]}
        queued = self.ask(answers.Queued, "ndr", json=body)
        return ActionResult(
            ActionState.ACCEPTED, handle=f"{queued.request_id}/{waybill}", remark=queued.message
        )

    def _label(self, tracking_ids: Sequence[str], pdf: str) -> Any:
        (waybill,) = self._check_ids(tracking_ids, 1, "label")
        size = delhivery_tunables().LABEL_SIZE
        return self.client.call("label", params={"wbns": waybill, "pdf": pdf, "pdf_size": size})
