"""Events are delivered to a company's endpoints: signed, in order, again where it failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from couriers.models import AuditEntry, Company, Event, Shipment
from tests.support.factories import CompanyFactory, ShipmentFactory
from tests.support.outbox import (
    Shop,
    change,
    deliver,
    log_of,
    make_due,
    make_endpoint,
    make_events,
    verified,
)
from tests.support.plans import whole_reads
from tests.support.small_courier import Reply, Request
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox import endpoints, outcomes
from webhooks.outbox.claims import claim
from webhooks.outbox.fan_out import fan_out
from webhooks.outbox.models import DeliveryState, DisabledBy
from webhooks.outbox.run import make_deliveries

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as running:
        yield running


@pytest.fixture
def endpoint(company: Company, shop: Shop) -> WebhookEndpoint:
    return make_endpoint(company, shop.hook)


def test_each_change_arrives_signed_with_its_id(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment
) -> None:
    change(shipment, "picked_up", "in_transit", "delivered")
    assert deliver() == 3
    sent = shop.sent(endpoint.secret)
    assert [one.status for one in sent] == ["picked_up", "in_transit", "delivered"]
    assert [one.type for one in sent] == [
        "shipment.status_changed", "shipment.status_changed", "shipment.delivered",
    ]  # fmt: skip
    events = list(Event.objects.order_by("number"))
    assert [one.id for one in sent] == [event.pk for event in events]
    assert [one.data for one in sent] == [event.data for event in events]
    assert all(one.state == DeliveryState.DELIVERED for one in log_of(endpoint))
    assert deliver() == 0


def test_another_secret_does_not_verify(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment
) -> None:
    change(shipment, "picked_up")
    deliver()
    with pytest.raises(WebhookVerificationError):
        shop.sent("whsec_" + "A" * 43 + "=")


def test_the_bytes_are_the_same_at_each_attempt(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment
) -> None:
    shop.answer = lambda _: Reply(b"", 500)
    change(shipment, "picked_up")
    for _ in range(3):
        deliver()
        make_due(endpoint)
    first, *others = shop.sent(endpoint.secret)
    assert [one.body for one in others] == [first.body] * 2
    assert [one.id for one in others] == [first.id] * 2
    [delivery] = log_of(endpoint)
    assert (delivery.attempts, delivery.status_code, delivery.state) == (3, 500, "pending")


def test_an_endpoint_is_sent_the_types_that_it_names(
    company: Company, shop: Shop, shipment: Shipment
) -> None:
    endpoint = make_endpoint(company, shop.hook, events=["shipment.delivered", "job.finished"])
    change(shipment, "picked_up", "delivered")
    make_events(company, 1)
    deliver()
    types = [one.type for one in shop.sent(endpoint.secret)]
    assert sorted(types) == ["job.finished", "shipment.delivered"]


def test_an_endpoint_is_sent_neither_another_companys_events_nor_those_of_the_other_mode(
    endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    make_events(CompanyFactory(), 1)
    make_events(company, 1, is_test=True)
    [wanted] = make_events(company, 1)
    deliver()
    assert [one.id for one in shop.sent(endpoint.secret)] == [wanted.pk]


def test_an_endpoint_is_sent_what_happens_from_its_creation_on(
    company: Company, shop: Shop
) -> None:
    make_events(company, 2)
    make_deliveries()  # gives the positions
    endpoint = make_endpoint(company, shop.hook)
    [later] = make_events(company, 1)
    deliver()
    assert [one.id for one in shop.sent(endpoint.secret)] == [later.pk]


def test_an_event_has_one_delivery_however_often_it_is_read(
    endpoint: WebhookEndpoint, company: Company
) -> None:
    make_events(company, 5)
    make_deliveries()
    WebhookEndpoint.objects.update(read_to=0)
    assert fan_out() == 5
    assert WebhookDelivery.objects.count() == 5


def test_many_events_are_read_in_steps(
    endpoint: WebhookEndpoint, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.outbox.fan_out.EVENTS", 2)
    make_events(company, 5)
    make_deliveries()
    endpoint.refresh_from_db()
    positions = [one.position for one in log_of(endpoint)]
    assert positions == sorted(Event.objects.values_list("position", flat=True))
    assert endpoint.read_to == positions[-1]


def test_the_next_event_of_a_shipment_waits_and_those_of_others_do_not(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment, account: Any
) -> None:
    other = ShipmentFactory(account=account, warehouse=account.company.warehouses.get())
    change(shipment, "picked_up", "in_transit")
    change(other, "picked_up", "in_transit")

    def refuse(request: Request) -> Reply:
        return Reply(b"", 500 if shipment.pk.encode() in request.body else 200)

    shop.answer = refuse
    deliver()
    by_shipment = {
        pk: [one.status for one in shop.sent(endpoint.secret) if one.data["shipment"]["id"] == pk]
        for pk in (shipment.pk, other.pk)
    }
    assert by_shipment == {shipment.pk: ["picked_up"], other.pk: ["picked_up", "in_transit"]}
    shop.answer = lambda _: Reply()
    make_due(endpoint)
    deliver()
    statuses = [one.status for one in shop.sent(endpoint.secret)][-2:]
    assert statuses == ["picked_up", "in_transit"]


def test_a_delivery_that_is_given_up_holds_its_shipment_no_longer(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment, company: Company
) -> None:
    shop.answer = lambda request: Reply(
        b"", 500 if b'"status":"picked_up"' in request.body else 200
    )
    change(shipment, "picked_up", "in_transit")
    for _ in outcomes.BACK_OFF:
        deliver()
        make_events(company, 1)  # which arrives, so the endpoint has not failed all the time
        make_due(endpoint)
    deliver()
    states = {one.event.data["shipment"]["status"]: one.state
              for one in log_of(endpoint) if one.ordered_by}  # fmt: skip
    assert states == {"picked_up": "given_up", "in_transit": "delivered"}
    endpoint.refresh_from_db()
    assert endpoint.enabled


def test_the_pauses_are_a_day_in_sum() -> None:
    assert sum(outcomes.BACK_OFF) >= 24 * 3600
    assert list(outcomes.BACK_OFF) == sorted(outcomes.BACK_OFF)


def test_an_endpoint_that_fails_for_a_day_is_disabled_and_misses_nothing(
    endpoint: WebhookEndpoint, shop: Shop, shipment: Shipment, lines: Any
) -> None:
    shop.answer = lambda _: Reply(b"", 503)
    change(shipment, "picked_up")
    deliver()
    endpoint.refresh_from_db()
    assert endpoint.enabled
    assert endpoint.failing_since
    day_ago = timezone.now() - dt.timedelta(days=1)
    WebhookEndpoint.objects.update(failing_since=day_ago)
    make_due(endpoint)
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_by) == (False, DisabledBy.FAILING)
    assert AuditEntry.objects.get(action="disable_endpoint").object_key == endpoint.pk
    assert [line["endpoint"] for line in lines.of("endpoint_disabled")] == [endpoint.pk]
    change(shipment, "in_transit")
    make_due(endpoint)
    assert deliver() == 0

    shop.answer = lambda _: Reply()
    shop.requests.clear()
    endpoints.enable(endpoint)
    deliver()
    assert [one.status for one in shop.sent(endpoint.secret)] == ["picked_up", "in_transit"]


def test_410_disables_at_once(endpoint: WebhookEndpoint, shop: Shop, company: Company) -> None:
    shop.answer = lambda _: Reply(b"", 410)
    make_events(company, 20)
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_by) == (False, DisabledBy.GONE)
    assert len(shop.requests) <= 2  # those that were on their way


@pytest.mark.parametrize("status", [301, 302, 404, 429, 500])
def test_any_other_answer_is_tried_again_after_a_pause(
    status: int, endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    shop.answer = lambda _: Reply(b"later", status, {"Location": shop.url})
    make_events(company, 1)
    deliver()
    [delivery] = log_of(endpoint)
    assert (delivery.state, delivery.status_code, delivery.answer) == ("pending", status, "later")
    pause = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert 3 < pause <= 6
    assert len(shop.requests) == 1


def test_both_secrets_verify_until_the_end_of_the_former(
    endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    former = endpoint.secret
    new = endpoints.rotate_secret(endpoint, dt.timedelta(hours=24))
    make_events(company, 1)
    deliver()
    [request] = shop.requests
    assert verified(request, former) == verified(request, new)
    endpoint.refresh_from_db()
    endpoint.previous_secret_until = timezone.now()
    endpoint.save()
    shop.requests.clear()
    make_events(company, 1)
    deliver()
    [request] = shop.requests
    assert verified(request, new)
    with pytest.raises(WebhookVerificationError):
        verified(request, former)


def test_a_ping_goes_to_its_endpoint_alone(
    endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    with Shop() as other:
        make_endpoint(company, other.hook)
        event = endpoints.ping(endpoint)
        deliver()
    [sent] = shop.sent(endpoint.secret)
    assert (sent.id, sent.type) == (event.pk, "ping")
    assert not other.requests


def test_one_event_is_sent_again_with_its_id(
    endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    first, _ = make_events(company, 2)
    deliver()
    shop.requests.clear()
    assert endpoints.resend(endpoint, event=first.pk).count == 1
    deliver()
    assert [one.id for one in shop.sent(endpoint.secret)] == [first.pk]
    assert WebhookDelivery.objects.count() == 2


def test_all_events_since_a_time_are_sent_again_also_those_from_before_the_endpoint(
    company: Company, shop: Shop
) -> None:
    events = make_events(company, 4)
    make_deliveries()
    for hours, event in enumerate(events):
        at = timezone.now() - dt.timedelta(hours=hours)
        Event.objects.filter(pk=event.pk).update(created_at=at)
    endpoint = make_endpoint(company, shop.hook)
    since = timezone.now() - dt.timedelta(hours=2.5)
    resent = endpoints.resend(endpoint, since=since)
    assert resent.count == 3
    deliver()
    assert {one.id for one in shop.sent(endpoint.secret)} == {one.pk for one in events[:3]}


def test_another_companys_event_is_not_sent(endpoint: WebhookEndpoint) -> None:
    [foreign] = make_events(CompanyFactory(), 1)
    make_deliveries()
    assert endpoints.resend(endpoint, event=foreign.pk).count == 0
    assert endpoints.resend(endpoint, since=timezone.now() - dt.timedelta(days=1)).count == 0


def test_a_purged_event_takes_its_deliveries_with_it(
    endpoint: WebhookEndpoint, company: Company
) -> None:
    make_events(company, 2)
    make_deliveries()
    Event.objects.filter(pk=Event.objects.first().pk).delete()  # type: ignore[union-attr]
    assert WebhookDelivery.objects.count() == 1


def test_no_secret_and_no_query_is_in_a_log_line(company: Company, shop: Shop, lines: Any) -> None:
    endpoint = make_endpoint(company, f"{shop.hook}?token=of-the-shop")
    endpoints.rotate_secret(endpoint, dt.timedelta(hours=1))
    make_events(company, 1)
    deliver()
    shown = str([*lines]) + str(list(AuditEntry.objects.values()))
    endpoint.refresh_from_db()
    assert lines.of("event_sent")
    for secret in (endpoint.secret, endpoint.previous_secret, "of-the-shop"):
        assert secret not in shown


def test_a_claim_looks_up_what_is_due_and_reads_no_whole_table(
    endpoint: WebhookEndpoint, company: Company
) -> None:
    make_events(company, 3000)
    make_deliveries()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {WebhookDelivery._meta.db_table}")
    with CaptureQueriesContext(connection) as captured:
        assert len(claim(2, slow=True)) == 2
    statements = [
        one["sql"] for one in captured if one["sql"].lstrip().startswith(("SELECT", "UPDATE"))
    ]
    table = WebhookDelivery._meta.db_table
    reads = [read for sql in statements for read in whole_reads(sql, may_read=True)]
    assert [read for read in reads if table in read or "webhooks_delivery" in read] == []
    assert len(statements) == 4
