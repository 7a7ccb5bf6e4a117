"""Runs that end in each problem of the API, whose exchanges are shown on the problems' pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from couriers.contract.errors import Rejected, Unknown
from couriers.documents.sheets import PageFormat
from couriers.fulfilment import label_jobs
from couriers.models import CompanyApiKey, CourierCall, Scope, Shipment
from couriers.models.call import Outcome
from couriers.resilience.circuit_breaker import CircuitBreaker
from shipcrowd.embedded.processes import wait_until
from tests.support.ciphertext import make_unreadable
from tests.support.example_runs import LOST
from tests.support.example_world import World
from tests.support.outages import outage
from tests.support.rollouts import roll_out
from tests.support.toy import AbleToyAdapter, ToyAdapter


def run_problems(world: World, changed: Any) -> None:
    """Ask for what is refused, and for what fails. `changed` is pytest's fixture `settings`."""
    for run in (
        _requests, _credentials, _same_order, _bookings, _actions, _fulfilment, _decisions,
        _calls, _platform,
    ):  # fmt: skip
        run(world)
    _limits(world, changed)


def _requests(world: World) -> None:
    order = world.order()
    order["consignee"] = order["consignee"] | {"phone": "12345"}
    world.send("A phone that is none", "POST", "shipments/", order)
    world.send("Half a body", "POST", "shipments/", raw='{"courier": ')
    world.send("An id of nobody", "GET", "shipments/shp_01kawt9h0bzzzzzzzzzzzzzzzz/")
    world.send("A method that no operation has", "DELETE", "shipments/")
    world.send("A format that is not served", "GET", "shipments/", Accept="application/xml")
    world.send("A form", "POST", "shipments/", raw="courier=ekart", content_type="text/plain")
    too_large = b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    world.send("A body that is too large", "POST", "shipments/", raw=too_large)


def _credentials(world: World) -> None:
    def as_key(title: str, path: str, **more: Any) -> None:
        _, key = CompanyApiKey.objects.create_key(name="x", company=world.company, **more)
        client = Client(headers={"Authorization": f"Bearer {key}"})
        world.recorder.send(title, client, "POST", path)

    world.recorder.send("No key", Client(), "GET", "shipments/")
    cancel = f"shipments/{world.book()['id']}/cancel/"
    as_key("A key that may only read", cancel, scopes=[Scope.READ])
    as_key("A key whose time is over", cancel, expiry_date=timezone.now() - dt.timedelta(days=1))
    as_key("A key of another network", cancel, allowed_networks=["203.0.113.0/24"])
    world.send("A company's key at an operation for staff", "GET", "ops/in-doubt/")


def _same_order(world: World) -> None:
    order = world.order()
    world.send("A first order", "POST", "shipments/", order, Idempotency_Key="k-1")
    world.send("A second key", "POST", "shipments/", order, Idempotency_Key="k-2")
    other = order | {"cod_amount": "999.00"}
    world.send("The key with another body", "POST", "shipments/", other, Idempotency_Key="k-1")
    order = world.order()
    booked = world.book(order)
    world.send("The order with other content", "POST", "shipments/", order | {"cod_amount": "9.00"})
    world.store.post(f"/api/v1/shipments/{booked['id']}/cancel/")
    world.send("The order after its cancellation", "POST", "shipments/", order)

    order = world.order(courier="toy")

    def while_it_is_booked(_: Any) -> None:
        ToyAdapter.on_create = None
        world.send("The same at once", "POST", "shipments/", order, Idempotency_Key="k-3")

    with _hook(while_it_is_booked):
        world.store.post(
            "/api/v1/shipments/", order, "application/json", headers={"Idempotency-Key": "k-3"}
        )


@contextmanager
def _hook(hook: Callable[[Any], None]) -> Iterator[None]:
    """Have the second courier call the function where it books."""
    ToyAdapter.on_create = hook  # type: ignore[assignment]
    try:
        yield
    finally:
        ToyAdapter.on_create = None


def _bookings(world: World) -> None:
    def refuse(_: Any) -> None:
        raise Rejected(
            "the courier refused", courier="toy", courier_message="Pincode not serviceable for COD"
        )

    with _hook(refuse):
        world.send("A refusal", "POST", "shipments/", world.order(courier="toy"))
    roll_out("off")
    world.send("Before the roll-out", "POST", "shipments/", world.order(courier="toy"))
    roll_out("all")


def _actions(world: World) -> None:
    booked, failed = world.book(), world.book()
    path = f"shipments/{booked['id']}/"
    body = {"date": world.day(1)}
    too_small = {"return_reason": "Too small", "order_number": f"{booked['order_number']}-R"}
    world.send("Before an attempt", "POST", f"{path}reattempt/", body)
    world.send("A pickup that the courier chose", "POST", f"{path}dispatch-date/", body)
    world.send("A return before the delivery", "POST", f"{path}return/", too_small)
    world.bring_to(failed, "Undelivered")
    path = f"shipments/{failed['id']}/"
    assert world.store.post(f"/api/v1/{path}reattempt/", body, "application/json").content
    world.send("Another action meanwhile", "POST", f"{path}rto/", {"remark": "No answer"})
    world.bring_to(booked, "Delivered")
    world.send("After the delivery", "POST", f"shipments/{booked['id']}/cancel/")
    proof = f"shipments/{booked['id']}/proof-of-delivery/"
    world.send("A courier without proofs", "GET", proof)
    Shipment.objects.filter(pk=booked["id"]).update(erased_at=timezone.now())
    path = f"shipments/{booked['id']}/return/"
    world.send("A return after the erasure", "POST", path, too_small)


def _fulfilment(world: World) -> None:
    toy = world.book(world.order(courier="toy"))
    world.send("Before the delivery", "GET", f"shipments/{toy['id']}/proof-of-delivery/")
    body = {"courier": "ekart", "date": "2020-01-01"}
    world.send("A day without shipments", "POST", "manifests/", body)
    world.sandbox.set_faults(LOST)
    doubtful = world.book()
    world.sandbox.set_faults()
    world.send("The label of a booking in doubt", "GET", f"shipments/{doubtful['id']}/label/")
    body = {"shipments": [doubtful["id"]]}
    world.send("Labels with one that there is not", "POST", "labels/", body)
    job = label_jobs.create(
        world.company, is_test=False, shipments=[toy["id"]], page_format=PageFormat.A4
    )
    world.send("A PDF that is not done", "GET", f"labels/{job.pk}/file/")
    world.send("The default warehouse", "DELETE", f"warehouses/{world.warehouse.pk}/")
    path = f"shipments/{toy['id']}/"
    body = {"metadata": {"cart": "c-77"}}
    world.send("A shipment that has changed", "PATCH", path, body, If_Match='"of-yesterday"')


def _decisions(world: World) -> None:
    def settle(title: str, shipment: Any, act: str, body: Any) -> None:
        path = f"ops/in-doubt/{shipment['id']}/{act}/"
        world.recorder.send(title, world.staff, "POST", path, body)

    reason = {"reason": "Seen in the panel"}
    settle("A booking that is settled", world.book(), "release", reason)

    def lose(_: Any) -> None:
        raise Unknown("read time-out", courier="toy")

    with _hook(lose):
        doubtful = world.book(world.order(courier="toy"))
    body = reason | {"tracking_id": "TOY004417"}
    AbleToyAdapter.on_call["track_shipment"] = lose
    settle("An id that the courier cannot confirm", doubtful, "resolve", body)
    del AbleToyAdapter.on_call["track_shipment"]
    CourierCall.objects.create(
        account=world.second, shipment_id=doubtful["id"], operation="create_shipment",
        outcome=Outcome.PENDING, started_at=timezone.now(),
    )  # fmt: skip
    settle("A call that may still be answered", doubtful, "release", reason)


def _calls(world: World) -> None:
    def cancel(title: str, kind: str) -> None:
        path = f"shipments/{world.book()['id']}/cancel/"
        world.sandbox.set_faults(("cancel_shipment", kind, 1))
        world.send(title, "POST", path)
        world.sandbox.set_faults()

    cancel("An answer that was lost", "reset_after")
    cancel("A courier that throttles", "rate_limited")
    breaker = CircuitBreaker.of_account("ekart", world.account.pk)
    for _ in range(50):
        breaker.record_failure()
    world.send("A circuit that is open", "POST", "shipments/", world.order())
    breaker.reset()


def _platform(world: World) -> None:
    delivered = world.book()
    world.bring_to(delivered, "Delivered")
    make_unreadable(Shipment.objects.get(pk=delivered["id"]), "consignee_phone")
    body = {"return_reason": "Too small", "order_number": f"{delivered['order_number']}-R"}
    path = f"shipments/{delivered['id']}/return/"
    world.send("A value of another installation", "POST", path, body)
    world.store.raise_request_exception = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("couriers.api.shipments.sorted_page", lambda *_, **__: 1 / 0)
        world.send("A fault of the platform", "GET", "shipments/")
    with outage("read_only"):
        world.send("A database that takes no writes", "POST", "shipments/", world.order())


def _limits(world: World, changed: Any) -> None:
    before = changed.SHIPCROWD
    changed.SHIPCROWD = before | {"BULK_MAX_OPEN_JOBS": 1}
    orders = {"orders": [world.order()]}
    assert (
        world.store.post("/api/v1/shipments/bulk/", orders, "application/json").status_code == 202
    )
    world.send("A job too many", "POST", "shipments/bulk/", {"orders": [world.order()]})
    changed.SHIPCROWD = before | {"THROTTLE_KEY": 1}
    listed = "/api/v1/shipments/"
    # The turns that were taken at the former rate are over within a second or two.
    assert wait_until(lambda: int(world.store.get(listed).get("Retry-After", 0)) > 5, 10)
    world.send("Too many requests", "GET", "shipments/")
    changed.SHIPCROWD = before
