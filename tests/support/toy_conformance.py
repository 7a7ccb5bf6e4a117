"""The conformance kit of the toy courier, for each of its forms."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import ClassVar

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.testing.adapter import AdapterConformance
from couriers.testing.toy.sandbox import KEY, ToySandbox
from couriers.testing.toy.statuses import STATUSES


class ToyConformance(AdapterConformance):
    published_statuses = tuple(STATUSES)
    login: ClassVar = {"api_key": KEY}
    form: ClassVar[str]

    @classmethod
    def start_sandbox(cls) -> AbstractContextManager[ToySandbox]:
        return ToySandbox(cls.form)

    def handle(self, adapter: BaseCourierAdapter, tracking_id: str) -> str:
        return adapter.cancel_shipment(tracking_id).handle

    def arrange(self, sandbox: ToySandbox, capability: Capability, tracking_id: str) -> None:
        if capability is Capability.OUTCOME_OF:
            sandbox.advance(tracking_id, "collected")
