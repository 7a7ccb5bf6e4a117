"""Ekart behind the courier contract: puts the mapper and the client together."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from couriers.adapter import BaseCourierAdapter, Capability
from couriers.errors import (
    InvalidRequest,
    NotSent,
    RateLimited,
    Rejected,
    Unknown,
    UnknownPickupAlias,
)
from couriers.resilience.lock import LockTimeout, exclusive
from couriers.types import (
    ActionResult,
    Booking,
    Pickup,
    RateQuote,
    RateRequest,
    Serviceability,
    ShipmentRequest,
    Tracking,
    WarehouseRegistration,
)
from couriers_ekart import mapper, registrations
from couriers_ekart.client import EkartClient
from couriers_ekart.conf import ekart_tunables
from couriers_ekart.limits import DEFAULT_LIMITS
from couriers_ekart.schemas import options_from
from couriers_ekart.statuses import EKART_MAPPER

if TYPE_CHECKING:
    from couriers.models import CourierAccount


class EkartAdapter(BaseCourierAdapter):
    """One account's way to Ekart."""

    code = "ekart"
    name = "Ekart"
    mapper = EKART_MAPPER
    default_limits = DEFAULT_LIMITS
    capabilities = frozenset(
        {
            Capability.CREATE_SHIPMENT,
            Capability.CREATE_REVERSE_SHIPMENT,
            Capability.TRACK_SHIPMENT,
            Capability.GET_RATES,
            Capability.CANCEL_SHIPMENT,
            Capability.CANCEL_REVERSE_SHIPMENT,
            Capability.CHECK_SERVICEABILITY,
            Capability.CREATE_WAREHOUSE,
        }
    )

    def __init__(self, account: CourierAccount) -> None:
        super().__init__(account)
        self.client = EkartClient(account)

    def validate_options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Check the options by EkartOptions; InvalidRequest names `options.…`."""
        _, problems = options_from(options)
        if problems:
            raise InvalidRequest(problems, courier=self.code, operation="create_shipment")
        return options

    def check_request(self, request: ShipmentRequest) -> None:
        """Refuse what Ekart would refuse: GSTIN, COD, weight, e-way bill, dates."""
        problems = mapper.check(request, mapper.today_in_india(timezone.now()))
        if problems:
            raise InvalidRequest(problems, courier=self.code, operation="create_shipment")

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        """Book (PUT /api/v1/package/create), registering the warehouse where Ekart lacks it."""
        self.check_request(request)
        deadline = time.monotonic() + self.booking_deadline
        request, registered = self._with_registration(request)
        try:
            return self._create(request, registered)
        except UnknownPickupAlias:
            # Forgotten or deleted at Ekart: register it again, then send once more.
            if not registered or time.monotonic() > deadline:
                raise
        reference = self._register(request.pickup)
        request = _with_reference(request, reference)
        return self._create(request, bool(reference))

    def create_reverse_shipment(self, request: ShipmentRequest) -> Booking:
        """Book a return: the same call with payment mode Pickup."""
        return self.create_shipment(request)

    def track_shipment(self, tracking_id: str) -> Tracking:
        """All scans (GET /api/v1/track/{id})."""
        return mapper.tracking_from(self.client.track(tracking_id))

    def get_rates(self, request: RateRequest) -> Sequence[RateQuote]:
        """A quote for SURFACE and one for EXPRESS (POST /data/pricing/estimate)."""
        client_type = self.account.settings.get(
            "billing_client_type", ekart_tunables().BILLING_CLIENT_TYPE
        )
        services = [request.service] if request.service else list(mapper.SERVICES)
        return [
            mapper.quote_from(
                self.client.estimate(mapper.estimate_payload(request, service, client_type)),
                service,
            )
            for service in services
        ]

    def cancel_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel (DELETE /api/v1/package/cancel); already cancelled is done."""
        return mapper.cancel_from(self.client.cancel_shipment(tracking_id), tracking_id)

    def cancel_reverse_shipment(self, tracking_id: str) -> ActionResult:
        """Cancel a return: the same call."""
        return self.cancel_shipment(tracking_id)

    def check_serviceability(self, pincode: str) -> Serviceability:
        """What Ekart does at a pincode (GET /api/v2/serviceability/{pincode})."""
        return mapper.serviceability_from(self.client.serviceability(pincode), pincode)

    def create_warehouse(self, pickup: Pickup) -> WarehouseRegistration:
        """Register a pickup address (POST /api/v2/address) under its alias, or a new one."""
        alias = pickup.reference or registrations.alias_for(pickup)
        answer = self.client.add_address(mapper.address_payload(pickup, alias))
        return mapper.registration_from(answer, alias)

    def _create(self, request: ShipmentRequest, registered: bool) -> Booking:
        payload = mapper.shipment_payload(request, registered=registered)
        return mapper.booking_from(self.client.create_shipment(payload))

    def _with_registration(self, request: ShipmentRequest) -> tuple[ShipmentRequest, bool]:
        if request.pickup.reference:
            return request, True
        reference = self._register(request.pickup)
        return _with_reference(request, reference), bool(reference)

    def _register(self, pickup: Pickup) -> str:
        """The alias of the warehouse, now registered; "" where Ekart refuses to register it.

        Many bookings may find it unregistered at once: the first registers it for all.
        """
        try:
            with exclusive(f"register:{self.account.pk}:{pickup.warehouse_id}", life=60, wait=30):
                known = registrations.reference_of(self.account, pickup)
                if known != pickup.reference:
                    return known
                reference = self.create_warehouse(pickup).reference
                registrations.remember(self.account, pickup, reference)
                return reference
        except LockTimeout:
            raise RateLimited(
                "the warehouse is being registered",
                courier=self.code,
                operation="add_address",
                retry_after=2,
            ) from None
        except Unknown as error:
            # Registering is harmless to repeat, and the booking itself was not sent.
            raise NotSent(
                f"the warehouse could not be registered ({error.message})",
                courier=self.code,
                operation="add_address",
                retry_after=error.retry_after,
            ) from None
        except Rejected as error:
            registrations.remember(self.account, pickup, "", failure=str(error))
            return ""


def _with_reference(request: ShipmentRequest, reference: str) -> ShipmentRequest:
    return dataclasses.replace(
        request, pickup=dataclasses.replace(request.pickup, reference=reference)
    )
