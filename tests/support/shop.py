"""A storefront: it books with the generated client, and knows what happened by events alone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from couriers.contract import india
from tests.support.example_world import ORDER
from tests.support.generated_client import part
from tests.support.small_courier import Reply, Request, SmallCourier

ENDS = {"delivered", "rto_delivered"}
THREADS = 4


@dataclass
class Storefront:
    """A shop's own program. What it knows of a shipment is in `statuses`, by order number."""

    client: Any
    secret: str = ""
    statuses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    repeats: int = 0
    refused: int = 0
    undelivered: list[str] = field(default_factory=list)

    @contextmanager
    def receiving(self) -> Iterator[str]:
        """Run the shop's server; yields the URL for its events."""
        with SmallCourier(self._receive) as server:
            yield f"{server.url}/events"

    def subscribe(self, url: str) -> None:
        """Have the events of shipments sent to the URL."""
        body = part("models").EndpointRequest(url=url)
        created = part("api.webhooks.create_webhook_endpoint").sync(client=self.client, body=body)
        self.secret = created.secret

    def book(self, number: str) -> Any:
        """Book an order, whose number is its key."""
        models = part("models")
        draft = models.ShipmentDraft.from_dict(
            ORDER | {"order_number": number, "order_date": india.today().isoformat()}
        )
        booked = part("api.shipments.book_shipment").sync(
            client=self.client, body=draft, idempotency_key=number
        )
        assert isinstance(booked, models.Shipment), booked
        return booked

    def book_all(self, numbers: list[str]) -> None:
        """Book orders, some at once."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.book, numbers))

    def decide(self) -> None:
        """Ask for another attempt where an event said that a parcel was not delivered."""
        tomorrow = india.today() + dt.timedelta(days=1)
        while self.undelivered:
            part("api.actions.reattempt_delivery").sync(
                id=self.undelivered.pop(),
                client=self.client,
                body=part("models").Reattempt(date=tomorrow),
            )

    def ended(self) -> dict[str, str]:
        """The orders whose shipment has ended, with how."""
        return {
            number: statuses[-1]
            for number, statuses in self.statuses.items()
            if statuses[-1] in ENDS
        }

    def _receive(self, request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            event = Webhook(self.secret).verify(request.body, headers)
        except (WebhookVerificationError, ValueError):
            self.refused += 1
            return Reply(b"", 401)
        if headers["webhook-id"] in self.seen:
            self.repeats += 1
            return Reply(b"")
        self.seen.add(headers["webhook-id"])
        shipment = event["data"].get("shipment")
        if shipment and event["type"] != "shipment.action_ended":
            self.statuses[shipment["order_number"]].append(shipment["status"])
            if event["type"] == "shipment.undelivered":
                self.undelivered.append(shipment["id"])
        return Reply(b"")
