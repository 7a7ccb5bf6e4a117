"""Operators list callbacks, see why they failed, and replay them, in the admin and by the API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from couriers.models import AuditEntry
from couriers_ekart.receiver import EkartReceiver
from tests.support.factories import make_api_key
from webhooks.masking import mask_payload
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

BODY = b"""
{"id": "T-1", "consignee": {"pin": "1"}, "receiverPhone": "9876543210", "n": [{"email": "x"}]}
"""
LIST = "/api/v1/ops/webhook-events/"
ADMIN = "/admin/shipcrowd_webhooks/webhookevent/"


@pytest.fixture(autouse=True)
def requests_for_processing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the requests to process the inbox instead of sending a task."""
    requests: list[int] = []
    monkeypatch.setattr("webhooks.dispatch.request_processing", lambda: requests.append(1))
    return requests


@pytest.fixture
def events(account: Any) -> list[WebhookEvent]:
    now = timezone.now()
    states = ["dead", "dead", "failed", "processed"]
    return [
        WebhookEvent.objects.create(
            account=account, content_hash=number.to_bytes(32), body=BODY, state=state, attempts=5,
            next_attempt_at=now, received_at=now, reason="RuntimeError while it was applied",
            topic="track_updated", processed_at=now if state == "processed" else None,
        )
        for number, state in enumerate(states)
    ]  # fmt: skip


def staff(client: Client, *codenames: str) -> Any:
    user = get_user_model().objects.create_user(f"staff-{len(codenames)}", is_staff=True)
    for codename in codenames:
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    return user


@pytest.fixture
def operator(client: Client) -> Any:
    return staff(client, "replay_event", "view_webhookevent")


def state(event: WebhookEvent) -> tuple[Any, ...]:
    event.refresh_from_db()
    return event.state, event.attempts, event.reason


def test_the_list_is_filtered_and_paged(
    client: Client, operator: Any, events: list[WebhookEvent], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6) as queries:
        page = client.get(f"{LIST}?state=dead&page_size=1").json()
    assert "webhook_secret" not in str(queries.captured_queries)
    assert [one["id"] for one in page["results"]] == [events[1].pk]
    assert "RuntimeError" in page["results"][0]["reason"]
    assert page["results"][0]["received_at"].endswith("Z")
    page = client.get(page["next"]).json()
    assert ([one["id"] for one in page["results"]], page["next"]) == ([events[0].pk], None)
    assert len(client.get(f"{LIST}?account={events[0].account_id}").json()["results"]) == 4


@pytest.mark.parametrize(
    "query",
    ["state=lost", "topic=x", "account=another%00", "cursor=x", "cursor=²", "cursor=" + "9" * 30],
)
def test_unknown_filter_values_and_cursors_are_400(
    client: Client, operator: Any, query: str
) -> None:
    assert client.get(f"{LIST}?{query}").status_code == 400


def test_a_callback_is_shown_with_personal_data_masked(
    client: Client, operator: Any, events: list[WebhookEvent]
) -> None:
    shown = client.get(f"{LIST}{events[0].pk}/").json()["payload"]
    assert shown == {"id": "T-1", "consignee": "•••", "receiverPhone": "•••", "n": "•••"}
    page = client.get(f"{ADMIN}{events[0].pk}/change/").content.decode()
    assert "T-1" in page
    assert "9876543210" not in page
    WebhookEvent.objects.update(body=b"\xff")
    assert client.get(f"{LIST}{events[0].pk}/").json()["payload"] is None
    assert "not shown" in client.get(f"{ADMIN}{events[0].pk}/change/").content.decode()
    assert client.get(f"{LIST}999999999/").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"desc": "Delivered to Asha Sample, 9876543210"},
        {"drop_location": {"line1": "9, Secret Lane", "tel": "9876543210"}},
        {"attributes": [{"key": "consignee_phone", "value": "9876543210"}]},
        {"raw": '{"phone": "9876543210"}'},
        {"deliveredTo": "Asha Sample"},
        {"9876543210": "whatsapp", "Asha Sample": 1, "call-9876543210": 2},
        {"status": "Call +91 98765-43210"},
        {"status": 9876543210},
        {"location": ["9876543210", {"x": "Asha"}, {"location": "98765 43210"}]},
    ],
)
def test_personal_data_is_masked_in_every_field(body: dict[str, Any]) -> None:
    for receiver in (EkartReceiver(), None):
        shown = re.sub(r"[ -]", "", json.dumps(mask_payload(body, receiver)))
        assert not re.search("98765|Secret|Asha", shown)


def test_the_fields_that_the_receiver_lists_are_shown() -> None:
    body = {
        "id": "500999A3408005", "ctime": 1793400000000, "status": "In Transit", "location": "PUNE",
        "desc": "x", "attempts": "0", "wbn": "9876543210", "orderNumber": "ORD-1", "edd": None,
        "ndrStatus": "Address Issue",
    }  # fmt: skip
    assert mask_payload(body, EkartReceiver()) == body | {"desc": "•••"}


@pytest.mark.parametrize("text", ["1e999", '"\\ud800"'])
def test_values_that_json_cannot_carry_are_masked(
    client: Client, operator: Any, events: list[WebhookEvent], text: str
) -> None:
    WebhookEvent.objects.update(body=f'{{"id": {text}, "n": {text}}}'.encode())
    assert client.get(f"{LIST}{events[0].pk}/").json()["payload"]["n"] == "•••"
    assert client.get(f"{ADMIN}{events[0].pk}/change/").status_code == 200


def test_one_is_replayed_over_the_api(
    client: Client, operator: Any, events: list[WebhookEvent], requests_for_processing: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{LIST}{events[0].pk}/replay/")
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert [state(event)[:2] for event in events[:2]] == [("pending", 0), ("dead", 5)]
    assert requests_for_processing == [1]


def test_many_are_replayed_over_the_api(
    client: Client, operator: Any, events: list[WebhookEvent]
) -> None:
    body = {"ids": [event.pk for event in events[1:]] + [10**12]}
    answer = client.post(f"{LIST}replay/", body, "application/json")
    assert answer.json() == {"replayed": 3}
    assert [state(event)[0] for event in events] == ["dead", "pending", "pending", "pending"]
    for wrong in (
        {"ids": []},
        {"ids": ["x"]},
        {"ids": [10**30]},
        {"ids": list(range(1, 1002))},
        {},
    ):
        assert client.post(f"{LIST}replay/", wrong, "application/json").status_code == 400


def test_only_staff_with_the_permission_replays(
    client: Client, events: list[WebhookEvent], company: Any
) -> None:
    key = Client(headers={"Authorization": f"Api-Key {make_api_key(company)}"})
    for asked in (key.get(LIST), key.post(f"{LIST}{events[0].pk}/replay/")):
        assert asked.status_code == 403
    assert Client().get(LIST).status_code == 401
    staff(client)
    for url in (LIST, f"{LIST}{events[0].pk}/"):
        assert client.get(url).status_code == 403
    staff(client, "view_webhookevent")
    assert client.get(LIST).status_code == 200
    body = {"ids": [events[0].pk]}
    assert client.post(f"{LIST}replay/", body, "application/json").status_code == 403
    assert client.post(f"{LIST}{events[0].pk}/replay/").status_code == 403
    page = client.get(f"{ADMIN}{events[0].pk}/change/").content.decode()
    assert "ask-to-replay" not in page
    assert client.post(f"{ADMIN}{events[0].pk}/replay/", {"confirmed": "on"}).status_code == 403
    selected = {"action": "replay_selected", "_selected_action": [events[0].pk], "confirmed": "on"}
    client.post(ADMIN, selected)
    assert state(events[0])[0] == "dead"


def test_the_admins_replay_button_asks_for_confirmation_and_replays(
    client: Client, operator: Any, events: list[WebhookEvent]
) -> None:
    change = f"{ADMIN}{events[0].pk}/change/"
    assert "ask-to-replay" in client.get(change).content.decode()
    answer = client.get(f"{ADMIN}{events[0].pk}/ask-to-replay/")
    confirmation = answer.headers["Location"]
    assert "RuntimeError" in client.get(confirmation).content.decode()
    client.post(confirmation, {})
    assert state(events[0])[0] == "dead"
    assert client.post(confirmation, {"confirmed": "on"}).status_code == 302
    assert state(events[0]) == ("pending", 0, "")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object_key) == (
        operator, "replay_event", str(events[0].pk),
    )  # fmt: skip
    assert (entry.before, entry.after) == ({"state": "dead"}, {"state": "pending"})


def test_many_are_replayed_in_the_admin_after_confirmation(
    client: Client, operator: Any, events: list[WebhookEvent]
) -> None:
    assert "Replay the selected" in client.get(f"{ADMIN}?state__exact=dead").content.decode()
    selected = {"action": "replay_selected", "_selected_action": [e.pk for e in events[:2]]}
    page = client.post(ADMIN, selected).content.decode()
    assert "Replay 2 callbacks?" in page
    assert state(events[0])[0] == "dead"
    client.post(ADMIN, selected | {"confirmed": "on"})
    assert [state(event)[0] for event in events[:3]] == ["pending", "pending", "failed"]
    assert AuditEntry.objects.count() == 2
