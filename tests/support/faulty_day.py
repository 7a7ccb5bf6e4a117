"""What goes wrong on a bad day, on a platform that runs: for the tests of alerts and dashboard."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

from django.utils import timezone
from django_redis import get_redis_connection

from couriers import tasks
from couriers.conf import SENT_AT
from couriers.models import CourierAccount, Event, FlagKind, Shipment
from couriers.models.flag import ShipmentFlag
from couriers.operations import task_gauges
from couriers.resilience import broker
from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from shipcrowd.stack import Response, Stack
from tests.chaos.storefront import booking_request
from tests.support.callbacks import callback_path, ekart_signature
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.outbox import Shop, make_endpoint, make_events
from tests.support.work import endpoint_that_is
from webhooks.models import EventState, WebhookEvent
from webhooks.outbox.models import DeliveryState
from webhooks.tasks import sweep_outbox

BOOKED = 5
FAST = {"create_shipment": {"count": 500, "window": 1}, "get_token": {"count": 500, "window": 1}}


class FaultyDay:
    """Faults of a courier, its callbacks and the platform, made one by one."""

    def __init__(self, stack: Stack, sandbox: SandboxProcess, shop: Shop) -> None:
        self.stack, self.sandbox, self.shop = stack, sandbox, shop

    def book(self) -> None:
        """Book orders that go well, and have their callbacks applied: one of them is unknown.

        Their storefront is told.
        """
        account = self.account()
        self.endpoint = make_endpoint(account.company, self.shop.hook)
        key = make_api_key(account.company)
        for number in range(BOOKED):
            assert self._book(key, f"fine-{number}").status == 201
        for number, parcel in enumerate(Shipment.objects.filter(account=account)):
            status = "Out on a picnic" if not number else "In Transit"
            self._call_back(account, parcel, status, number)
        events = WebhookEvent.objects.filter(account=account, state=EventState.PROCESSED)
        assert wait_until(lambda: events.count() == BOOKED, 60)
        told = self.endpoint.deliveries.filter(state=DeliveryState.DELIVERED)
        assert wait_until(lambda: sweep_outbox.delay() and told.count() >= BOOKED, 60)

    def lose_answers(self) -> None:
        """Bookings without an answer open the account's circuit; the first is of long ago."""
        account = self.account()
        key = make_api_key(account.company)
        assert self._book(key, "login").status == 201
        self.sandbox.set_faults(("create_shipment", "reset_after", 1.0))
        for number in range(5):
            assert self._book(key, f"lost-{number}").status == 202
        self.sandbox.set_faults()
        lost = Shipment.objects.filter(account=account, order_number="lost-0")
        assert lost.update(created_at=_ago(minutes=20)) == 1

    def refuse_logins(self) -> None:
        """An account whose password is wrong."""
        key = make_api_key(self.account(password="wrong").company)
        for number in range(3):
            assert self._book(key, f"login-{number}").status == 422

    def exceed_a_limit(self) -> None:
        """More bookings than an account may make; the one that it made is old, and without news."""
        account = self.account(limits={"create_shipment": {"count": 1, "window": 3600}})
        key = make_api_key(account.company)
        assert self._book(key, "limit").status == 201
        for number in range(60):
            assert self._book(key, f"limit-{number}").status == 503
        old = _ago(hours=13)
        Shipment.objects.filter(account=account).update(
            created_at=old, booked_at=old, tracked_at=None, polled_at=None
        )

    def book_twice(self) -> None:
        """A parcel of which the courier has two."""
        parcel = Shipment.objects.filter(order_number="fine-1").get()
        ShipmentFlag.objects.create(
            shipment=parcel, kind=FlagKind.SECOND_SHIPMENT, tracking_id="T2", raised_at=_ago()
        )

    def break_callbacks(self) -> None:
        """Callbacks that cannot be read, and forged ones, until the stranger is throttled."""
        account = self.account()
        for number in range(6):
            self._send(account, f"no event {number}")
        forged = self.account()
        path = callback_path(forged)
        assert self.stack.request("POST", path, {"a": "forgery"}).status == 401
        for _ in range(200):
            if self.stack.request("GET", "/api/v1/shipments/", key="wrong").status == 429:
                return
        raise AssertionError("nobody is throttled")

    def stop_work(self) -> None:
        """With the worker gone: what waits for long, a storefront without events, a silent beat."""
        parcel = Shipment.objects.filter(order_number="fine-2").get()
        self._call_back(parcel.account, parcel, "Out For Delivery", 99)
        due = WebhookEvent.objects.filter(account=parcel.account, state=EventState.PENDING)
        assert due.update(next_attempt_at=_ago(minutes=2)) == 1
        made = make_events(self.endpoint.company, 1)
        Event.objects.filter(pk=made[0].pk).update(created_at=_ago(minutes=6))
        endpoint_that_is(parcel.company, "gone")
        broker.send(tasks.sync_tracking, headers={SENT_AT: time.time() - 700})
        get_redis_connection("default").set(task_gauges.RAN, time.time() - 300)

    def account(self, **values: Any) -> CourierAccount:
        """A new company's account at the sandbox."""
        given = {"limits": FAST} | values
        account: CourierAccount = CourierAccountFactory(base_url=self.sandbox.url, **given)
        WarehouseFactory(company=account.company)
        return account

    def _book(self, key: str, order_number: str) -> Response:
        body = booking_request("ekart", order_number)
        return self.stack.request("POST", "/api/v1/shipments/", body, key=key)

    def _call_back(
        self, account: CourierAccount, parcel: Shipment, status: str, number: int
    ) -> None:
        body = {
            "ctime": int(time.time() * 1000) + number, "status": status, "location": "PUNE",
            "desc": "On its way", "attempts": "0", "wbn": str(number),
            "id": parcel.tracking_id, "orderNumber": parcel.order_number,
        }  # fmt: skip
        self._send(account, body)

    def _send(self, account: CourierAccount, body: Any) -> None:
        headers = {"X-Ekart-Signature": ekart_signature(json.dumps(body).encode())}
        path = callback_path(account)
        assert self.stack.request("POST", path, body, headers=headers).status == 200


def _ago(**time_ago: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**time_ago)
