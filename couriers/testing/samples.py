"""Sample calls of every operation of the contract, which a plug-in overrides as it needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from couriers.contract import india
from couriers.contract.action_rules import rule_for, rules_of
from couriers.contract.actions import ActionKind, PickupRequest, ReattemptRequest
from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.logins import Webhook
from couriers.contract.receiver import Topic
from couriers.contract.types import (
    Address,
    Direction,
    Item,
    Parcel,
    PaymentMode,
    Pickup,
    RateRequest,
    Seller,
    ShipmentRequest,
)

# What belongs to a consignee, and may not be found in an error or a log.
CONSIGNEE = Address(
    "Asha Sample",
    "9876543210",
    "9, Secret Lane",
    "Bengaluru",
    "Karnataka",
    "560008",
    landmark="near the hidden gate",
    email="asha@consignee.example",
)
CREATES = (Capability.CREATE_SHIPMENT, Capability.CREATE_REVERSE_SHIPMENT)
_numbers = itertools.count(1)


class SampleCalls:
    """The requests that the tests make, valid for most couriers.

    A plug-in sets `options` where its bookings need some, and overrides a method whose request its
    courier would refuse.
    """

    adapter_class: ClassVar[type[BaseCourierAdapter]]
    options: ClassVar[Mapping[str, Any]] = {}

    def booking_request(self, order_number: str = "", **changes: Any) -> ShipmentRequest:
        """Return a prepaid forward shipment of 240 g; without a number the order is a new one."""
        request = ShipmentRequest(
            order_number=order_number or new_order_number(),
            order_date=india.today(),
            direction=Direction.FORWARD,
            payment_mode=PaymentMode.PREPAID,
            cod_amount=Decimal(0),
            consignee=CONSIGNEE,
            items=(Item("T-shirt", 1, Decimal("1523.00"), Decimal(12), "TS-1", "T-shirt", "6109"),),
            parcel=Parcel(240, 30, 22, 8),
            seller=Seller("Conformance", "29AAGCR4375J1ZU", "1, Example Road", "Karnataka"),
            pickup=self.pickup(),
            invoice_number="INV-1",
            invoice_date=india.today(),
            options=dict(self.options),
        )
        return dataclasses.replace(request, **changes)

    def return_request(self, order_number: str = "", **changes: Any) -> ShipmentRequest:
        """Return a return of the same goods."""
        return self.booking_request(
            order_number,
            **{"direction": Direction.REVERSE, "return_reason": "Wrong size", **changes},
        )

    def pickup(self) -> Pickup:
        """Return the warehouse; `reference` is "" until the courier gives one."""
        address = Address(
            "Main gate", "9845012345", "1, Example Road", "Bengaluru", "Karnataka", "560001"
        )
        return Pickup("whs_conformance", "", address, "warehouse@shop.example")

    def rate_request(self) -> RateRequest:
        """Return a lane for a prepaid parcel of 240 g."""
        parcel = Parcel(240, 30, 22, 8)
        return RateRequest("560001", "110001", parcel, PaymentMode.PREPAID, Decimal("1523.00"))

    def reattempt_request(self, tracking_id: str) -> ReattemptRequest:
        """Return another attempt, on the first day that the rule takes."""
        rule = rule_for(self.adapter_class, ActionKind.REATTEMPT, Direction.FORWARD)
        date = self.day(rule.days.first) if rule and rule.days else None
        return ReattemptRequest(tracking_id, date)

    def address_change(self, tracking_id: str) -> ReattemptRequest:
        """Return a change of the consignee's address, as far as the rule's fields allow."""
        rule = rule_for(self.adapter_class, ActionKind.ADDRESS, Direction.FORWARD)
        values = {"address": "10, Secret Lane", "phone": "9876543211", "name": "Asha Sample"}
        fields = rule.fields & set(values) if rule else {"address"}
        date = self.day(rule.days.first) if rule and rule.days else None
        return ReattemptRequest(tracking_id, date, **{name: values[name] for name in fields})

    def pickup_request(self, tracking_id: str) -> PickupRequest:
        """Return a pickup of one parcel, on the first day that the rule takes."""
        rules = rules_of(self.adapter_class, ActionKind.PICKUP)
        first = min((rule.days.first for rule in rules if rule.days), default=1)
        return PickupRequest(
            self.pickup(),
            self.day(first),
            (tracking_id,),
            next(iter(self.adapter_class.pickup_slots), ""),
            (dict(self.options),),
            count=1,
        )

    def webhook(self) -> Webhook:
        """Return a callback address to register."""
        topics = tuple(topic for topic in Topic if topic is not Topic.UNKNOWN)
        return Webhook("https://shop.example/webhooks/", "a-secret-of-conformance", topics)

    def day(self, ahead: int) -> dt.date:
        """Return the day so many days from today, in India."""
        return india.today() + dt.timedelta(days=ahead)

    def call(
        self, adapter: BaseCourierAdapter, capability: Capability, tracking_id: str, waybill: str
    ) -> Any:
        """Make a sample call of an operation; the ids are those of a booked parcel.

        A list that is read piece by piece is read to its end.
        """
        calls: dict[Capability, Callable[[], Any]] = {
            Capability.CREATE_SHIPMENT: lambda: adapter.create_shipment(self.booking_request()),
            Capability.CREATE_REVERSE_SHIPMENT: lambda: adapter.create_reverse_shipment(
                self.return_request()
            ),
            Capability.TRACK_SHIPMENT: lambda: adapter.track_shipment(tracking_id),
            Capability.TRACK_SHIPMENTS: lambda: adapter.track_shipments([tracking_id]),
            Capability.TRACK_WAYBILL: lambda: adapter.track_waybill(waybill),
            Capability.GET_RATES: lambda: adapter.get_rates(self.rate_request()),
            Capability.CANCEL_SHIPMENT: lambda: adapter.cancel_shipment(tracking_id),
            Capability.CANCEL_REVERSE_SHIPMENT: lambda: adapter.cancel_reverse_shipment(
                tracking_id
            ),
            Capability.CHECK_SERVICEABILITY: lambda: adapter.check_serviceability(
                "560008", origin="560001"
            ),
            Capability.BULK_SERVICEABILITY: lambda: list(adapter.list_serviceability()),
            Capability.CREATE_WAREHOUSE: lambda: adapter.create_warehouse(self.pickup()),
            Capability.REQUEST_REATTEMPT: lambda: adapter.request_reattempt(
                self.reattempt_request(tracking_id)
            ),
            Capability.UPDATE_DELIVERY_ADDRESS: lambda: adapter.update_delivery_address(
                self.address_change(tracking_id)
            ),
            Capability.REQUEST_RTO: lambda: adapter.request_rto(tracking_id, "Not wanted"),
            Capability.CREATE_MANIFEST: lambda: adapter.create_manifest([tracking_id]),
            Capability.SCHEDULE_PICKUP: lambda: adapter.schedule_pickup(
                self.pickup_request(tracking_id)
            ),
            Capability.SCHEDULE_REVERSE_PICKUP: lambda: adapter.schedule_reverse_pickup(
                self.pickup_request(tracking_id)
            ),
            Capability.GET_PROOF_OF_DELIVERY: lambda: adapter.get_proof_of_delivery(tracking_id),
            Capability.GET_LABEL: lambda: adapter.get_label([tracking_id]),
            Capability.LABEL_DATA: lambda: adapter.get_label_data([tracking_id]),
            Capability.FIND_BOOKING: lambda: adapter.find_booking(self.booking_request()),
            Capability.RESERVE_IDS: lambda: adapter.reserve_ids(2),
            Capability.OUTCOME_OF: lambda: adapter.outcome_of(self.handle(adapter, tracking_id)),
            Capability.REGISTER_WEBHOOKS: lambda: adapter.register_webhooks([self.webhook()]),
        }
        return calls[capability]()

    def handle(self, adapter: BaseCourierAdapter, tracking_id: str) -> str:
        """Return the handle of an accepted action on the parcel."""
        return tracking_id


def new_order_number() -> str:
    """Return an order number that no other process has."""
    return f"K{os.getpid()}-{time.time_ns() % 10**9}-{next(_numbers)}"
