"""The courier contract for Ekart: puts the mapper and the HTTP client together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from couriers.contract import india
from couriers.contract.actions import ActionResult, PickupRequest, ReattemptRequest
from couriers.contract.adapter import Capability
from couriers.contract.documents import Document, ManifestDocument
from couriers.contract.errors import FieldProblem, Rejected
from couriers.contract.logins import RegisteredWebhook, Webhook
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
from couriers.http.quotes import DeliveryDays
from couriers_ekart import callback_urls
from couriers_ekart.client import MAX_IDS, EkartClient
from couriers_ekart.conf import LOGIN_FIELDS, EkartTunables
from couriers_ekart.mapper import answers, payloads, refusals, tracking
from couriers_ekart.mapper.options import EkartOptions
from couriers_ekart.mapper.statuses import EKART_MAPPER


class EkartAdapter(HttpAdapter):
    """Calls Ekart for one account.

    Ekart has no proof of delivery. It schedules the pickup itself when a shipment is created,
    unless the shipment is created with `delayed_dispatch`.
    """

    code = "ekart"
    name = "Ekart"
    mapper = EKART_MAPPER
    client_class = EkartClient
    tunables = EkartTunables
    live_hosts = ("app.elite.ekartlogistics.in",)
    login_fields = LOGIN_FIELDS
    # Webhooks are the client's, whoever logs in.
    login_identity = ("client_id",)
    manifest_size = label_size = MAX_IDS
    options_model = EkartOptions
    order_limits = refusals.LIMITS
    # The document does not say where manifests are. Ekart's own files are at these.
    document_hosts = ("*.ekartlogistics.in", "storage.googleapis.com")
    action_rules = refusals.ACTION_RULES
    registers_warehouses = True
    books_without_registration = True
    capabilities = frozenset(Capability) - {
        Capability.GET_PROOF_OF_DELIVERY,
        Capability.TRACK_SHIPMENTS,
        Capability.FIND_BOOKING,
        Capability.RESERVE_IDS,
        Capability.OUTCOME_OF,
    }

    def booking_problems(self, request: ShipmentRequest) -> Sequence[FieldProblem]:
        """Return what Ekart would refuse, which depends on the day in India."""
        return refusals.booking_problems(request, india.today())

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book (PUT /api/v1/package/create). Raises InvalidRequest before any call.

        A warehouse without a reference is sent with its whole address.
        """
        with self.building("create_shipment", request):
            payload = payloads.shipment_payload(request)
        alias = request.pickup.reference
        ids = [alias] if alias else []
        return answers.booking_from(self.client.call("create_shipment", json=payload, ids=ids))

    # A return is the same call, with payment mode Pickup.
    create_reverse_shipment = create_shipment

    def track_shipment(self, tracking_id: str) -> Tracking:
        """Return all scans (GET /api/v1/track/{id})."""
        return tracking.tracking_from(self.client.call("track", tracking_id=tracking_id))

    def track_waybill(self, waybill: str) -> Tracking:
        """Return the network's own history (GET /data/v1/elite/track/{wbn}), large or not."""
        return tracking.history_from(self.client.call("raw_track", waybill=waybill), waybill)

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """Return a quote in rupees for SURFACE and one for EXPRESS, with the days of delivery.

        The price comes from the estimate (POST /data/pricing/estimate), the days from the lane
        (POST /data/v3/serviceability). Raises InvalidRequest for what a booking would refuse.
        """
        return self.quote_services(request, "estimate", price=self._price, days=self._delivery_days)

    def cancel_shipment(self, tracking_id: str, *, status: Status | None = None) -> ActionResult:
        """Cancel (DELETE /api/v1/package/cancel); a shipment that is already cancelled is done.

        A parcel that was picked up travels back; one that was not has ended.
        """
        try:
            answer = self.client.call("cancel_shipment", params={"tracking_id": tracking_id})
            return answers.cancellation_from(answer, tracking_id, status)
        except Rejected as refusal:
            return answers.accept_already_cancelled(refusal, status)

    cancel_reverse_shipment = cancel_shipment

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        """Return what Ekart offers at a pincode (GET /api/v2/serviceability/{pincode})."""
        return answers.serviceability_from(
            self.client.call("serviceability", pincode=pincode), pincode
        )

    def list_serviceability(self) -> Iterator[Serviceability]:
        """Yield every pincode (GET /data/serviceability/bulk/{type}).

        The type is a setting of the deployment, because all accounts share the stored list.
        """
        kind = EkartTunables.of(self.code).SERVICEABILITY_TYPE
        return answers.bulk_serviceability_from(self.client.call("bulk_serviceability", kind=kind))

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address (POST /api/v2/address) under its reference, or a new alias.

        An alias that exists already is done.
        """
        alias = pickup.reference or pickup.new_reference()
        try:
            answer = self.client.call("add_address", json=payloads.address_payload(pickup, alias))
            return answers.registration_from(answer, alias)
        except Rejected as refusal:
            return answers.accept_already_registered(refusal, alias)

    def request_reattempt(self, request: ReattemptRequest) -> ActionResult:
        """Ask for another attempt on `request.date` (POST /api/v2/package/ndr)."""
        return answers.ndr_from(self.client.call("ndr", json=payloads.reattempt_payload(request)))

    def update_delivery_address(self, request: ReattemptRequest) -> ActionResult:
        """Change phone or address: Ekart takes the change with a request for another attempt."""
        return self.request_reattempt(request)

    def request_rto(self, tracking_id: str, remark: str = "") -> ActionResult:
        """Send an undelivered parcel back (POST /api/v2/package/ndr)."""
        return answers.ndr_from(
            self.client.call("ndr", json=payloads.rto_payload(tracking_id, remark))
        )

    def create_manifest(self, tracking_ids: Sequence[str]) -> ManifestDocument:
        """Make a manifest (POST /data/v2/generate/manifest) of 1 to 100 different ids."""
        ids = self._check_ids(tracking_ids, MAX_IDS, "manifest")
        return answers.manifest_from(self.client.call("manifest", json={"ids": ids}))

    def schedule_pickup(self, request: PickupRequest) -> ActionResult:
        """Set the dispatch date (POST /data/shipment/dispatch-date) of delayed shipments.

        Raises Rejected naming the ids that Ekart refused.
        """
        operation = "set_dispatch_date"
        ids = self._check_ids(request.tracking_ids, MAX_IDS, operation)
        body = {"ids": ids, "dispatchDate": request.date.isoformat()}
        answer = self.client.call(operation, json=body)
        if refused := answers.dispatch_refusals_from(answer, ids):
            names = ", ".join(one for one, _ in refused[:20])
            message = f"refused for {len(refused)} of {len(ids)}: {names}"
            raise answers.READER.rejection(operation, refused[0][1], message)
        return ActionResult(remark=f"pickup on {request.date.isoformat()}")

    schedule_reverse_pickup = schedule_pickup

    def get_label(self, tracking_ids: Sequence[str]) -> Document:
        """Return the labels as one PDF, in this order (POST /api/v1/package/label)."""
        ids = self._check_ids(tracking_ids, MAX_IDS, "label")
        answer = self.client.call("label", json={"ids": ids})
        if not isinstance(answer, bytes):
            raise answers.label_error(answer)
        return Document(answer, "application/pdf", "labels.pdf")

    def get_label_data(self, tracking_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Return what the labels say, as Ekart's own JSON (the same call with json_only)."""
        ids = self._check_ids(tracking_ids, MAX_IDS, "label")
        answer = self.client.call("label", json={"ids": ids}, params={"json_only": "true"})
        return answers.label_data_from(answer)

    def register_webhooks(self, webhooks: Sequence[Webhook]) -> Sequence[RegisteredWebhook]:
        """List what Ekart has (GET /api/v2/webhook), add or edit, and switch the others off."""
        return callback_urls.register(self.client, self.account, webhooks)

    def _price(self, request: RateRequest, service: str) -> RateQuote:
        client_type = self.account.settings.get(
            "billing_client_type", EkartTunables.of(self.code).BILLING_CLIENT_TYPE
        )
        payload = payloads.estimate_payload(request, service, client_type)
        return answers.quote_from(self.client.call("estimate", json=payload), service)

    def _delivery_days(self, request: RateRequest, service: str) -> DeliveryDays | None:
        """Return the days of delivery, or None if the service is not offered on the lane."""
        payload = payloads.lane_payload(request, service)
        return answers.delivery_days_from(self.client.call("lane_serviceability", json=payload))
