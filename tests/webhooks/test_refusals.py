"""Refused callbacks are counted for operators, in bounds, and explain themselves."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from couriers.contract.receiver import Topic, topic_secret
from couriers.models import CallbackTally, CourierAccount
from couriers.resilience.background import BackgroundWork
from shipcrowd.embedded.processes import wait_until
from tests.support.callbacks import SECRET, callback_path, ekart_signature, send, send_ekart
from tests.support.factories import CourierAccountFactory
from tests.support.samples import sample_value
from webhooks import tally
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_dispatch")]

BODY = json.dumps({"id": "T-1", "orderNumber": "A-1"}).encode()


def post(account: CourierAccount, headers: dict[str, str], body: bytes = BODY) -> Any:
    return Client().post(callback_path(account), body, "application/json", headers=headers)


def base64_signature(body: bytes = BODY) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()


@pytest.fixture
def ekart(db: None) -> CourierAccount:
    return CourierAccountFactory()


def account_page(account: CourierAccount) -> str:
    client = Client()
    user = User.objects.filter(username="root").first() or User.objects.create_superuser("root")
    client.force_login(user)
    url = reverse("admin:shipcrowd_couriers_courieraccount_change", args=[account.pk])
    return client.get(url).content.decode()


def test_refusals_and_good_callbacks_are_counted_for_each_account(
    ekart: CourierAccount, account: Any
) -> None:
    before = timezone.now()
    for _ in range(3):
        assert send_ekart(ekart, BODY, signature="0" * 64) == 401
    assert send(account, {"id": "T", "status": "lost", "hour": 1}).status_code == 200
    tally.write()
    refused, accepted = ekart.callback_tally, account.callback_tally
    assert (refused.refused_count, refused.accepted_at, refused.is_refused) == (3, None, True)
    assert before <= refused.refused_at <= timezone.now()
    assert (accepted.refused_count, accepted.refused_at, accepted.is_refused) == (0, None, False)
    assert before <= accepted.accepted_at <= timezone.now()


def test_counts_of_several_writes_and_processes_add_up(ekart: CourierAccount) -> None:
    for _ in range(2):
        send_ekart(ekart, BODY, signature="0" * 64)
        tally.write()
    later = CallbackTally.objects.get()
    assert later.refused_count == 2
    send_ekart(ekart, BODY)
    tally.write()
    now = CallbackTally.objects.get()
    assert (now.refused_count, now.refused_at, now.is_refused) == (2, later.refused_at, False)


def test_a_flood_writes_nothing_in_the_request_and_one_statement_afterwards(
    ekart: CourierAccount,
) -> None:
    send_ekart(ekart, BODY, signature="0" * 64)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(500):
            send_ekart(ekart, BODY, signature="0" * 64)
    assert len(queries) == 0
    assert len(tally._counted) == 1
    with CaptureQueriesContext(connection) as queries:
        tally.write()
        tally.write()
    assert len(queries) == 1
    assert CallbackTally.objects.get().refused_count == 501
    assert not WebhookEvent.objects.exists()


def test_only_accounts_of_that_courier_are_counted(ekart: CourierAccount, account: Any) -> None:
    for path in ("/webhooks/ekart/acc_nobody/", f"/webhooks/toy/{ekart.pk}/",
                 f"/webhooks/ekart/{account.pk}/", f"/webhooks/nobody/{ekart.pk}/"):  # fmt: skip
        assert Client().post(path, BODY, "application/json").status_code == 401
    assert tally._counted == {}


def test_an_account_that_was_deleted_meanwhile_is_left_out(ekart: CourierAccount) -> None:
    other = CourierAccountFactory()
    for one in (ekart, other):
        send_ekart(one, BODY, signature="0" * 64)
    other.delete()
    tally.write()
    assert CallbackTally.objects.get().account_id == ekart.pk


def test_samples_are_bounded_and_kept_for_seconds_only(
    ekart: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MAX_SAMPLES", 2)
    accounts = [ekart, *CourierAccountFactory.create_batch(3)]
    for one in accounts * 3:
        headers = {f"x-{number}": "f" * 64 for number in range(60)}
        post(one, headers | {"cookie": "c" * 5000, "x-short": "1"})
    kept = [counted.sample for counted in tally._counted.values() if counted.sample]
    assert len(kept) == 2
    assert all(len(sample.callback.headers) == tally.MAX_HEADERS for sample in kept)
    assert "f" * 64 not in repr(kept)
    tally.write()
    assert tally._counted == {}
    assert CallbackTally.objects.count() == 4


def test_what_was_counted_is_kept_while_the_database_is_away(ekart: CourierAccount) -> None:
    post(ekart, {"x-foo": base64_signature()})

    def away(*_: Any) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        tally.write()
    send_ekart(ekart, BODY, signature="0" * 64)
    tally.write()
    row = CallbackTally.objects.get()
    assert row.refused_count == 2
    assert "X-Foo" in row.explanation


def test_a_refused_callback_says_where_its_signature_stands(ekart: CourierAccount) -> None:
    ordinary = post(ekart, {"x-ekart-signature": "0" * 64, "x-request-id": "r-1"})
    explained = post(ekart, {"x-foo": base64_signature(), "x-request-id": "r-1"})
    assert (explained.status_code, explained.content) == (401, ordinary.content)
    assert explained.headers == ordinary.headers
    tally.write()
    post(ekart, {"x-foo": base64_signature()})
    tally.write()
    row = CallbackTally.objects.get()
    assert row.explanation.startswith("One was signed in X-Foo as base64: set SIGNATURE_HEADERS")
    stored = str(list(CallbackTally.objects.values()))
    for hidden in (SECRET, base64_signature(), "A-1"):
        assert hidden not in stored
    page = account_page(ekart)
    assert "The callbacks of this account are refused. 3 callbacks refused so far" in page
    assert "One was signed in X-Foo as base64" in page


def test_a_secret_in_the_wrong_header_says_which_to_send(account: Any) -> None:
    secret = "a-secret-as-long-as-a-signature"
    CourierAccount.objects.filter(pk=account.pk).update(webhook_secret=secret)
    assert post(account, {"authorization": f"Bearer {secret}"}).status_code == 401
    tally.write()
    explanation = CallbackTally.objects.get().explanation
    assert (
        "in Authorization: have the courier send the secret alone, in x-toy-secret" in explanation
    )
    assert secret not in explanation


def test_an_explanation_is_not_lost_to_strangers_and_ends_with_a_good_callback(
    ekart: CourierAccount,
) -> None:
    post(ekart, {"x-foo": base64_signature()})
    tally.write()
    post(ekart, {"x-foo": "stranger"})
    tally.write()
    assert "X-Foo" in CallbackTally.objects.get().current_explanation
    send_ekart(ekart, BODY)
    tally.write()
    assert CallbackTally.objects.get().current_explanation == ""
    page = account_page(ekart)
    assert "The last good callback came 0" in page
    assert "are refused" not in page


def test_an_account_without_a_secret_and_a_body_for_another_path_explain_themselves(
    ekart: CourierAccount,
) -> None:
    silent = CourierAccountFactory(webhook_secret="")
    send_ekart(silent, BODY)
    derived = topic_secret(SECRET, Topic.SHIPMENT_RECREATED)
    send_ekart(ekart, BODY, signature=ekart_signature(BODY, derived))
    tally.write()
    assert "no webhook secret" in silent.callback_tally.explanation
    assert "signed for another path" in ekart.callback_tally.explanation


def test_a_plug_in_that_raises_while_explaining_loses_no_count(
    ekart: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any) -> str:
        raise RuntimeError("a fault in the plug-in")

    monkeypatch.setattr("couriers_ekart.receiver.EkartReceiver.explain_refusal", fault)
    send_ekart(ekart, BODY, signature="0" * 64)
    tally.write()
    row = CallbackTally.objects.get()
    assert (row.refused_count, row.explanation) == (1, "")


def test_an_account_without_callbacks_says_so(ekart: CourierAccount) -> None:
    page = account_page(ekart)
    assert "No callback has been accepted so far. No callback has been refused." in page


def test_the_metrics_of_refusals_are_by_courier(ekart: CourierAccount, account: Any) -> None:
    now = timezone.now()
    for one, accepted, refused in (
        (ekart, 3600, 60), (CourierAccountFactory(), None, 30), (CourierAccountFactory(), 10, 20),
    ):  # fmt: skip
        CallbackTally.objects.create(
            account=one,
            accepted_at=now - dt.timedelta(seconds=accepted) if accepted else None,
            refused_at=now - dt.timedelta(seconds=refused),
        )
    text = Client().get("/metrics").content.decode()

    def value(name: str, courier: str = "ekart") -> float:
        return sample_value(text, f"shipcrowd_webhook_{name}", courier=courier)

    assert value("accounts_refused") == 2
    assert value("accounts_refused", "toy") == 0
    assert 20 <= value("last_refused_age_seconds") < 25
    assert 10 <= value("last_accepted_age_seconds") < 15
    assert 'last_accepted_age_seconds{courier="toy"}' not in text


def test_a_thread_writes_soon_after_a_request_and_then_pauses() -> None:
    done: list[int] = []
    worked = threading.Semaphore(0)

    def work() -> float:
        done.append(threading.get_ident())
        worked.release()
        return 0.3 if len(done) < 4 else 3600

    background = BackgroundWork("test", work)
    for _ in range(100):
        background.request()
    assert worked.acquire(timeout=5)
    background.request()
    assert not worked.acquire(timeout=0.1)
    assert worked.acquire(timeout=5)
    assert len(set(done)) == 1
    assert threading.get_ident() not in done
    every = BackgroundWork("test-every", work, every=0.01)
    every.start()
    assert wait_until(lambda: len(done) >= 4, 5)
