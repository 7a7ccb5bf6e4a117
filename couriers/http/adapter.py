"""HttpAdapter: the base of the adapters of couriers that are called over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from couriers.contract.accounts import Account
from couriers.contract.adapter import BaseCourierAdapter
from couriers.contract.reading import Answer, Reader
from couriers.contract.registry import CourierFactory
from couriers.http.client import CourierClient
from couriers.http.metrics import CallMetrics
from couriers.http.tunables import http_tunables

Read = TypeVar("Read", bound=Answer)


class HttpAdapter(BaseCourierAdapter):
    """Has a client and a reader of its answers. A plug-in sets `client_class`.

    `default_limits` are those of the client's operations.
    """

    client_class: ClassVar[type[CourierClient]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "client_class" in cls.__dict__:
            cls.default_limits = {
                name: operation.limit for name, operation in cls.client_class.operations.items()
            }

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.client = self.client_class(account)
        self.reader = Reader(self.code)

    def ask(self, model: type[Read], operation: str, **given: Any) -> Read:
        """Call an operation and read its answer; `given` is what `CourierClient.call` takes.

        Raises Unknown for an answer that cannot be read, beside what the call raises.
        """
        return self.reader.parse(model, self.client.call(operation, **given), operation)

    def check_login(self) -> bool:
        """Log in, where that is a call. A plug-in whose login is a key may write its own."""
        return self.client.check_login()

    @classmethod
    def declare_metrics(cls) -> None:
        """Have what is counted by operation shown with 0 before the first call."""
        client = cls.client_class
        CallMetrics(cls.code, client.metrics_prefix).declare_operations(client.operations)

    @classmethod
    def max_create_seconds(cls) -> float:
        """Longest that one create call can last, in seconds: as long as the slowest operation."""
        times = http_tunables(cls.code)
        operations = cls.client_class.operations.values()
        return max(times.longest_call(operation.read_timeout) for operation in operations)


def declare_calls() -> None:
    """Have the counters of calls shown with 0 for each courier before its first call."""
    for courier in CourierFactory.codes():
        adapter = CourierFactory.adapter_class(courier)
        if issubclass(adapter, HttpAdapter):
            adapter.declare_metrics()
