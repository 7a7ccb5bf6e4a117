"""What operators see of endpoints and deliveries, and what they do about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import prometheus_client
import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from couriers.admin.worklists.looks import looks_of
from couriers.models import AuditEntry, Company, Event
from couriers.operations.events import number_events
from tests.support.admin_links import buttons, list_url, row_url
from tests.support.factories import WarehouseFactory, make_staff
from tests.support.outbox import Shop, deliver, make_endpoint, make_events
from tests.support.samples import sample_value
from tests.support.small_courier import Reply
from tests.support.work import endpoint_that_is
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.outbox import endpoints
from webhooks.outbox.metrics import outbox_gauges

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        make_staff("view_webhookendpoint", "view_webhookdelivery", "operate_endpoint")
    )
    return client


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as running:
        yield running


@pytest.fixture
def endpoint(company: Company, shop: Shop) -> WebhookEndpoint:
    return make_endpoint(company, f"{shop.hook}?token=of-the-shop")


def operate(client: Client, endpoint: WebhookEndpoint, act: str, **given: Any) -> str:
    """Send the form; return the message that follows."""
    url = reverse("admin:shipcrowd_operate_endpoint", args=[endpoint.pk])
    answer = client.post(url, {"act": act, "reason": "the shop has called", **given})
    assert answer.status_code == 302, answer.content.decode()
    return str([*get_messages(answer.wsgi_request)][-1])


def test_a_test_is_sent(operator: Client, endpoint: WebhookEndpoint, shop: Shop) -> None:
    assert "is sent" in operate(operator, endpoint, "test")
    deliver()
    assert [one.type for one in shop.sent(endpoint.secret)] == ["ping"]
    entry = AuditEntry.objects.get(action="test_endpoint")
    assert (entry.actor_name, entry.reason) == ("operator", "the shop has called")


def test_an_endpoint_is_disabled_and_enabled(operator: Client, endpoint: WebhookEndpoint) -> None:
    operate(operator, endpoint, "disable")
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_by) == (False, "by_hand")
    assert "Nothing was sent" in operate(operator, endpoint, "test")
    operate(operator, endpoint, "enable")
    endpoint.refresh_from_db()
    assert endpoint.enabled
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert [*actions][-2:] == ["disable_endpoint", "enable_endpoint"]


def test_events_of_the_last_hours_are_sent_again(
    operator: Client, endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    make_events(company, 2)
    deliver()
    shop.requests.clear()
    assert operate(operator, endpoint, "resend", hours="1").startswith("2 events")
    deliver()
    assert {one.id for one in shop.sent(endpoint.secret)} == set(
        Event.objects.values_list("pk", flat=True)
    )
    url = reverse("admin:shipcrowd_operate_endpoint", args=[endpoint.pk])
    page = operator.post(url, {"act": "resend", "reason": "x"}).content.decode()
    assert "Say how many hours." in page


def test_pages_show_what_came_of_it_and_neither_a_secret_nor_the_query(
    operator: Client, endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    shop.answer = lambda _: Reply(b"out of <b>order</b>", 500)
    make_events(company, 1)
    deliver()
    delivery = WebhookDelivery.objects.get()
    assert "ask" in buttons(operator, row_url(endpoint))
    pages = [
        operator.get(url).content.decode()
        for url in (
            list_url(WebhookEndpoint), row_url(endpoint), list_url(WebhookDelivery),
            row_url(delivery), reverse("admin:shipcrowd_operate_endpoint", args=[endpoint.pk]),
        )
    ]  # fmt: skip
    assert "out of &lt;b&gt;order&lt;/b&gt;" in pages[3]
    assert "1 events wait for it." in pages[4]
    for text in pages:
        assert shop.hook in text or endpoint.pk in text or endpoint.pk.replace("_", "_5F") in text
        assert endpoint.secret not in text
        assert "of-the-shop" not in text


def test_who_may_only_look_has_no_button(client: Client, endpoint: WebhookEndpoint) -> None:
    client.force_login(make_staff("view_webhookendpoint", username="reader"))
    assert "ask" not in buttons(client, row_url(endpoint))
    url = reverse("admin:shipcrowd_operate_endpoint", args=[endpoint.pk])
    assert client.post(url, {"act": "test", "reason": "x"}).status_code == 403
    assert not Event.objects.exists()


def test_what_its_merchant_has_just_enabled_or_deleted_is_left_as_it_is(company: Company) -> None:
    disabled, enabled, deleted = (endpoint_that_is(company, "failing") for _ in range(3))
    rows = [disabled, enabled, deleted]
    endpoints.enable(WebhookEndpoint.objects.get(pk=enabled.pk))
    endpoints.delete(WebhookEndpoint.objects.get(pk=deleted.pk))
    looks = looks_of("endpoints")
    assert looks
    enable, leave = (act.run for act in looks.row_acts)
    assert leave(rows, make_staff(), "closed") == "1 endpoint left disabled."
    assert set(WebhookEndpoint.objects.values_list("pk", "disabled_by")) == {
        (disabled.pk, "by_hand"), (enabled.pk, ""),
    }  # fmt: skip
    assert enable(rows, make_staff(username="other"), "open") == "1 endpoint enabled."


def values() -> dict[str, float]:
    """The gauges of the outbox by their names."""
    return {
        sample.name.removeprefix("shipcrowd_outbox_"): sample.value
        for metric in outbox_gauges()
        for sample in metric.samples
    }


def test_an_event_that_no_worker_has_read_waits_too(
    endpoint: WebhookEndpoint, company: Company
) -> None:
    other = WarehouseFactory(company__slug="without-endpoint").company
    long_ago = timezone.now() - dt.timedelta(hours=2)
    make_events(other, 1)
    Event.objects.update(created_at=long_ago)
    assert values()["oldest_due_seconds"] == 0
    make_events(company, 1)
    ages = []
    for number in (1, 2, 3):
        Event.objects.filter(company=company).update(created_at=long_ago)
        ages.append(values()["oldest_due_seconds"])
        if number == 1:
            number_events()
        elif number == 2:
            deliver()
    assert [round(age / 3600) for age in ages] == [2, 2, 0]
    make_events(company, 1)
    Event.objects.filter(company=company).update(created_at=long_ago)
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    assert values()["oldest_due_seconds"] == 0


def test_the_gauges_tell_what_waits(
    endpoint: WebhookEndpoint, shop: Shop, company: Company
) -> None:
    def delivered() -> float:
        text = prometheus_client.generate_latest().decode()
        return sample_value(text, "shipcrowd_outbox_deliveries_total", result="delivered")

    before = delivered()
    make_events(company, 3)
    deliver()
    assert delivered() == before + 3
    assert values()["pending"] == 0
    shop.answer = lambda _: Reply(b"", 410)
    make_events(company, 2)
    deliver()
    assert (values()["pending"], values()["backlog"]) == (2, 0)
    assert values()["endpoints_disabled"] == 1
    endpoints.enable(endpoint)
    assert (values()["backlog"], values()["endpoints_disabled"]) == (2, 0)
    assert values()["oldest_due_seconds"] >= 0
