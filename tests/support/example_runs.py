"""Runs of every operation, whose exchanges are the examples of the API's documentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from couriers.booking.bulk_jobs import book_due_orders
from couriers.contract.actions import ActionResult, ActionState, PickupScope
from couriers.fulfilment import label_jobs
from couriers.models import Manifest, Shipment
from couriers.operations.performance import count_months, live_accounts
from couriers.rates.performance import last_months
from couriers.resilience.circuit_breaker import CircuitBreaker
from tests.support.callbacks import send as send_callback
from tests.support.example_world import World
from tests.support.manifests import make_due_chunks
from tests.support.toy import AbleToyAdapter

LOST = ("create_shipment", "reset_after", 1)


def run_operations(world: World) -> None:
    """Ask for everything that the API offers."""
    for run in (
        warehouses, products, rates, bookings, reading, actions, returns, bulk,
        manifests, second_courier, performance, courier_rules, keys, staff,
    ):  # fmt: skip
        run(world)


def warehouses(world: World) -> None:
    body = {
        "name": "Store in Pune", "contact_name": "Back gate", "phone": "9845012345",
        "address": "7, MG Road", "city": "Pune", "state": "Maharashtra", "pincode": "411001",
    }  # fmt: skip
    added = world.send("A second warehouse", "POST", "warehouses/", body).json()
    path = f"warehouses/{added['id']}/"
    world.send("All warehouses", "GET", "warehouses/")
    world.send("One warehouse", "GET", path)
    world.send("Another contact", "PATCH", path, {"contact_name": "Front gate"})
    world.send("All fields anew", "PUT", path, body | {"phone": "9845054321"})
    world.send("Delete a warehouse", "DELETE", path)


def products(world: World) -> None:
    body = {
        "sku": "TS-3XL", "name": "T-shirt 3XL", "category": "T-shirt", "hsn_code": "61091000",
        "gst_rate": "5.00", "weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8,
    }  # fmt: skip
    path = f"products/{world.send('A product', 'POST', 'products/', body).json()['id']}/"
    world.send("The product of a SKU", "GET", "products/?sku=TS-3XL")
    world.send("One product", "GET", path)
    world.send("Another weight", "PATCH", path, {"weight_g": 260})
    world.send("All fields anew", "PUT", path, body)
    world.send("Delete a product", "DELETE", path)


def rates(world: World) -> None:
    body = {
        "courier": "ekart", "pickup_pincode": "560001", "drop_pincode": "560038",
        "payment_mode": "cod", "cod_amount": "1523.00", "invoice_amount": "1523.00",
        "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    }  # fmt: skip
    world.send("Quotes for a COD parcel", "POST", "rates/", body)
    del body["courier"]
    world.send("All couriers side by side", "POST", "rates/", body)
    world.send("All couriers", "GET", "couriers/")
    world.send("One courier", "GET", "couriers/ekart/")
    path = "serviceability/?courier=ekart&pincode=560038"
    world.send("A pincode that is served", "GET", path)
    path = "serviceability/?pincode=560038&both_ways=true"
    world.send("All couriers side by side, and the way back", "GET", path)


def courier_rules(world: World) -> None:
    cheap = {
        "name": "Light parcels", "strategy": "cheapest",
        "conditions": {"max_weight_g": 500, "payment_modes": ["prepaid"]},
    }  # fmt: skip
    first = {
        "name": "Karnataka", "strategy": "priority", "position": 1, "fail_over": True,
        "conditions": {"states": ["Karnataka"], "max_value": "5000.00"},
        "couriers": [{"courier": "ekart", "weight": 1}],
    }  # fmt: skip
    light = world.send("The cheapest for light parcels", "POST", "courier-rules/", cheap).json()
    made = world.send("One courier for a state", "POST", "courier-rules/", first).json()
    path = f"courier-rules/{made['id']}/"
    world.send("All rules in order", "GET", "courier-rules/")
    order = world.order()
    del order["courier"]
    world.send("What the rules choose", "POST", "courier-rules/preview/", order)
    world.send("What they would have chosen", "GET", "courier-rules/simulation/")
    ids = [light["id"], made["id"]]
    world.send("Another order of the rules", "POST", "courier-rules/reorder/", {"rules": ids})
    world.send("One rule", "GET", path)
    world.send("Switched off", "PATCH", path, {"enabled": False})
    world.send("All fields anew", "PUT", path, first)
    world.send("Delete a rule", "DELETE", path)
    world.send("Delete the other", "DELETE", f"courier-rules/{light['id']}/")


def bookings(world: World) -> None:
    order = world.order()
    world.send("Cash on delivery", "POST", "shipments/", order, Idempotency_Key="order-1001")
    world.send("The same again", "POST", "shipments/", order, Idempotency_Key="order-1001")
    world.send("Prepaid", "POST", "shipments/", world.prepaid())
    world.sandbox.set_faults(LOST)
    world.send("In doubt", "POST", "shipments/", world.order())
    world.sandbox.set_faults()


def reading(world: World) -> None:
    shipment = world.book()
    path = f"shipments/{shipment['id']}/"
    world.send("The label", "GET", f"{path}label/")
    world.send("The label's data", "GET", f"{path}label/data/")
    body = {"shipments": [shipment["id"], world.book()["id"]]}
    world.send("Two labels in one PDF", "POST", "labels/", body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("couriers.api.labels.MAX_AT_ONCE", 1)  # instead of a hundred labels more
        job = world.send("Too many for one request", "POST", "labels/", body).json()
    label_jobs.make(job["id"])
    world.send("A PDF that is done", "GET", f"labels/{job['id']}/")
    world.send("The PDF", "GET", f"labels/{job['id']}/file/")
    world.send("A merchant's own data", "PATCH", path, {"metadata": {"cart": "c-77"}})
    world.bring_to(shipment, "In Transit")
    world.send("A shipment in transit", "GET", path)
    world.send("Its scans", "GET", f"{path}scans/")
    world.send("The latest scans", "POST", f"{path}track/")
    world.send("A page of shipments in transit", "GET", "shipments/?status=in_transit&page_size=1")


def actions(world: World) -> None:
    cancelled = world.book()
    world.send("Cancel before the pickup", "POST", f"shipments/{cancelled['id']}/cancel/")
    waiting = world.book(world.order(options={"delayed_dispatch": True}))
    body = {"date": world.day(2)}
    path = f"shipments/{waiting['id']}/dispatch-date/"
    world.send("A day for the pickup", "POST", path, body)
    for title, act, body in (
        ("Try again tomorrow", "reattempt", {"date": world.day(1), "instructions": "Ring twice"}),
        ("Send it back", "rto", {"remark": "The customer does not answer"}),
        ("Another phone", "address", {"date": world.day(1), "phone": "9876501234"}),
    ):
        failed = world.book()
        world.bring_to(failed, "Undelivered")
        world.send(title, "POST", f"shipments/{failed['id']}/{act}/", body)
    world.send("What was asked", "GET", f"shipments/{failed['id']}/actions/")


def returns(world: World) -> None:
    delivered = world.book()
    world.bring_to(delivered, "Delivered")
    body = {"return_reason": "Too small", "order_number": f"{delivered['order_number']}-R"}
    path = f"shipments/{delivered['id']}/return/"
    world.send("The customer sends all of it back", "POST", path, body)
    again = world.book()
    world.bring_to(again, "Delivered")
    world.sandbox.set_faults(LOST)
    body = {"return_reason": "Too small", "order_number": f"{again['order_number']}-R"}
    world.send("In doubt", "POST", f"shipments/{again['id']}/return/", body)
    world.sandbox.set_faults()


def bulk(world: World) -> None:
    wrong = world.prepaid()
    wrong["consignee"] = wrong["consignee"] | {"phone": "12"}
    body = {"orders": [world.order(), wrong]}
    path = "shipments/bulk/"
    job = world.send("Two orders", "POST", path, body, Idempotency_Key="batch-7").json()
    book_due_orders(job["id"], seconds=20)
    world.send("A finished job", "GET", f"jobs/{job['id']}/")
    world.send("What became of each order", "GET", f"jobs/{job['id']}/orders/")
    world.send("The newest job", "GET", "jobs/?page_size=1")
    body = {"orders": [world.order(), world.order()]}
    job = world.store.post("/api/v1/shipments/bulk/", body, "application/json").json()
    world.send("Cancel what has not begun", "POST", f"jobs/{job['id']}/cancel/")


def manifests(world: World) -> None:
    shipment = world.book()
    body = {"courier": "ekart", "shipments": [shipment["id"]]}
    made = world.send("A manifest of one shipment", "POST", "manifests/", body).json()
    make_due_chunks(Manifest.objects.get(pk=made["id"]))
    world.send("It is in a manifest already", "POST", "manifests/", body)
    done = world.send("A manifest that is done", "GET", f"manifests/{made['id']}/").json()
    document = done["documents"][0]["url"].partition("/api/v1/")[2]
    world.send("Its document", "GET", document)
    world.send("The newest manifest", "GET", "manifests/?page_size=1")


def second_courier(world: World) -> None:
    """What the first courier does in another way, or not at all."""
    delivered = _toy(world, "delivered")
    world.send("The proof of a delivery", "GET", f"{delivered}proof-of-delivery/")
    at_once = "A courier that does it at once"
    for act, body in (
        ("reattempt", {"date": world.day(1)}),
        ("rto", {"remark": "The customer does not answer"}),
        ("address", {"date": world.day(1), "address": "14, 4th Cross, Indiranagar"}),
    ):
        world.send(at_once, "POST", f"{_toy(world, 'undelivered')}{act}/", body)
    later = ActionResult(ActionState.ACCEPTED, remark="queued", handle="Q-4417")
    with _answering("cancel_shipment", later):
        world.send("A courier that does it later", "POST", f"{_toy(world, 'in_transit')}cancel/")
    with _answering("schedule_pickup", later):
        path = f"{_toy(world, 'booked')}dispatch-date/"
        world.send("A courier that does it later", "POST", path, {"date": world.day(2)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AbleToyAdapter, "pickup_scope", PickupScope.WAREHOUSE)
        path = f"warehouses/{world.warehouse.pk}/pickups/"
        body = {"courier": "toy", "date": world.day(1), "slot": "10-13", "count": 3}
        world.send("A pickup tomorrow", "POST", path, body)
        world.send("The day has a pickup", "POST", path, body)
        with _answering("schedule_pickup", later):
            body = body | {"date": world.day(2)}
            world.send("A courier that confirms it later", "POST", path, body)
        world.send("All pickups", "GET", path)


def _toy(world: World, status: str) -> str:
    """The path of a shipment of the second courier in this status."""
    booked = world.book(world.order(courier="toy"))
    Shipment.objects.filter(pk=booked["id"]).update(status=status)
    return f"shipments/{booked['id']}/"


@contextmanager
def _answering(method: str, result: ActionResult) -> Iterator[None]:
    AbleToyAdapter.on_call[method] = lambda _: result
    yield
    del AbleToyAdapter.on_call[method]


def performance(world: World) -> None:
    count_months(live_accounts(), last_months(1))
    world.send("The couriers side by side", "GET", "couriers/performance/")
    world.send("By lane", "GET", "couriers/performance/?lanes=true&courier=ekart")


def keys(world: World) -> None:
    body = {"name": "The shop", "scopes": ["read", "book"], "allowed_networks": ["203.0.113.0/24"]}
    made = world.send("A key that reads and books", "POST", "keys/", body).json()
    path = f"keys/{made['id']}/"
    world.send("All keys", "GET", "keys/")
    world.send("One key", "GET", path)
    world.send("A new key in its place", "POST", f"{path}roll/", {"overlap_hours": 24})
    world.send("Revoke a key", "DELETE", path)


def staff(world: World) -> None:
    def send(title: str, method: str, path: str, body: Any = None) -> Any:
        return world.recorder.send(title, world.staff, method, f"ops/{path}", body)

    first, second, *_ = send("Bookings in doubt", "GET", "in-doubt/").json()
    shipment = Shipment.objects.get(pk=first["shipment"]["id"])
    (there,) = (s for s in world.sandbox.shipments() if s["order_number"] == shipment.order_number)
    body: dict[str, Any] = {"tracking_id": there["tracking_id"], "reason": "Seen in the panel"}
    body["confirm_unchecked"] = True
    send("The courier has it", "POST", f"in-doubt/{shipment.pk}/resolve/", body)
    body = {"reason": "It is not in the panel"}
    send(
        "The courier does not have it",
        "POST",
        f"in-doubt/{second['shipment']['id']}/release/",
        body,
    )
    _callbacks(world, send)
    breaker = CircuitBreaker.of_account("ekart", world.account.pk)
    for _ in range(50):
        breaker.record_failure()
    send("Circuits that are open", "GET", "circuits/")
    send("Close one", "DELETE", f"circuits/{world.account.pk}/")


def _callbacks(world: World, send: Any) -> None:
    parcel = world.book(world.order(courier="toy"))
    scan = {"id": parcel["tracking_id"], "status": "in_transit", "hour": 3, "place": "PUNE"}
    assert send_callback(world.second, scan).status_code == 200
    listed = send("The newest callback", "GET", "webhook-events/?page_size=1").json()
    number = listed["results"][0]["id"]
    send("One callback", "GET", f"webhook-events/{number}/")
    send("Apply it again", "POST", f"webhook-events/{number}/replay/")
    send("Apply several again", "POST", "webhook-events/replay/", {"ids": [number]})
