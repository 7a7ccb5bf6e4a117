"""register_webhooks with any courier: by its call, or by a person where it has none."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from couriers.contract.errors import NotSent
from couriers.contract.logins import Webhook
from couriers.contract.receiver import Topic, topic_secret
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from couriers.operations import webhook_registration
from couriers.operations.seeding import AccountDetails, seed
from couriers.resilience.lock import hold_lock
from tests.support.ciphertext import make_unreadable
from tests.support.commands import run_command, run_json
from tests.support.registering_toy import RegisteringToy
from tests.support.toy import ToyReceiver

pytestmark = pytest.mark.django_db
OLD = "a-secret-of-tests"


@pytest.fixture(autouse=True)
def _quickly(settings: Any) -> None:
    """Web processes learn of a new secret within a second."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 0.0}


@pytest.fixture
def registering(account: CourierAccount, monkeypatch: pytest.MonkeyPatch) -> Any:
    CourierFactory.register(RegisteringToy, ToyReceiver())
    RegisteringToy.told.clear()
    monkeypatch.setattr(RegisteringToy, "forgets", False)
    return RegisteringToy


def run(account: CourierAccount, *flags: str) -> dict[str, Any]:
    return run_json("register_webhooks", "toy", "--company", account.company.slug, *flags)


def words(account: CourierAccount, *flags: str) -> str:
    return run_command("register_webhooks", "toy", "--company", account.company.slug, *flags)


def test_a_plug_in_is_told_every_topic_with_its_address_and_secret(
    account: CourierAccount, registering: Any
) -> None:
    assert run(account) == {
        "id": "hook-0", "url": account.webhook_url, "created": True, "ask_courier": [],
        "secret_rotated": False, "previous_secret_valid": False,
    }  # fmt: skip
    (told,) = registering.told
    recreated = Topic.SHIPMENT_RECREATED
    assert told == [
        Webhook(account.webhook_url, OLD, (Topic.TRACK_UPDATED, Topic.SHIPMENT_CREATED)),
        Webhook(account.topic_url(recreated), topic_secret(OLD, recreated), (recreated,)),
    ]
    assert run(account)["created"] is False


def test_a_rotation_tells_the_plug_in_the_current_secret_first_and_the_new_one_last(
    account: CourierAccount, registering: Any
) -> None:
    done = run(account, "--rotate-secret")
    account.refresh_from_db()
    assert (done["secret_rotated"], done["previous_secret_valid"]) == (True, True)
    assert account.webhook_secrets == (account.webhook_secret, OLD)
    assert [told[0].secret for told in registering.told] == [OLD, account.webhook_secret]
    assert account.webhook_secret not in json.dumps(done)
    assert run(account, "--forget-previous")["previous_secret_valid"] is False


def test_a_plug_in_that_leaves_an_address_out_is_named(
    account: CourierAccount, registering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "forgets", True)
    with pytest.raises(CommandError, match=r"does not say that it registered .*recreated/"):
        run(account)


def test_a_courier_that_cannot_be_asked_is_an_error_in_its_own_words(
    account: CourierAccount, registering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise NotSent("the circuit is open", courier="toy")

    monkeypatch.setattr(registering, "register_webhooks", refuse)
    with pytest.raises(CommandError, match="circuit is open"):
        run(account, "--rotate-secret")
    account.refresh_from_db()
    assert (account.webhook_secret, account.previous_webhook_secret) == (OLD, "")


def test_a_courier_without_the_call_is_asked_by_a_person(account: CourierAccount) -> None:
    done = run(account)
    assert (done["id"], done["url"], done["created"]) == ("", account.webhook_url, False)
    own, recreated = done["ask_courier"]
    assert own == {
        "url": account.webhook_url, "topics": ["track_updated", "shipment_created"],
        "header": "x-toy-secret", "secret": "",
        "secret_from": "whoever typed or rotated it; --rotate-secret makes and shows another",
    }  # fmt: skip
    assert recreated["url"] == account.topic_url(Topic.SHIPMENT_RECREATED)
    text = words(account)
    assert "Toy has no call to register callbacks. Ask Toy to call:" in text
    assert f"{account.webhook_url} (track_updated, shipment_created), in the header x-toy-secret"
    assert OLD not in text + json.dumps(done)


def test_a_secret_of_the_environment_is_read_there(account: CourierAccount) -> None:
    details = AccountDetails(account.base_url, account.login, "seeded-secret")
    seed("toy", account.company.slug, None, details, {})
    own, recreated = run(account)["ask_courier"]
    assert own["secret_from"] == "TOY_WEBHOOK_SECRET"
    assert recreated["secret_from"] != "TOY_WEBHOOK_SECRET", "it is derived, so nobody can read it"


def test_a_rotation_by_hand_shows_the_new_secret_once_and_keeps_the_former_for_weeks(
    account: CourierAccount,
) -> None:
    done = run(account, "--rotate-secret")
    account.refresh_from_db()
    new = account.webhook_secret
    assert new != OLD
    assert [one["secret"] for one in done["ask_courier"]] == [
        new, topic_secret(new, Topic.SHIPMENT_RECREATED),
    ]  # fmt: skip
    assert account.webhook_secrets == (new, OLD)
    assert account.previous_webhook_secret_until is not None
    left = account.previous_webhook_secret_until - timezone.now()
    assert dt.timedelta(days=30) < left <= dt.timedelta(days=31)
    text = words(account)
    assert new not in text
    assert "The previous secret is valid until " in text


def test_a_second_rotation_by_hand_would_drop_the_secret_in_use_and_is_refused(
    account: CourierAccount,
) -> None:
    run(account, "--rotate-secret")
    account.refresh_from_db()
    secrets = account.webhook_secrets
    with pytest.raises(CommandError, match="run --forget-previous, then rotate") as refused:
        run(account, "--rotate-secret")
    assert refused.value.returncode == 2
    account.refresh_from_db()
    assert account.webhook_secrets == secrets
    assert run(account, "--forget-previous")["previous_secret_valid"] is False
    run(account, "--rotate-secret")


def test_a_person_learns_the_new_secret_only_when_every_process_knows_it(
    account: CourierAccount, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"WEBHOOK_ACCOUNT_CACHE": 10.0}
    seen = []

    def settle(seconds: float) -> None:
        seen.append((seconds, CourierAccount.objects.get().webhook_secret != OLD))

    assert webhook_registration.rotate_by_hand(account, settle=settle)
    assert seen == [(11.0, True)]


@pytest.mark.django_db(transaction=True)
def test_two_rotations_do_not_run_at_once(account: CourierAccount) -> None:
    with (
        hold_lock(f"webhook-secret:{account.pk}", life=60, wait=0),
        pytest.raises(CommandError, match="another rotation"),
    ):
        run(account, "--rotate-secret")


def test_what_is_missing_is_named(account: CourierAccount, registering: Any) -> None:
    CourierAccount.objects.update(webhook_secret="")
    with pytest.raises(CommandError, match="set TOY_WEBHOOK_SECRET and run seed_courier again"):
        run(account)
    with pytest.raises(CommandError, match="has no account with ekart: run seed_courier ekart"):
        run_command("register_webhooks", "ekart", "--company", account.company.slug)
    CourierAccount.objects.update(webhook_secret=OLD)
    CourierFactory.register(RegisteringToy)
    CourierFactory._receivers.pop("toy", None)
    with pytest.raises(CommandError, match="toy has no callbacks"):
        run(account)


def test_a_login_that_cannot_be_read_is_named_with_the_exit_code_of_later(
    account: CourierAccount, registering: Any
) -> None:
    make_unreadable(account, "login")
    with pytest.raises(CommandError, match="login of the account cannot be read") as refused:
        run(account)
    assert refused.value.returncode == 3
