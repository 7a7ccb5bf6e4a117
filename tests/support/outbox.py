"""Merchants' servers for the outbox, and what they were sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from standardwebhooks import Webhook

from couriers.models import Company, Event, EventType, Shipment
from tests.support.api import set_status
from tests.support.small_courier import Reply, Request, SmallCourier
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox import endpoints, run
from webhooks.outbox.sending import send_due

SECONDS = 20.0  # for one run of a test


@dataclass(frozen=True)
class Sent:
    """One request to a shop, as `standardwebhooks` has verified it."""

    id: str
    type: str
    data: Mapping[str, Any]
    body: bytes

    @property
    def status(self) -> str:
        """The status of the shipment that the event is about."""
        return str(self.data["shipment"]["status"])


class Shop(SmallCourier):
    """A merchant's server with an endpoint. It answers 200, or what `answer` says."""

    def __init__(self, answer: Callable[[Request], Reply] | None = None) -> None:
        super().__init__(answer or (lambda _: Reply(b"thank you")))

    @property
    def hook(self) -> str:
        """The URL of its endpoint."""
        return f"{self.url}/hook"

    def sent(self, secret: str) -> list[Sent]:
        """What it was sent, in the order of arrival. Raises where a signature is wrong."""
        return [verified(request, secret) for request in list(self.requests)]


def verified(request: Request, secret: str) -> Sent:
    """Return a request that is signed with the secret. Raises WebhookVerificationError."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    content = Webhook(secret).verify(request.body, headers)
    return Sent(headers["webhook-id"], content["type"], content["data"], request.body)


def make_endpoint(company: Company, url: str, **values: Any) -> WebhookEndpoint:
    """Return a new endpoint of the company."""
    return endpoints.create(company, is_test=False, values={"url": url, **values})


def make_prompt(endpoint: WebhookEndpoint) -> None:
    """Have the endpoint be one that has answered at once so far."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_slow=False)


def change(shipment: Shipment, *statuses: str) -> None:
    """Give the shipment these statuses in turn: each change is an event."""
    for status in statuses:
        set_status(shipment, status)


def make_events(company: Company, count: int, **columns: Any) -> list[Event]:
    """Write events that are about no shipment."""
    values = {"type": EventType.JOB_FINISHED, "data": {"job": {"id": "job_1"}}} | columns
    return Event.objects.bulk_create(Event(company=company, **values) for _ in range(count))


def deliver(seconds: float = SECONDS) -> int:
    """Make deliveries of what has happened, and send what is due. Returns the attempts."""
    run.make_deliveries()
    return send_due(seconds)[0]


def make_due(endpoint: WebhookEndpoint) -> None:
    """End the pauses of an endpoint and of its deliveries."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(next_attempt_at=Now())
    endpoint.deliveries.update(next_attempt_at=Now())


def log_of(endpoint: WebhookEndpoint) -> Sequence[WebhookDelivery]:
    """The endpoint's deliveries, oldest first."""
    return list(endpoint.deliveries.select_related("event").order_by("position"))


def as_json(answer: Any) -> bytes:
    """The bytes of a JSON value."""
    return json.dumps(answer).encode()
