"""Our callbacks at Ekart: registered once, signed with a secret that can be changed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client

from couriers.contract.errors import CourierError
from couriers.contract.receiver import Topic, topic_secret
from couriers.models import CourierAccount
from couriers.operations.seeding import AccountDetails, seed
from couriers.operations.webhook_registration import drop_previous_secret, rotate_secret
from couriers_ekart.client import EkartClient
from couriers_ekart.receiver import EkartReceiver, MalformedEvent
from sandbox.process import SandboxProcess
from tests.support.callbacks import callback_path
from tests.support.commands import run_json
from tests.support.factories import CompanyFactory, CourierAccountFactory
from tests.support.sandboxes import sandbox_fixture
from webhooks import accounts

pytestmark = pytest.mark.django_db
OLD = "a-secret-of-tests"
DELIVERED: dict[str, Any] = {
    "ctime": 1793400000000, "status": "Delivered", "location": "", "desc": "Delivered",
    "attempts": "0", "wbn": "1", "id": "T1", "orderNumber": "A-1", "edd": 1793300000000,
}  # fmt: skip
CREATED: dict[str, Any] = {"id": "T1", "wbn": "1", "vendor": "EKART", "orderNumber": "A-1"}
RECREATED = Topic.SHIPMENT_RECREATED
NONE = [None, "", "0", 0, "soon", 1793300000, 1e300, ["x"], {"a": 1}]


sandbox = sandbox_fixture("--hold", "--record")


@pytest.fixture
def account(sandbox: SandboxProcess) -> CourierAccount:
    fast = {"count": 1000, "window": 1}
    limits = dict.fromkeys(("list_webhooks", "add_webhook", "edit_webhook"), fast)
    return CourierAccountFactory(
        company=CompanyFactory(slug="acme"), base_url=sandbox.url, limits=limits
    )


def seed_secret(account: CourierAccount, secret: str) -> None:
    """Seed the account again, with this webhook secret in the environment."""
    seed("ekart", "acme", None, AccountDetails(account.base_url, account.login, secret), {})


def register(*flags: str) -> dict[str, Any]:
    return run_json("register_webhooks", "ekart", "--company", "acme", *flags)


def answer_to(account: CourierAccount, secret: str, client: Client) -> int:
    """What a callback that is signed with the secret is answered."""
    accounts.clear_cache()
    body = json.dumps({"id": "T1", "orderNumber": "A-1", "n": secret}).encode()
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return client.post(
        callback_path(account),
        body,
        content_type="application/json",
        headers={"x-ekart-signature": signature},
    ).status_code


def signed_with(sandbox: SandboxProcess) -> set[str]:
    """The secret that Ekart was last told for the account's own URL.

    That of the URL of recreations must be derived from it.
    """
    last = {
        r["body"]["url"]: r["body"]["secret"]
        for r in sandbox.requests()
        if r["operation"] in ("add_webhook", "edit_webhook")
    }
    (own,) = (secret for url, secret in last.items() if not url.endswith(f"/{RECREATED}/"))
    (recreated,) = (secret for url, secret in last.items() if url.endswith(f"/{RECREATED}/"))
    assert recreated == topic_secret(own, RECREATED)
    return {own}


def test_registering_twice_changes_nothing(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    first, again = register(), register()
    assert (first["created"], again["created"]) == (True, False)
    hooks = EkartClient(account).call("list_webhooks")
    assert sorted(topic for hook in hooks for topic in hook["topics"]) == [
        "shipment_created", "shipment_recreated", "track_updated",
    ]  # fmt: skip


def test_recreations_have_a_path_and_a_secret_of_their_own(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    register()
    by_topic = {topic: hook for hook in sandbox_hooks(account) for topic in hook["topics"]}
    own, recreated = by_topic["shipment_created"], by_topic["shipment_recreated"]
    assert by_topic["track_updated"] is own
    assert recreated["url"] == own["url"] + "shipment_recreated/"
    assert (own["secret"], recreated["secret"]) == (OLD, topic_secret(OLD, RECREATED))
    assert 6 <= len(recreated["secret"]) <= 30


def test_other_urls_of_the_account_are_switched_off_and_those_of_others_kept(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    former = account.webhook_url + "?topic=shipment_recreated"
    foreign = "https://other.example/webhooks/ekart/acc_y/"
    for url in (former, foreign):
        hook = {"url": url, "secret": OLD, "topics": ["shipment_recreated"], "active": True}
        EkartClient(account).call("add_webhook", json=hook)
    register()
    active = {hook["url"] for hook in sandbox_hooks(account) if hook["active"]}
    assert active == {account.webhook_url, account.topic_url(RECREATED), foreign}


def sandbox_hooks(account: CourierAccount) -> list[dict[str, Any]]:
    hooks: list[dict[str, Any]] = EkartClient(account).call("list_webhooks")
    return hooks


def test_the_new_and_the_previous_secret_are_valid_after_a_rotation(
    account: CourierAccount, sandbox: SandboxProcess, client: Client, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}
    register()
    done = register("--rotate-secret")
    assert (done["secret_rotated"], done["previous_secret_valid"]) == (True, True)
    account.refresh_from_db()
    new = account.webhook_secret
    assert new != OLD
    assert signed_with(sandbox) == {new}
    assert answer_to(account, new, client) == 200
    assert answer_to(account, OLD, client) == 200
    assert answer_to(account, "another-secret", client) == 401
    assert new not in json.dumps(done)
    assert register("--forget-previous")["previous_secret_valid"] is False
    assert answer_to(account, OLD, client) == 401
    assert answer_to(account, new, client) == 200


def test_a_rotation_tells_ekart_only_when_every_process_knows_the_new_secret(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    register()
    seen = []

    def settle(seconds: float) -> None:
        row = CourierAccount.objects.get()
        seen.append((seconds, row.webhook_secret != OLD, signed_with(sandbox)))

    rotate_secret(account, settle=settle)
    assert seen == [(11.0, True, {OLD})]


def test_an_interrupted_rotation_never_drops_the_secret_that_ekart_signs_with(
    account: CourierAccount, sandbox: SandboxProcess, client: Client
) -> None:
    register()

    def cut(_: float) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        account.refresh_from_db()
        with pytest.raises(KeyboardInterrupt):
            rotate_secret(account, settle=cut)
        (in_use,) = signed_with(sandbox)
        assert answer_to(account, in_use, client) == 200


def test_an_unreachable_courier_fails_the_rotation_and_keeps_the_secrets(
    account: CourierAccount, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("list_webhooks", "error_before", 1.0))
    with pytest.raises(CommandError, match="failed"):
        register("--rotate-secret")
    with pytest.raises(CourierError):
        rotate_secret(account, settle=lambda _: None)
    account.refresh_from_db()
    assert (account.webhook_secret, account.previous_webhook_secret) == (OLD, "")


def test_seeding_with_another_secret_keeps_the_one_that_ekart_signs_with(
    account: CourierAccount,
) -> None:
    seed_secret(account, "another-secret")
    account.refresh_from_db()
    assert account.webhook_secrets == ("another-secret", OLD)
    seed_secret(account, "another-secret")
    account.refresh_from_db()
    assert account.webhook_secrets == ("another-secret", OLD)


def test_seeding_again_does_not_bring_back_a_secret_that_was_rotated_away(
    account: CourierAccount,
) -> None:
    seed_secret(account, "a-leaked-secret")
    account.refresh_from_db()
    for retire in (lambda _: None, drop_previous_secret):
        rotate_secret(account, settle=lambda _: None)
        retire(account)
        account.refresh_from_db()
        rotated = account.webhook_secrets
        seed_secret(account, "a-leaked-secret")
        account.refresh_from_db()
        assert account.webhook_secrets == rotated
    assert "a-leaked-secret" not in rotated
    seed_secret(account, "a-new-secret")
    account.refresh_from_db()
    assert account.webhook_secret == "a-new-secret"


@pytest.mark.parametrize("edd", NONE)
def test_an_unreadable_delivery_estimate_does_not_lose_the_scan(edd: Any) -> None:
    (event,) = EkartReceiver().parse(DELIVERED | {"edd": edd})
    assert event.scan is not None
    assert (event.scan.mapped.status, event.estimated_delivery_ms) == ("delivered", None)
    (event,) = EkartReceiver().parse(DELIVERED | {"edd": "1793300000000"})
    assert event.estimated_delivery_ms == 1793300000000


@pytest.mark.parametrize("name", ["location", "desc", "wbn", "orderNumber", "ndrStatus"])
def test_an_update_is_malformed_only_without_id_status_or_time(name: str) -> None:
    for junk in (None, ["x"], {"a": 1}):
        (event,) = EkartReceiver().parse(DELIVERED | {name: junk})
        assert event.scan is not None
    for needed in ("id", "status", "ctime"):
        with pytest.raises(MalformedEvent):
            EkartReceiver().parse(DELIVERED | {needed: ["x"]})


def test_a_creation_is_malformed_only_without_id_or_order_number() -> None:
    (event,) = EkartReceiver().parse(CREATED | {"wbn": ["x"], "vendor": {"a": 1}})
    assert (event.tracking_id, event.order_number, event.waybill) == ("T1", "A-1", "")
    for needed in ("id", "orderNumber"):
        with pytest.raises(MalformedEvent):
            EkartReceiver().parse(CREATED | {needed: ["x"]})
