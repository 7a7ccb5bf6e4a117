"""Ekart behind the courier contract: puts the mapper and the client together."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from django.utils import timezone

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.errors import (
    CourierError,
    FieldProblem,
    InvalidRequest,
    NotSupported,
    Rejected,
    UnknownPickupAlias,
)
from couriers.contract.types import (
    ActionResult,
    Booking,
    Document,
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
from couriers.resilience.threads import side_by_side
from couriers_ekart import warehouses
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.mapper import (
    MAX_IDS,
    SERVICES,
    answers,
    documents,
    payloads,
    refusals,
    today_in_india,
)
from couriers_ekart.mapper.history import history_from
from couriers_ekart.mapper.options import options_from
from couriers_ekart.mapper.statuses import EKART_MAPPER
from couriers_ekart.wire.client import EkartClient
from couriers_ekart.wire.limits import DEFAULT_LIMITS
from couriers_ekart.wire.unsent import before_sending

log = structlog.get_logger(__name__)


class EkartAdapter(BaseCourierAdapter):
    """One account's way to Ekart.

    Ekart has no proof of delivery, and schedules the pickup itself when a shipment is created,
    unless it is created with `delayed_dispatch`.
    """

    code = "ekart"
    name = "Ekart"
    mapper = EKART_MAPPER
    default_limits = DEFAULT_LIMITS
    manifest_size = MAX_IDS
    capabilities = frozenset(Capability) - {Capability.GET_PROOF_OF_DELIVERY}

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.client = EkartClient(account)

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds.

        This is the time to connect and to read the answer, and a second read time-out as a margin.
        """
        times = ekart_tunables()
        return times.CONNECT_TIMEOUT + 2 * times.READ_TIMEOUT

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check the options by EkartOptions; InvalidRequest names `options.…`."""
        _, problems = options_from(options)
        self._refuse(problems, "create_shipment")
        return options

    def check_request(self, request: ShipmentRequest) -> None:
        """Refuse what Ekart would refuse: GSTIN, COD, weight, e-way bill, dates, options."""
        self._refuse(refusals.check(request, _today()), "create_shipment")

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book (PUT /api/v1/package/create), registering the warehouse where Ekart lacks it."""
        with before_sending("create_shipment", "the booking could not be prepared"):
            self.check_request(request)
        request, registered = self._with_registration(request)
        try:
            return self._create(request, registered)
        except UnknownPickupAlias:
            # Forgotten or deleted at Ekart: register it again, then send once more.
            if not registered:
                raise
        reference = warehouses.register(self.account, request.pickup, self.create_warehouse)
        request = _with_reference(request, reference)
        return self._create(request, bool(reference))

    def create_reverse_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a return: the same call with payment mode Pickup."""
        return self.create_shipment(request)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """All scans (GET /api/v1/track/{id})."""
        return answers.tracking_from(self.client.track(tracking_id))

    def track_waybill(self, waybill: str) -> Tracking:
        """The network's own history (GET /data/v1/elite/track/{wbn}), large or not."""
        return history_from(self.client.raw_track(waybill), waybill)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """A quote for SURFACE and one for EXPRESS, with the lane's days of delivery.

        The price is the estimate's (POST /data/pricing/estimate), the days are the lane's (POST
        /data/v3/serviceability); all are asked at once. A service that nobody offers on the lane
        has no quote, and one that is refused none where the other has one. Days that cannot be had
        leave the price as it is, without them.
        """
        if request.service:
            self._refuse(_service_problem(request.service), "estimate")
        services = [request.service] if request.service else list(SERVICES)
        client_type = self.account.settings.get(
            "billing_client_type", ekart_tunables().BILLING_CLIENT_TYPE
        )
        asked: list[Callable[[], Any]] = []
        for service in services:
            estimate = payloads.estimate_payload(request, service, client_type)
            lane = payloads.lane_payload(request, service)
            asked += [partial(self._price, estimate), partial(self._days, lane)]
        self.client.authorise()
        found = side_by_side(asked, name="ekart")
        quotes, refused = [], []
        for service, price, days in zip(services, found[::2], found[1::2], strict=True):
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

    def cancel_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel (DELETE /api/v1/package/cancel); already cancelled is done."""
        try:
            answer = self.client.cancel_shipment(tracking_id)
        except Rejected as refusal:
            return answers.cancelled_already(refusal)
        return answers.cancel_from(answer, tracking_id)

    def cancel_reverse_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a return: the same call."""
        return self.cancel_shipment(tracking_id)

    def check_serviceability(self, pincode: str) -> Serviceability:
        """What Ekart does at a pincode (GET /api/v2/serviceability/{pincode})."""
        return answers.serviceability_from(self.client.serviceability(pincode), pincode)

    def list_serviceability(self) -> Iterator[Serviceability]:
        """Every pincode (GET /data/serviceability/bulk/{type}).

        The type is the deployment's, for the list is kept for all accounts together.
        """
        kind = ekart_tunables().SERVICEABILITY_TYPE
        return answers.bulk_serviceability_from(self.client.bulk_serviceability(kind))

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address (POST /api/v2/address) under its alias, or a new one.

        An alias that exists is done.
        """
        alias = pickup.reference or warehouses.alias_for(pickup)
        try:
            answer = self.client.add_address(payloads.address_payload(pickup, alias))
        except Rejected as refusal:
            return answers.registered_already(refusal, alias)
        return answers.registration_from(answer, alias)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another attempt (POST /api/v2/package/ndr), tomorrow to seven days ahead."""
        self._refuse(refusals.check_reattempt(request, _today()), "ndr")
        return answers.ndr_from(self.client.ndr(payloads.reattempt_payload(request)))

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change phone or address: with Ekart that rides on another attempt."""
        if not request.phone and not request.address:
            self._refuse([FieldProblem("address", "give an address, a phone or both")], "ndr")
        return self.request_reattempt(request)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Send an undelivered parcel back (POST /api/v2/package/ndr)."""
        return answers.ndr_from(self.client.ndr(payloads.rto_payload(tracking_id, remark)))

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """A manifest (POST /data/v2/generate/manifest) of 1 to 100 different ids."""
        ids = _unique(tracking_ids)
        if not 0 < len(ids) <= MAX_IDS:
            self._refuse([FieldProblem("tracking_ids", f"must be 1 to {MAX_IDS}")], "manifest")
        return answers.manifest_from(self.client.manifest(ids))

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Set the dispatch date (POST /data/shipment/dispatch-date) of delayed shipments.

        Raises NotSupported where one was not booked with `delayed_dispatch`: its pickup was
        scheduled when it was created.
        """
        ids = self._delayed(request)
        self._refuse(refusals.check_dispatch_date(request.date, _today()), "set_dispatch_date")
        refused: list[tuple[str, str]] = []
        for part in _parts(ids):
            answer = self.client.set_dispatch_date(payloads.dispatch_payload(part, request.date))
            refused += answers.dispatch_refusals_from(answer, part)
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
        """The same for returns."""
        return self.schedule_pickup(request)

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        """The labels as one PDF (POST /api/v1/package/label), a hundred a call, in this order."""
        ids = self._wanted(tracking_ids)
        return documents.merged([self._labels(part) for part in _parts(ids)])

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """What the labels say, as Ekart's own JSON (the same call with json_only)."""
        ids = self._wanted(tracking_ids)
        return [
            label
            for part in _parts(ids)
            for label in answers.label_data_from(self.client.label_data(part))
        ]

    def _labels(self, ids: list[str]) -> bytes:
        answer = self.client.label(ids)
        if not isinstance(answer, bytes):
            raise answers.label_failure(answer)
        return answer

    def _price(self, payload: Mapping[str, Any]) -> Any:
        """The estimate, or its refusal: that of one service says nothing of another."""
        try:
            return self.client.estimate(payload)
        except Rejected as refusal:
            log.warning("estimate_refused", account=self.account.pk, error=str(refusal))
            return refusal

    def _days(self, payload: Mapping[str, Any]) -> tuple[int | None, int | None] | None:
        try:
            return answers.days_from(self.client.lane_serviceability(payload))
        except CourierError as error:
            # A price without days is better than none; it is never read as "not serviceable".
            log.warning("lane_days_unknown", account=self.account.pk, error=str(error))
            return None, None

    def _create(self, request: ShipmentRequest, registered: bool) -> Booking:
        with before_sending("create_shipment", "the booking could not be written out"):
            payload = payloads.shipment_payload(request, registered=registered)
        return answers.booking_from(self.client.create_shipment(payload))

    def _with_registration(self, request: ShipmentRequest) -> tuple[ShipmentRequest, bool]:
        if request.pickup.reference:
            return request, True
        reference = warehouses.register(self.account, request.pickup, self.create_warehouse)
        return _with_reference(request, reference), bool(reference)

    def _delayed(self, request: PickupRequest) -> list[str]:
        ids = self._wanted(request.tracking_ids)
        given = dict(zip(request.tracking_ids, request.options, strict=False))
        if not all(given.get(one, {}).get("delayed_dispatch") for one in ids):
            raise NotSupported(
                "Ekart schedules the pickup when a shipment is created; a day can be set later "
                "only for one that was booked with options.delayed_dispatch",
                courier=self.code,
                operation="set_dispatch_date",
            )
        return ids

    def _wanted(self, tracking_ids: Iterable[str]) -> list[str]:
        ids = _unique(tracking_ids)
        if not ids:
            self._refuse([FieldProblem("tracking_ids", "are missing")], "label")
        return ids

    def _refuse(self, problems: Sequence[FieldProblem], operation: str) -> None:
        if problems:
            raise InvalidRequest(problems, courier=self.code, operation=operation)


def _today() -> dt.date:
    return today_in_india(timezone.now())


def _unique(ids: Iterable[str]) -> list[str]:
    """Each once, in the order asked: Ekart refuses repeats."""
    return list(dict.fromkeys(ids))


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]


def _service_problem(service: str) -> list[FieldProblem]:
    if service in SERVICES:
        return []
    return [FieldProblem("service", f"is not one of {', '.join(SERVICES)}")]


def _with_reference(request: ShipmentRequest, reference: str) -> ShipmentRequest:
    return dataclasses.replace(
        request, pickup=dataclasses.replace(request.pickup, reference=reference)
    )
