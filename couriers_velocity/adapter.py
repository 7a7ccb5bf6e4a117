"""The courier contract for Velocity: puts the mapper and the HTTP client together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from couriers.contract import india, types
from couriers.contract.actions import ActionResult, ActionState, ReattemptRequest
from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierError, CredentialsRefused, NotFound, OrderKept, Rejected
from couriers.contract.reading import words_if_done
from couriers.contract.statuses import Status
from couriers.contract.words import clean_message
from couriers.http.adapter import BatchTrackingAdapter
from couriers.http.quotes import ask_together
from couriers_velocity.client import MAX_AWBS, VelocityClient
from couriers_velocity.conf import LOGIN_FIELDS, LOGINS, VelocityTunables
from couriers_velocity.mapper import answers, payloads, refusals, tracking
from couriers_velocity.mapper.options import VelocityOptions
from couriers_velocity.mapper.statuses import VELOCITY_MAPPER


class VelocityAdapter(BatchTrackingAdapter):
    """Calls Velocity for one account. It arranges pickup and label when it books, and not later."""

    code = "velocity"
    name = "Velocity"
    mapper = VELOCITY_MAPPER
    client_class = VelocityClient
    tunables = VelocityTunables
    live_hosts = ("shazam.velocity.in",)
    test_hosts = ("shazam.stagingvelocity.in",)
    login_fields = LOGIN_FIELDS
    login_alternatives = LOGINS
    login_identity = ("api_key", "username")
    track_size = MAX_AWBS
    options_model = VelocityOptions
    order_limits = refusals.LIMITS
    booking_problems = staticmethod(refusals.booking_problems)
    # Labels are in a store of Amazon's, whose bucket and region the document does not name.
    document_hosts = ("*.amazonaws.com",)
    action_rules = refusals.ACTION_RULES
    registers_warehouses = True
    # Each call makes another warehouse, and none can be listed.
    warehouse_repeatable = False
    serves_lanes = True
    carriers = ("Blue Dart", "Delhivery", "DTDC", "Ekart", "Shadowfax", "XpressBees")
    capabilities = frozenset(
        {
            Capability.CREATE_SHIPMENT, Capability.CREATE_REVERSE_SHIPMENT, Capability.FIND_BOOKING,
            Capability.TRACK_SHIPMENT, Capability.TRACK_SHIPMENTS, Capability.CANCEL_SHIPMENT,
            Capability.REQUEST_REATTEMPT, Capability.UPDATE_DELIVERY_ADDRESS,
            Capability.REQUEST_RTO, Capability.GET_RATES, Capability.CHECK_SERVICEABILITY,
            Capability.CREATE_WAREHOUSE,
        }
    )  # fmt: skip

    def check_login(self) -> bool:
        """Log in, or search with the key. Changes nothing."""
        return self.client.check_login() or bool(
            self.client.call("find_shipment", json=payloads.search_payload("login-check"))
        )

    @classmethod
    def reference_problem(cls, reference: str) -> str | None:
        """Return why bookings could not use a warehouse's reference, or None."""
        return refusals.reference_problem(reference)

    def create_shipment(self, request: types.ShipmentRequest) -> types.Booking:
        """Book with the carrier of id `service`, or with any.

        Raises OrderKept for a refusal: Velocity may have made the order all the same, without AWB.
        """
        return self._create("create_shipment", request)

    def create_reverse_shipment(self, request: types.ShipmentRequest) -> types.Booking:
        """Book a return. Raises as `create_shipment`."""
        return self._create("create_return", request)

    def find_booking(self, request: types.ShipmentRequest) -> types.Booking | None:
        """Search for the order of exactly this number. Raises OrderKept for one without an AWB."""
        found = self._look_up(request)
        if found is None or (found.was_cancelled and not found.awb):
            return None
        if not found.awb:
            raise answers.kept("find_shipment")
        return types.Booking(
            found.awb, found.awb, found.carrier or "", courier_status=found.status or "",
            order_number=request.order_number,
        )  # fmt: skip

    def track_batch(self, tracking_ids: list[str]) -> Mapping[str, types.Tracking]:
        """Return the status of up to 50 shipments.

        How many a call takes, and what it says of an unknown one, is not known: a batch that is
        refused is asked about in halves. Raises Rejected where all of them are.
        """
        try:
            answer = self.client.call("track", json={"awbs": tracking_ids})
        except CredentialsRefused:
            raise
        except Rejected:
            found: dict[str, types.Tracking] = {}
            half = len(tracking_ids) // 2
            for part in (tracking_ids[:half], tracking_ids[half:]) if half else ():
                with suppress(Rejected):
                    found |= self.track_batch(part)
            if not found:
                raise
            return found
        return tracking.trackings_from(answer, tracking_ids, dt.datetime.now(dt.UTC))

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Ask for a cancellation: accepted, and the shipment's status tells when it is done."""
        try:
            answer = self.ask(answers.Said, "cancel_shipment", json={"awbs": [tracking_id]})
            words = answer.message
        except Rejected as refusal:
            words = words_if_done(refusal, "already")
            words_if_done(refusal, "cancel")
        return ActionResult(ActionState.ACCEPTED, remark=clean_message(words))

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another attempt, on a day of the carrier's."""
        answer = self.ask(answers.Done, "reattempt", json=payloads.reattempt_payload(request))
        return ActionResult(remark=clean_message(answer.message))

    # Velocity takes a change of phone or address with a request for another attempt.
    update_delivery_address = request_reattempt

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Send an undelivered parcel back. Velocity takes no remark."""
        answer = self.ask(answers.Done, "initiate_rto", json={"awb": tracking_id})
        return ActionResult(remark=clean_message(answer.message), status=Status.RTO_REQUESTED)

    def get_rates(self, request: types.RateRequest) -> Sequence[types.RateQuote]:
        """Return a quote in rupees for each carrier, whose id is the service."""
        self._refuse(refusals.LIMITS.problems_of(request), "rates")
        rates = self.ask(answers.Rates, "rates", json=payloads.rates_payload(request))
        return rates.quotes(india.today(), request.service)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> types.Serviceability:
        """Return what is offered on the lane, by three calls at once."""
        calls = [
            partial(self.ask, answers.Lane, "serviceability", json=body)
            for body in payloads.lane_payloads(origin, pincode)
        ]
        found = ask_together(self.account, "serviceability", self.client.ensure_token, calls)
        prepaid, cod, back = [bool(lane.carriers) for lane in found]
        served = prepaid or cod
        return types.Serviceability(pincode, served, cod, forward_drop=served, reverse_pickup=back)

    def create_warehouse(self, pickup: types.Pickup) -> types.WarehouseRegistration:
        """Register a pickup address, once: one that has a reference is registered."""
        if pickup.reference:
            return types.WarehouseRegistration(pickup.reference)
        body = payloads.warehouse_payload(pickup)
        made = self.ask(answers.Registered, "add_warehouse", json=body)
        return types.WarehouseRegistration(f"{made.warehouse_id}/{body['name']}")

    def _create(self, operation: str, request: types.ShipmentRequest) -> types.Booking:
        is_return = operation == "create_return"
        build = payloads.return_payload if is_return else payloads.shipment_payload
        with self.building(operation, request):
            payload = build(request)
        try:
            return answers.booking_from(self.ask(answers.Made, operation, json=payload), operation)
        except (CredentialsRefused, NotFound, OrderKept):
            raise
        except Rejected as refusal:
            words = refusal.courier_message.casefold()
            if "duplicate" in words or ("order" in words and "already exist" in words):
                raise self._explain_duplicate(operation, request) from None
            raise OrderKept.from_refusal(refusal) from None

    def _explain_duplicate(self, operation: str, request: types.ShipmentRequest) -> CourierError:
        """Return the error for an order number that Velocity has already.

        Only if that order was cancelled, or has no AWB, it is surely no parcel.
        """
        with suppress(CourierError):
            found = self._look_up(request)
            if found is not None and found.was_cancelled:
                message = "Velocity has the number of a cancelled order: book under another one"
                return self.reader.rejection(operation, "", message)
            if found is not None and not found.awb:
                return answers.kept(operation)
        return self.reader.unknown(operation, "Velocity has an order of this number already")

    def _look_up(self, request: types.ShipmentRequest) -> answers.FoundOrder | None:
        is_return = request.direction == types.Direction.REVERSE
        operation = "find_return" if is_return else "find_shipment"
        body = payloads.search_payload(request.order_number)
        found = self.ask(answers.Found, operation, json=body)
        return found.order(request.order_number, operation)
