"""Trying out an account before a company ships with it: its login, and its callbacks.

Each try calls the courier, or this project's own public address, so none runs in a transaction.
How the last one of each kind ended is kept (models/account_check.py). The typed login of an account
that is not saved yet can be tried, too, and then nothing is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.crypto import salted_hmac

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotDone,
    NotSent,
    Unknown,
    plugin_fault,
)
from couriers.contract.logs import get_logger
from couriers.contract.origins import is_one_of
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.contract.text import make_storable
from couriers.models import AccountCheck, CheckKind, CheckOutcome, CourierAccount
from couriers.models.account_check import MAX_SAID
from couriers.models.addresses import NoAddress
from couriers.models.transactions import refuse_open_transaction
from couriers.operations.webhook_registration import NoReceiver, is_by_hand, register, webhooks_of
from couriers.resilience import waits

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a try ended, and what was said, in one sentence for people."""

    outcome: CheckOutcome
    said: str

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.outcome is CheckOutcome.PASSED


# Sends the account a test callback through its public address; returns what is wrong with it, or
# "". Raises OSError where nothing answers there.
SendTest = Callable[[CourierAccount], str]
_senders: list[SendTest] = []


def register_test_callback(send: SendTest) -> None:
    """Have `send` send test callbacks. The app of the inbox calls it in `ready()`."""
    if send not in _senders:
        _senders.append(send)


def try_login(account: CourierAccount) -> Tried:
    """Ask the courier whether it takes the login of the account, which may be unsaved.

    Stores nothing, no token either. The adapter is the account's own and not the cached one, which
    has the login that is stored.
    """
    refuse_open_transaction("try_login()")
    name = account.courier.name
    try:
        adapter = CourierFactory.adapter_class(account.courier_id)(account)
        with waits.limit_sum():
            is_offered = adapter.check_login()
    except UnreadableValue:
        return Tried(CheckOutcome.REFUSED, "No key opens the stored login: type it again.")
    except CredentialsRefused as error:
        tried = _of_error(name, error)
        return Tried(tried.outcome, f"{tried.said}{_server_of(account)}")
    except CourierError as error:
        return _of_error(name, error)
    except Exception as error:
        log.exception("adapter_failed", courier=account.courier_id, operation="check_login")
        return _of_error(name, plugin_fault(error, account.courier_id))
    if not is_offered:
        text = f"{name} has no call that tries a login. The test booking will show it."
        return Tried(CheckOutcome.NOT_OFFERED, text)
    return Tried(CheckOutcome.PASSED, f"{name} accepts the login.")


def _server_of(account: CourierAccount) -> str:
    """Return which server of its courier the account is at, where it has a test and a live one."""
    adapter = CourierFactory.adapter_class(account.courier_id)
    if not (adapter.test_hosts and adapter.live_hosts):
        return ""
    names = {"test": adapter.test_hosts, "live": adapter.live_hosts}
    for kind, hosts in names.items():
        if is_one_of(account.base_url, hosts):
            other = "live" if kind == "test" else "test"
            return (
                f" The base URL is that of {account.courier.name}'s {kind} server, which refuses "
                f"the login of the {other} one."
            )
    return ""


def check_login(account: CourierAccount, actor: AbstractBaseUser | None) -> AccountCheck:
    """Try the stored login, and keep how it ended."""
    return keep_login(account, try_login(account), actor)


def keep_login(
    account: CourierAccount, tried: Tried, actor: AbstractBaseUser | None
) -> AccountCheck:
    """Keep how a try of the login ended that the account is stored with now."""
    return _keep(account, CheckKind.LOGIN, tried, about_login(account), actor)


def register_callbacks(account: CourierAccount, actor: AbstractBaseUser | None) -> AccountCheck:
    """Register the account's callback addresses with the courier, and keep how it ended.

    Registering again changes nothing. The account has a webhook secret.
    """
    refuse_open_transaction("register_callbacks()")
    return _keep(account, CheckKind.CALLBACKS, _register(account), about_callbacks(account), actor)


def _register(account: CourierAccount) -> Tried:
    name = account.courier.name
    try:
        if is_by_hand(account):
            text = f"{name} has no call for it: a person must ask {name}."
            return Tried(CheckOutcome.NOT_OFFERED, text)
        with waits.limit_sum():
            done = register(account)
    except (NoAddress, NoReceiver) as error:
        return Tried(CheckOutcome.REFUSED, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except CourierError as error:
        return _of_error(name, error)
    return _registered(account, done.url)


def keep_registration(
    account: CourierAccount, url: str, actor: AbstractBaseUser | None
) -> AccountCheck:
    """Keep that the courier has the callback addresses with the secret as it is stored now."""
    tried = _registered(account, url)
    return _keep(account, CheckKind.CALLBACKS, tried, about_callbacks(account), actor)


def _registered(account: CourierAccount, url: str) -> Tried:
    return Tried(CheckOutcome.PASSED, f"{account.courier.name} sends callbacks to {url}.")


def send_test_callback(account: CourierAccount, actor: AbstractBaseUser | None) -> AccountCheck:
    """Send the account a callback as the courier would sign it, and keep how it ended."""
    refuse_open_transaction("send_test_callback()")
    tried = _send(account)
    return _keep(account, CheckKind.TEST_CALLBACK, tried, about_callbacks(account), actor)


def _send(account: CourierAccount) -> Tried:
    if not _senders:
        return Tried(CheckOutcome.NOT_OFFERED, "The project has no inbox for callbacks.")
    try:
        problem = _senders[0](account)
    except NoAddress as error:
        problem = str(error)
    except OSError:
        text = "Nothing answers at the callback address. Is it reachable from the internet?"
        return Tried(CheckOutcome.NO_ANSWER, text)
    if problem:
        return Tried(CheckOutcome.REFUSED, f"{problem[:1].upper()}{problem[1:]}.")
    return Tried(CheckOutcome.PASSED, "The inbox took a test callback signed with the secret.")


def about_login(account: CourierAccount) -> str:
    """Return a keyed hash of the login and the server; "" where no key opens the login."""
    try:
        return _keyed_hash([account.base_url, dict(account.login)])
    except UnreadableValue:
        return ""


def about_callbacks(account: CourierAccount) -> str:
    """Return a keyed hash of the callback addresses and their secrets; "" where there are none."""
    try:
        wanted = webhooks_of(account, account.webhook_secret)
    except (NoAddress, NoReceiver, UnreadableValue):
        return ""
    return _keyed_hash([[webhook.url, webhook.secret] for webhook in wanted])


def _keyed_hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return salted_hmac("couriers.operations.account_checks", text, algorithm="sha256").hexdigest()


def _of_error(name: str, error: CourierError) -> Tried:
    """Return what the courier said. Its words are masked already (couriers.http)."""
    status = f" (HTTP {error.http_status})" if error.http_status else ""
    code = f", code {error.code}" if error.code else ""
    if isinstance(error, CredentialsRefused):
        return Tried(CheckOutcome.REFUSED, f"{name} says: {error.reason}{status}{code}.")
    if isinstance(error, (NotSent, NotDone, Unknown)):
        text = f"{name} could not be asked: {error.reason}{status}. Try again later."
        return Tried(CheckOutcome.NO_ANSWER, text)
    return Tried(CheckOutcome.REFUSED, f"{name} says: {error.reason}{status}{code}.")


def _keep(
    account: CourierAccount,
    kind: CheckKind,
    tried: Tried,
    about: str,
    actor: AbstractBaseUser | None,
) -> AccountCheck:
    values = {
        "outcome": tried.outcome,
        "said": make_storable(tried.said)[:MAX_SAID],
        "about": about,
        "at": timezone.now(),
        "actor_id": actor.pk if actor else None,
    }
    check, _ = AccountCheck.objects.update_or_create(account=account, kind=kind, defaults=values)
    return check
