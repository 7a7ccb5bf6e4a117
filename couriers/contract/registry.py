"""CourierFactory: the registry of couriers, and the cached adapter of each account."""

from __future__ import annotations

import datetime as dt
import threading
from typing import ClassVar

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.errors import LoginUnreadable
from couriers.contract.logins import missing_login
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import UnknownCourier, UnreadableValue
from couriers.contract.receiver import WebhookReceiver

log = get_logger(__name__)

# In the place of a courier's code: the company's rules choose. So no courier may have this code.
AUTO = "auto"
LOGIN_RETRY_AFTER = 60  # seconds, for clients while an account's login cannot be read


class CourierFactory:
    """The registered couriers. Plug-ins register themselves in `AppConfig.ready()`.

    Adapters are cached by account, never by courier alone: two merchants of one courier must not
    book with each other's login. A changed account gets a new adapter.
    """

    _adapter_classes: ClassVar[dict[str, type[BaseCourierAdapter]]] = {}
    _receivers: ClassVar[dict[str, WebhookReceiver]] = {}
    # By account: its `updated_at` when the adapter was made, and the adapter.
    _adapters: ClassVar[dict[str, tuple[dt.datetime, BaseCourierAdapter]]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def register(
        cls, adapter: type[BaseCourierAdapter], receiver: WebhookReceiver | None = None
    ) -> None:
        """Register a courier under `adapter.code`. Registering it again replaces it."""
        with cls._lock:
            cls._remove(adapter.code)
            cls._adapter_classes[adapter.code] = adapter
            if receiver is not None:
                cls._receivers[adapter.code] = receiver

    @classmethod
    def unregister(cls, code: str) -> None:
        """Remove a courier and its cached adapters. An unknown code is ignored."""
        with cls._lock:
            cls._remove(code)

    @classmethod
    def codes(cls) -> list[str]:
        """Return the codes of the registered couriers, sorted."""
        return sorted(cls._adapter_classes)

    @classmethod
    def adapter_class(cls, code: str) -> type[BaseCourierAdapter]:
        """Return the adapter class of a courier. Raises UnknownCourier with the known codes."""
        try:
            return cls._adapter_classes[code]
        except KeyError:
            known = ", ".join(cls.codes()) or "none"
            raise UnknownCourier(f"unknown courier {code!r} (known: {known})") from None

    @classmethod
    def receiver(cls, code: str) -> WebhookReceiver | None:
        """Return the receiver of a courier's callbacks, or None where it has none."""
        return cls._receivers.get(code)

    @classmethod
    def get_adapter(cls, account: Account) -> BaseCourierAdapter:
        """Return the account's adapter. This process caches it until the account changes.

        Raises UnknownCourier where no plug-in registered the account's courier, and LoginUnreadable
        where no key opens the account's login, or it lacks one of the courier's fields.
        """
        adapter_class = cls.adapter_class(account.courier_id)
        with cls._lock:
            cached = cls._adapters.get(account.pk)
            if cached and cached[0] == account.updated_at and type(cached[1]) is adapter_class:
                return cached[1]
            try:
                _refuse_incomplete_login(adapter_class, account)
                adapter = adapter_class(account)
            except UnreadableValue as error:
                log.error("login_unreadable", account=account.pk, field=error.field)
                raise LoginUnreadable(
                    "the stored login of the account cannot be read; an operator must type it "
                    "again, or give the platform its former key",
                    courier=account.courier_id,
                    retry_after=LOGIN_RETRY_AFTER,
                ) from error
            cls._adapters[account.pk] = (account.updated_at, adapter)
            return adapter

    @classmethod
    def clear_adapters(cls) -> None:
        """Drop all cached adapters."""
        with cls._lock:
            cls._adapters.clear()

    @classmethod
    def _remove(cls, code: str) -> None:
        """Do what `unregister` does. The caller holds the lock."""
        cls._adapter_classes.pop(code, None)
        cls._receivers.pop(code, None)
        for account_id, (_, adapter) in list(cls._adapters.items()):
            if adapter.code == code:
                del cls._adapters[account_id]


def _refuse_incomplete_login(adapter_class: type[BaseCourierAdapter], account: Account) -> None:
    """Raise LoginUnreadable for a login without a required field. A save by code may make one."""
    required = [field.name for field in adapter_class.login_fields if field.required]
    missing = [name for name in required if not account.login.get(name)]
    # The login is read where the courier wants one: its column may not be loaded.
    alternatives = adapter_class.login_alternatives
    if alternatives and (lacking := missing_login(alternatives, account.login)):
        missing.append(lacking[0])
    if missing:
        log.error("login_incomplete", account=account.pk, missing=missing)
        raise LoginUnreadable(
            f"the stored login of the account lacks {', '.join(missing)}; an operator must type it",
            courier=account.courier_id,
            retry_after=LOGIN_RETRY_AFTER,
        )
