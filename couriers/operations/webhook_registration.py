"""The registration of an account's callback addresses with its courier, and its webhook secret.

Registering again changes nothing. A topic that the courier's bodies do not tell from others has an
address and a secret of its own. Where the courier has no call for it, a person asks the courier.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from couriers.conf import tunables
from couriers.contract.adapter import Capability
from couriers.contract.checked_calls import call_adapter
from couriers.contract.errors import Unknown
from couriers.contract.logins import RegisteredWebhook, Webhook
from couriers.contract.receiver import Topic, topic_secret
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from couriers.models.account import previous_secret_fields
from couriers.resilience.lock import hold_lock

SECRET_BYTES = 22  # of a new secret, which is then as long as those of `topic_secret`
# For how long a courier that a person must ask may go on with the former secret. Its validity
# (WEBHOOK_PREVIOUS_SECRET_SECONDS) begins after that.
HANDOVER = dt.timedelta(days=30)


class SecretStillChanging(RuntimeError):
    """The former secret is still valid, so the courier may not know the present one yet."""


class SecretChanged(RuntimeError):
    """The secret is another one than whoever asks for a new one has seen."""


class NoReceiver(RuntimeError):
    """The account's courier has no callbacks."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """An address that a person must have the courier call, and what with.

    `header` is where the courier sends the secret, "" where that is the courier's choice.
    """

    url: str
    topics: tuple[Topic, ...]
    header: str


def is_by_hand(account: CourierAccount) -> bool:
    """Whether the courier has no call by which addresses are registered."""
    capabilities = CourierFactory.adapter_class(account.courier_id).capabilities
    return Capability.REGISTER_WEBHOOKS not in capabilities


def webhooks_of(account: CourierAccount, secret: str) -> list[Webhook]:
    """Return what the courier is to have: the account's own address first.

    Raises NoReceiver, and NoAddress where the project's own address is not known.
    """
    receiver = CourierFactory.receiver(account.courier_id)
    if receiver is None:
        raise NoReceiver(f"{account.courier_id} has no callbacks")
    own_paths = receiver.own_path_topics
    known = [topic for topic in Topic if topic is not Topic.UNKNOWN]
    shared = tuple(topic for topic in known if topic not in own_paths)
    return [
        Webhook(account.webhook_url, secret, shared),
        *(
            Webhook(account.topic_url(topic), topic_secret(secret, topic), (topic,))
            for topic in known
            if topic in own_paths
        ),
    ]


def to_ask_for(account: CourierAccount) -> list[ByHand]:
    """Return what a person must ask the courier for. Raises as `webhooks_of`."""
    found = webhooks_of(account, account.webhook_secret)
    receiver = CourierFactory.receiver(account.courier_id)
    header = receiver.secret_header if receiver else ""
    return [ByHand(webhook.url, webhook.topics, header) for webhook in found]


def register(account: CourierAccount) -> RegisteredWebhook:
    """Register every topic with the courier, with the account's present webhook secret.

    Return the account's own address. Raises CourierError, NoReceiver and NoAddress.
    """
    return _register_all(account, account.webhook_secret)


def secret_version(account: CourierAccount) -> str:
    """Return a keyed hash of the webhook secret as it is stored now, to tell a changed one by."""
    text = f"{account.pk}:{_stored_secret(account)}"
    return salted_hmac("couriers.webhook_secret", text, algorithm="sha256").hexdigest()


def rotate_secret(
    account: CourierAccount,
    *,
    settle: Callable[[float], None],
    seen: str | None = None,
    record: Callable[[], None] = lambda: None,
) -> RegisteredWebhook:
    """Have the courier use a new secret, and keep the old one valid as the previous secret.

    `settle` waits for the seconds it is given, until every web process knows the new secret; only
    then the courier is told. An interruption at any point leaves the courier with a valid secret.
    With `seen`, a `secret_version`, the secret must still be that one. `record` is called in the
    transaction that stores the new one. Raises as `register`, SecretChanged, and LockTimeout if
    another rotation is running.
    """
    with _rotating(account):
        _refuse_changed(account, seen)
        # After an interrupted rotation the courier may use the previous secret, which is dropped
        # below: have it use the current one first.
        current = _stored_secret(account)
        _register_all(account, current)
        new = secrets.token_urlsafe(SECRET_BYTES)
        with transaction.atomic():
            store_secrets(account, new, current)
            record()
        settle(tunables().WEBHOOK_ACCOUNT_CACHE + 1)
        return _register_all(account, new)


def rotate_by_hand(
    account: CourierAccount,
    *,
    settle: Callable[[float], None],
    seen: str | None = None,
    record: Callable[[], None] = lambda: None,
) -> list[Webhook]:
    """Store a new secret, which a person then tells the courier, and return where it belongs.

    `settle` waits until every web process knows it. The old one stays valid for HANDOVER and
    WEBHOOK_PREVIOUS_SECRET_SECONDS, since couriers take days. Raises SecretStillChanging while an
    earlier one is valid: the courier may still use it, and it would be dropped. `seen`, `record`
    and what else is raised are as with `rotate_secret`.
    """
    with _rotating(account):
        _refuse_changed(account, seen)
        account.refresh_from_db()
        if len(account.webhook_secrets) > 1:
            raise SecretStillChanging
        new = secrets.token_urlsafe(SECRET_BYTES)
        with transaction.atomic():
            store_secrets(account, new, account.webhook_secret, handover=HANDOVER)
            record()
        settle(tunables().WEBHOOK_ACCOUNT_CACHE + 1)
        return webhooks_of(account, new)


def drop_previous_secret(account: CourierAccount) -> None:
    """Accept the current secret only, as soon as the web processes know (within seconds)."""
    CourierAccount.objects.filter(pk=account.pk).update(
        updated_at=timezone.now(), **previous_secret_fields("")
    )


def is_seeded_secret(account: CourierAccount) -> bool:
    """Whether the present webhook secret is the one that seeding took from the environment."""
    return check_password(account.webhook_secret, account.seeded_secret_hash)


def _refuse_changed(account: CourierAccount, seen: str | None) -> None:
    if seen is not None and not constant_time_compare(seen, secret_version(account)):
        raise SecretChanged


def _rotating(account: CourierAccount) -> AbstractContextManager[bool]:
    return hold_lock(f"webhook-secret:{account.pk}", life=180, wait=1)


def _register_all(account: CourierAccount, secret: str) -> RegisteredWebhook:
    wanted = webhooks_of(account, secret)
    registered: Sequence[RegisteredWebhook] = call_adapter(
        CourierFactory.get_adapter(account), Capability.REGISTER_WEBHOOKS, wanted
    )
    return _own(account, wanted, registered)


def _own(
    account: CourierAccount, wanted: Sequence[Webhook], registered: Sequence[RegisteredWebhook]
) -> RegisteredWebhook:
    """Return the account's own address as it was registered. Raises Unknown if any was not."""
    by_url = {webhook.url: webhook for webhook in registered}
    if missing := [webhook.url for webhook in wanted if webhook.url not in by_url]:
        raise Unknown(
            f"the plug-in does not say that it registered {', '.join(missing)}",
            courier=account.courier_id,
            operation=Capability.REGISTER_WEBHOOKS.value,
        )
    return by_url[wanted[0].url]


def _stored_secret(account: CourierAccount) -> str:
    """Return the secret that the account's callbacks are signed with, as stored now."""
    return CourierAccount.objects.only("webhook_secret").get(pk=account.pk).webhook_secret


def store_secrets(
    account: CourierAccount, current: str, previous: str, *, handover: dt.timedelta = dt.timedelta()
) -> None:
    """Store the account's two webhook secrets; callbacks signed with either are accepted."""
    CourierAccount.objects.filter(pk=account.pk).update(
        webhook_secret=current,
        updated_at=timezone.now(),
        **previous_secret_fields(previous, handover=handover),
    )
