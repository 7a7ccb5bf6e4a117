"""Requests to the REST API."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from couriers.models import Shipment

SHIPMENTS = "/api/v1/shipments/"


def post_json(client: Client, url: str, body: Any, **headers: str) -> Any:
    """Send the body as JSON; return the response."""
    return client.post(url, json.dumps(body), content_type="application/json", headers=headers)


def post_shipment(client: Client, body: Any, **headers: str) -> Any:
    """Request the booking of one order; return the response."""
    return post_json(client, SHIPMENTS, body, **headers)


def set_status(shipment: Shipment, status: str, **more: Any) -> None:
    """Set the status of a shipment, and other columns, in the database."""
    Shipment.objects.filter(pk=shipment.pk).update(status=status, **more)


def job_orders(client: Client, url: str) -> list[Any]:
    """Return the orders of the job at this URL, of all pages."""
    orders: list[Any] = []
    following = f"{url}orders/?page_size=200"
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.content
        orders += answer.json()["results"]
        following = answer.json()["next"]
    return orders
