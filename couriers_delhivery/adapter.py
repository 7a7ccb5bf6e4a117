"""The courier contract for Delhivery: puts the mapper and the HTTP client together."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from couriers.contract import actions, errors, india, types
from couriers.contract.actions import ActionResult
from couriers.contract.adapter import Capability
from couriers.contract.documents import DocumentLink
from couriers.contract.found_bookings import FoundBooking, booking_taken, search_booking
from couriers.contract.logins import LoginField
from couriers.contract.payloads import given
from couriers.contract.reading import words_if_done
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.http.adapter import BatchTrackingAdapter
from couriers.http.quotes import DeliveryDays
from couriers_delhivery.client import DelhiveryClient
from couriers_delhivery.conf import DelhiveryTunables
from couriers_delhivery.mapper import answers, payloads, refusals, tracking
from couriers_delhivery.mapper.options import DelhiveryOptions
from couriers_delhivery.mapper.statuses import DELHIVERY_MAPPER

NAME_EXISTS = "2000"
_OPEN_PICKUPS = ("already exist", "pr_exist: true", "auto pickup")


class DelhiveryAdapter(BatchTrackingAdapter):
    """Calls Delhivery (B2C) for one account. Each booking has a number that was reserved before."""

    code = "delhivery"
    name = "Delhivery"
    mapper = DELHIVERY_MAPPER
    client_class = DelhiveryClient
    tunables = DelhiveryTunables
    test_hosts = ("staging-express.delhivery.com",)
    live_hosts = ("track.delhivery.com",)
    login_fields = (
        LoginField("api_token", "API token", help="Test and live have different ones."),
        LoginField("client_name", "Client name", secret=False, help="As Delhivery registered it."),
    )
    login_identity = ("client_name",)
    options_model = DelhiveryOptions
    order_limits = refusals.LIMITS
    booking_problems = staticmethod(refusals.booking_problems)
    action_rules = refusals.ACTION_RULES
    pickup_scope = actions.PickupScope.WAREHOUSE
    pickup_slots = ("10:00:00", "14:00:00", "18:00:00")
    registers_warehouses = True
    create_operations = (answers.CREATE,)  # labels take longer
    label_size = 1
    track_size = 50
    # Five batches in five minutes are all that Delhivery gives, so each is a large one.
    reserve_size = 2000
    # A search shows a new shipment within a minute (documented as "at least a minute apart").
    lookup_lag = 90.0
    document_hosts = ("*.amazonaws.com", "*.delhivery.com")
    capabilities = frozenset(Capability) - {
        Capability.CREATE_MANIFEST, Capability.LABEL_DATA, Capability.TRACK_WAYBILL,
        Capability.REGISTER_WEBHOOKS,
    }  # fmt: skip

    def check_login(self) -> bool:
        """Ask for a pincode, which needs the key and changes nothing."""
        self.check_serviceability("110001")
        return True

    def create_shipment(self, request: types.ShipmentRequest) -> types.Booking:
        """Book. The other boxes of a shipment of several get numbers that are reserved just now."""
        boxes = DelhiveryOptions.of(request).box_count
        with self.building(answers.CREATE, request):
            form = payloads.create_form(request, self.numbers_for(request, boxes))
        body = self.client.call(answers.CREATE, form=form, ids=[request.pickup.reference])
        try:
            return answers.booking_from(body, request, boxes)
        except errors.OrderTaken as doubt:
            return booking_taken(self.reader, self._find, request, doubt)

    # A return is the same call, with payment mode Pickup.
    create_reverse_shipment = create_shipment

    def find_booking(self, request: types.ShipmentRequest) -> types.Booking | None:
        boxes = DelhiveryOptions.of(request).box_count
        return search_booking(self.reader, self._find, request, boxes=boxes)

    def reserve_ids(self, count: int) -> Sequence[str]:
        params = {"cl": self.client.login_values["client_name"]}
        if count > 1:
            params["count"] = str(count)
        operation = "fetch_number" if count == 1 else "fetch_numbers"
        numbers: list[str] = self.client.call(operation, params=params).get("numbers", [])
        return numbers

    def track_batch(self, tracking_ids: list[str]) -> Mapping[str, types.Tracking]:
        params = {"waybill": ",".join(tracking_ids)}
        return tracking.trackings_from(self.client.call("track", params=params))

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Cancel: a parcel on its way turns back. Delhivery answers a repetition alike."""
        follows = Status.CANCELLED if status in AWAITING_PICKUP else Status.RTO_REQUESTED
        return self._edit(tracking_id, status and follows, cancellation="true")

    # A return is in one of PICKUP's statuses then.
    cancel_reverse_shipment = cancel_shipment

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Cancel the undelivered parcel: Delhivery has no other call that turns it back."""
        return self.cancel_shipment(tracking_id, status=Status.UNDELIVERED)

    def update_delivery_address(self, request: actions.ReattemptRequest) -> ActionResult:
        """Change name, phone or address, never the pincode."""
        name, address = payloads.plain(request.name), payloads.plain(request.address)
        changes = given(name=name, phone=request.phone, add=address)
        return self._edit(request.tracking_id, None, **changes)

    def request_reattempt(self, request: actions.ReattemptRequest) -> ActionResult:
        return self._queue(request.tracking_id, "RE-ATTEMPT")

    def schedule_reverse_pickup(self, request: actions.PickupRequest) -> ActionResult:
        """Ask for another pickup of one return, whose pickup was called off."""
        (tracking_id,) = self._check_ids(request.tracking_ids, 1, "ndr")
        return self._queue(tracking_id, "PICKUP_RESCHEDULE")

    def outcome_of(self, handle: str) -> ActionResult:
        request_id, _, waybill = handle.partition("/")
        body = self.client.call("ndr_outcome", request_id=request_id, params={"verbose": "true"})
        return answers.outcome_from(body, waybill, handle)

    def schedule_pickup(self, request: actions.PickupRequest) -> ActionResult:
        """Have all parcels of a warehouse fetched on a day. One that is open already is done."""
        body = {
            "pickup_location": request.pickup.reference,
            "pickup_date": request.date.isoformat(),
            "pickup_time": request.slot or self.pickup_slots[-1],
            "expected_package_count": max(1, request.count),
        }
        try:
            return self.ask(answers.Pickup, "pickup", json=body).result()
        except errors.Rejected as refusal:
            return ActionResult(remark=words_if_done(refusal, *_OPEN_PICKUPS))

    def get_label(self, tracking_ids: Sequence[str]) -> DocumentLink:
        (waybill,) = self._check_ids(tracking_ids, 1, "label")
        size = DelhiveryTunables.of(self.code).LABEL_SIZE
        params = {"wbns": waybill, "pdf": "true", "pdf_size": size}
        return answers.label_from(self.client.call("label", params=params), waybill)

    def get_proof_of_delivery(self, tracking_id: str) -> DocumentLink:
        params = {"doc_type": "EPOD", "waybill": tracking_id}
        return answers.proof_from(self.client.call("document", params=params), tracking_id)

    def create_warehouse(self, pickup: types.Pickup) -> types.WarehouseRegistration:
        """Register a warehouse under its reference, or a new name. One that exists is done."""
        name = pickup.reference or pickup.new_reference()
        body = payloads.warehouse_payload(pickup, name)
        try:
            self.ask_accepted(answers.Done, "create_warehouse", json=body, ids=[name])
        except errors.Rejected as refusal:
            if refusal.code != NAME_EXISTS:
                raise
        return types.WarehouseRegistration(name)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> types.Serviceability:
        answer = self.client.call("pincodes", params={"filter_codes": pincode})
        found = (one for one in answers.pincodes_from(answer) if one.pincode == pincode)
        return next(found, types.Serviceability(pincode, serviceable=False))

    def list_serviceability(self) -> Iterator[types.Serviceability]:
        return answers.pincodes_from(self.client.call("pincodes"))

    def get_rates(self, request: types.RateRequest) -> Sequence[types.RateQuote]:
        return self.quote_services(request, "charges", price=self._price, days=self._days)

    def _price(self, request: types.RateRequest, service: str) -> types.RateQuote:
        params = payloads.charges_params(request, service)
        return answers.quote_from(self.client.call("charges", params=params), service)

    def _days(self, request: types.RateRequest, service: str) -> DeliveryDays | None:
        tomorrow = india.today() + dt.timedelta(days=1)
        lane = {"origin_pin": request.pickup_pincode, "destination_pin": request.drop_pincode}
        when = {"pdt": "B2C", "expected_pickup_date": f"{tomorrow} 10:00", "mot": service[0]}
        try:
            return answers.days_from(self.client.call("transit", params=lane | when))
        except errors.Rejected as refusal:
            words_if_done(refusal, "not serviceable")
            return None  # not offered on the lane

    def _find(self, order_number: str, waybill: str = "") -> list[FoundBooking]:
        """Search for an order, or track a waybill where one is given. Raises NotFound."""
        key = {"waybill": waybill} if waybill else {"ref_ids": order_number}
        return tracking.bookings_from(self.client.call("track", params=key))

    def _edit(self, waybill: str, status: Status | None, **changes: str) -> ActionResult:
        answer = self.ask_accepted(answers.Done, "edit", json={"waybill": waybill, **changes})
        if answer.waybill not in ("", waybill):
            raise self.reader.unknown("edit", "the answer is about another shipment")
        return ActionResult(remark=answer.remark, status=status)

    def _queue(self, waybill: str, act: str) -> ActionResult:
        """Ask for what is done later: `outcome_of` gets its number and the waybill."""
        body = {"data": [{"waybill": waybill, "act": act}]}
        queued = self.ask(answers.Queued, "ndr", json=body)
        handle = f"{queued.request_id}/{waybill}"
        return ActionResult(actions.ActionState.ACCEPTED, handle=handle, remark=queued.message)
