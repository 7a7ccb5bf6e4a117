"""Runs of the operations on events and on the endpoints that are sent them."""

from __future__ import annotations

from tests.support.example_world import World
from tests.support.outbox import Shop, deliver


def run_events(world: World) -> None:
    """Have events sent to a shop, and read them."""
    with Shop() as shop:
        world.recorder.rename(shop.url, "https://shop.example")
        body = {"url": f"{shop.url}/hook", "events": ["*"], "description": "The shop"}
        path = "webhook-endpoints/"
        added = world.send("All events", "POST", path, body).json()
        one = f"{path}{added['id']}/"
        world.send("All endpoints", "GET", path)
        world.send("One endpoint", "GET", one)
        body = {"events": ["shipment.delivered", "shipment.undelivered"]}
        world.send("Two types alone", "PATCH", one, body)
        world.send("A new secret", "POST", f"{one}rotate-secret/", {"overlap_hours": 24})
        world.send("A test", "POST", f"{one}test/")
        shipment = world.book()
        world.bring_to(shipment, "Delivered")
        deliver()
        world.send("What was sent", "GET", f"{one}deliveries/?page_size=2")
        events = world.send(
            "The events of a shipment", "GET", f"events/?shipment={shipment['id']}"
        ).json()
        event = events["results"][-1]["id"]
        world.send("One event", "GET", f"events/{event}/")
        world.send("One event again", "POST", f"{one}resend/", {"event": event})
        world.send("Delete an endpoint", "DELETE", one)
