"""CourierFactory: the registry of couriers, and the cached adapter of an account."""

from __future__ import annotations

import datetime as dt
import threading
from typing import ClassVar

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.receiver import WebhookReceiver


class CourierFactory:
    """Plug-ins register here from `AppConfig.ready()`; everybody else asks here.

    Adapters are cached by account, never by courier alone: two merchants of one courier must not
    book with each other's login. A changed account gets a new adapter.
    """

    _adapters: ClassVar[dict[str, type[BaseCourierAdapter]]] = {}
    _receivers: ClassVar[dict[str, WebhookReceiver]] = {}
    _cache: ClassVar[dict[str, tuple[dt.datetime, BaseCourierAdapter]]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def register(
        cls, adapter: type[BaseCourierAdapter], receiver: WebhookReceiver | None = None
    ) -> None:
        """Make a courier known under `adapter.code`; registering again replaces it."""
        with cls._lock:
            cls._adapters[adapter.code] = adapter
            if receiver is None:
                cls._receivers.pop(adapter.code, None)
            else:
                cls._receivers[adapter.code] = receiver
            for account_id, (_, cached) in list(cls._cache.items()):
                if cached.code == adapter.code:
                    del cls._cache[account_id]

    @classmethod
    def unregister(cls, code: str) -> None:
        """Forget a courier."""
        with cls._lock:
            cls._adapters.pop(code, None)
            cls._receivers.pop(code, None)
            for account_id, (_, cached) in list(cls._cache.items()):
                if cached.code == code:
                    del cls._cache[account_id]

    @classmethod
    def clear_cache(cls) -> None:
        """Forget the adapters that were made; each account gets a new one at its next use."""
        with cls._lock:
            cls._cache.clear()

    @classmethod
    def codes(cls) -> list[str]:
        """The registered couriers, sorted."""
        return sorted(cls._adapters)

    @classmethod
    def adapter_class(cls, code: str) -> type[BaseCourierAdapter]:
        """The adapter class of a courier. Raises UnknownCourier, naming the known ones."""
        try:
            return cls._adapters[code]
        except KeyError:
            known = ", ".join(cls.codes()) or "none"
            raise UnknownCourier(f"unknown courier {code!r} (known: {known})") from None

    @classmethod
    def receiver(cls, code: str) -> WebhookReceiver | None:
        """The receiver of a courier's callbacks, or None where it has none."""
        return cls._receivers.get(code)

    @classmethod
    def get_adapter(cls, account: Account) -> BaseCourierAdapter:
        """The account's adapter, cached in this process until the account changes."""
        adapter_class = cls.adapter_class(account.courier_id)
        with cls._lock:
            cached = cls._cache.get(account.pk)
            if cached and cached[0] == account.updated_at and type(cached[1]) is adapter_class:
                return cached[1]
            adapter = adapter_class(account)
            cls._cache[account.pk] = (account.updated_at, adapter)
            return adapter
