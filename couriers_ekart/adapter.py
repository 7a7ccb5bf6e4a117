"""The courier contract for Ekart: puts the mapper and the HTTP client together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from couriers.contract import india
from couriers.contract.accounts import Account
from couriers.contract.actions import ActionResult, PickupRequest, ReattemptRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.documents import Document, ManifestDocument
from couriers.contract.errors import (
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSupported,
    Rejected,
    UnknownPickupAlias,
)
from couriers.contract.logs import get_logger
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
from couriers.http.preparation import before_sending
from couriers.resilience import bulkhead
from couriers.resilience.threads import call_in_parallel
from couriers_ekart import warehouses
from couriers_ekart.conf import EkartTunables, ekart_tunables
from couriers_ekart.mapper import answers, documents, payloads, refusals
from couriers_ekart.mapper.history import history_from
from couriers_ekart.mapper.options import parse_options
from couriers_ekart.mapper.statuses import EKART_MAPPER
from couriers_ekart.wire.client import EkartClient
from couriers_ekart.wire.limits import DEFAULT_LIMITS, MAX_IDS

log = get_logger(__name__)

DeliveryDays = tuple[int | None, int | None]  # fewest and most; None where Ekart does not say


class EkartAdapter(BaseCourierAdapter):
    """Calls Ekart for one account.

    Ekart has no proof of delivery. It schedules the pickup itself when a shipment is created,
    unless the shipment is created with `delayed_dispatch`.
    """

    code = "ekart"
    name = "Ekart"
    mapper = EKART_MAPPER
    default_limits = DEFAULT_LIMITS
    tunables = EkartTunables
    # Ekart gives a client id at onboarding. Its webhooks are the client's, whoever logs in.
    login_identity = ("client_id",)
    manifest_size = MAX_IDS
    capabilities = frozenset(Capability) - {
        Capability.GET_PROOF_OF_DELIVERY,
        Capability.TRACK_SHIPMENTS,
        Capability.FIND_BOOKING,
        Capability.RESERVE_IDS,
        Capability.OUTCOME_OF,
        Capability.REGISTER_WEBHOOKS,
    }

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.client = EkartClient(account)

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds."""
        return ekart_tunables().longest_call()

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check the options against EkartOptions. Raises InvalidRequest, naming `options.…`."""
        _, problems = parse_options(options)
        self._refuse(problems, "create_shipment")
        return options

    def check_request(self, request: ShipmentRequest) -> None:
        """Raise InvalidRequest, naming every field that Ekart would refuse. Makes no call."""
        self._refuse(refusals.booking_problems(request, india.today()), "create_shipment")

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book (PUT /api/v1/package/create), and register the warehouse if Ekart does not know it.

        Raises InvalidRequest before any call, and every class of couriers.contract.errors.
        """
        with before_sending(self.code, "create_shipment", "the booking could not be checked"):
            self.check_request(request)
        request, registered = self._with_registration(request)
        try:
            return self._create(request, registered)
        except UnknownPickupAlias:
            if not registered:
                raise
        # Ekart no longer knows the alias: register the warehouse again, then send once more.
        request = self._register(request)
        try:
            return self._create(request, registered=bool(request.pickup.reference))
        except UnknownPickupAlias as error:
            warehouses.mark_unregistered(self.account, request.pickup, error)
            raise

    def create_reverse_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a return: the same call with payment mode Pickup."""
        return self.create_shipment(request)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """Return all scans (GET /api/v1/track/{id})."""
        return answers.tracking_from(self.client.track(tracking_id))

    def track_waybill(self, waybill: str) -> Tracking:
        """Return the network's own history (GET /data/v1/elite/track/{wbn}), large or not."""
        return history_from(self.client.raw_track(waybill), waybill)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """Return a quote in rupees for SURFACE and one for EXPRESS, with the days of delivery.

        The price comes from the estimate (POST /data/pricing/estimate), the days from the lane
        (POST /data/v3/serviceability); all calls are made at once. A service that is not offered on
        the lane has no quote. If one service is refused, the other still has its quote; if all are,
        Rejected is raised. A failed call for the days leaves the price without days.
        """
        services = self._services(request)
        calls: list[Callable[[], Any]] = []
        for service in services:
            calls += [
                partial(self._estimate, request, service),
                partial(self._delivery_days, request, service),
            ]
        with bulkhead.hold_place(self.account, "estimate"):
            self.client.ensure_token()
            results = call_in_parallel(calls, name="ekart")
        quotes, refused = [], []
        for service, price, days in zip(services, results[::2], results[1::2], strict=True):
            if days is None:
                continue
            if isinstance(price, Rejected):
                refused.append(price)
                continue
            quote = answers.quote_from(price, service)
            quotes.append(dataclasses.replace(quote, min_days=days[0], max_days=days[1]))
        if refused and not quotes:
            raise refused[0]
        return quotes

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Cancel (DELETE /api/v1/package/cancel); a shipment that is already cancelled is done."""
        try:
            answer = self.client.cancel_shipment(tracking_id)
        except Rejected as refusal:
            return answers.accept_already_cancelled(refusal)
        return answers.cancellation_from(answer, tracking_id)

    def cancel_reverse_shipment(
        self, tracking_id: str, *, status: Status | None = None
    ) -> ActionResult:
        """Cancel a return: the same call."""
        return self.cancel_shipment(tracking_id, status=status)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        """Return what Ekart offers at a pincode (GET /api/v2/serviceability/{pincode})."""
        return answers.serviceability_from(self.client.serviceability(pincode), pincode)

    def list_serviceability(self) -> Iterator[Serviceability]:
        """Yield every pincode (GET /data/serviceability/bulk/{type}).

        The type is a setting of the deployment, because all accounts share the stored list.
        """
        kind = ekart_tunables().SERVICEABILITY_TYPE
        return answers.bulk_serviceability_from(self.client.bulk_serviceability(kind))

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address (POST /api/v2/address) under its reference, or a new alias.

        An alias that exists already is done.
        """
        alias = pickup.reference or warehouses.alias_for(pickup)
        try:
            answer = self.client.add_address(payloads.address_payload(pickup, alias))
        except Rejected as refusal:
            return answers.accept_already_registered(refusal, alias)
        return answers.registration_from(answer, alias)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another attempt (POST /api/v2/package/ndr), tomorrow to seven days ahead."""
        self._refuse(refusals.reattempt_problems(request, india.today()), "ndr")
        return answers.ndr_from(self.client.ndr(payloads.reattempt_payload(request)))

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change phone or address: Ekart takes the change with a request for another attempt."""
        if not request.phone and not request.address:
            self._refuse([FieldProblem("address", "give an address, a phone or both")], "ndr")
        return self.request_reattempt(request)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Send an undelivered parcel back (POST /api/v2/package/ndr)."""
        return answers.ndr_from(self.client.ndr(payloads.rto_payload(tracking_id, remark)))

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """Make a manifest (POST /data/v2/generate/manifest) of 1 to 100 different ids."""
        ids = _unique(tracking_ids)
        if not 0 < len(ids) <= MAX_IDS:
            self._refuse([FieldProblem("tracking_ids", f"must be 1 to {MAX_IDS}")], "manifest")
        return answers.manifest_from(self.client.manifest(ids))

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Set the dispatch date (POST /data/shipment/dispatch-date) of delayed shipments.

        Raises NotSupported if one was not booked with `delayed_dispatch`, because its pickup was
        scheduled when it was created, and Rejected naming the ids that Ekart refused.
        """
        ids = self._delayed_ids(request)
        self._refuse(
            refusals.dispatch_date_problems(request.date, india.today()), "set_dispatch_date"
        )
        refused: list[tuple[str, str]] = []
        for chunk in _chunks(ids):
            answer = self.client.set_dispatch_date(payloads.dispatch_payload(chunk, request.date))
            refused += answers.dispatch_refusals_from(answer, chunk)
        if refused:
            raise Rejected(
                f"refused for {len(refused)} of {len(ids)}: "
                + ", ".join(one for one, _ in refused[:20]),
                courier=self.code,
                operation="set_dispatch_date",
                courier_message=refused[0][1],
            )
        return ActionResult(remark=f"pickup on {request.date.isoformat()}")

    def schedule_reverse_pickup(self, request: PickupRequest) -> ActionResult:
        """Set the dispatch date of returns: the same call."""
        return self.schedule_pickup(request)

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        """Return the labels as one PDF in this order (POST /api/v1/package/label, 100 a call)."""
        ids = self._unique_ids(tracking_ids, "label")
        return documents.merge_labels([self._label(chunk) for chunk in _chunks(ids)])

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return what the labels say, as Ekart's own JSON (the same call with json_only)."""
        ids = self._unique_ids(tracking_ids, "label")
        return [
            label
            for chunk in _chunks(ids)
            for label in answers.label_data_from(self.client.label_data(chunk))
        ]

    def _create(self, request: ShipmentRequest, registered: bool) -> Booking:
        with before_sending(self.code, "create_shipment", "the request body could not be built"):
            payload = payloads.shipment_payload(request, registered=registered)
        return answers.booking_from(self.client.create_shipment(payload))

    def _with_registration(self, request: ShipmentRequest) -> tuple[ShipmentRequest, bool]:
        """Return the request with the alias of its warehouse, and whether there is an alias."""
        if not request.pickup.reference:
            request = self._register(request)
        return request, bool(request.pickup.reference)

    def _register(self, request: ShipmentRequest) -> ShipmentRequest:
        pickup = request.pickup
        alias = warehouses.ensure_registered(self.account, pickup, self.create_warehouse)
        return dataclasses.replace(request, pickup=dataclasses.replace(pickup, reference=alias))

    def _services(self, request: RateRequest) -> Sequence[str]:
        """Return the services to price. Raises InvalidRequest for what a booking would refuse."""
        self._refuse(refusals.rate_problems(request), "estimate")
        return [request.service] if request.service else refusals.SERVICES

    def _estimate(self, request: RateRequest, service: str) -> Any:
        """Return the answer to the estimate, or the Rejected of this service."""
        client_type = self.account.settings.get(
            "billing_client_type", ekart_tunables().BILLING_CLIENT_TYPE
        )
        payload = payloads.estimate_payload(request, service, client_type)
        try:
            return self.client.estimate(payload)
        except Rejected as refusal:
            log.warning("estimate_refused", account=self.account.pk, error=str(refusal))
            return refusal

    def _delivery_days(self, request: RateRequest, service: str) -> DeliveryDays | None:
        """Return the days of delivery, or None if the service is not offered on the lane."""
        payload = payloads.lane_payload(request, service)
        try:
            return answers.delivery_days_from(self.client.lane_serviceability(payload))
        except CourierError as error:
            # A failure must not read as "not serviceable": the price is shown without days.
            log.warning("delivery_days_failed", account=self.account.pk, error=str(error))
            return None, None

    def _label(self, ids: list[str]) -> bytes:
        answer = self.client.label(ids)
        if not isinstance(answer, bytes):
            raise answers.label_error(answer)
        return answer

    def _delayed_ids(self, request: PickupRequest) -> list[str]:
        """Return the ids. Raises NotSupported unless all were booked with `delayed_dispatch`."""
        ids = self._unique_ids(request.tracking_ids, "set_dispatch_date")
        options_by_id = dict(zip(request.tracking_ids, request.options, strict=False))
        if not all(options_by_id.get(one, {}).get("delayed_dispatch") for one in ids):
            raise NotSupported(
                "Ekart schedules the pickup when a shipment is created; a day can be set later "
                "only for a shipment that was booked with options.delayed_dispatch",
                courier=self.code,
                operation="set_dispatch_date",
            )
        return ids

    def _unique_ids(self, tracking_ids: Iterable[str], operation: str) -> list[str]:
        """Return each id once. Raises InvalidRequest if there are none."""
        ids = _unique(tracking_ids)
        if not ids:
            self._refuse([FieldProblem("tracking_ids", "are missing")], operation)
        return ids

    def _refuse(self, problems: Sequence[FieldProblem], operation: str) -> None:
        """Raise InvalidRequest if there are problems."""
        if problems:
            raise InvalidRequest(problems, courier=self.code, operation=operation)


def _unique(ids: Iterable[str]) -> list[str]:
    """Return each id once, in the order given: Ekart refuses repeats."""
    return list(dict.fromkeys(ids))


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]
