"""A toy courier with a call to register callback addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from couriers.contract.adapter import Capability
from couriers.contract.logins import RegisteredWebhook, Webhook
from tests.support.toy import ToyAdapter


class RegisteringToy(ToyAdapter):
    """A toy courier with a call to register addresses."""

    capabilities = ToyAdapter.capabilities | {Capability.REGISTER_WEBHOOKS}
    told: ClassVar[list[list[Webhook]]] = []
    forgets: ClassVar[bool] = False

    def register_webhooks(self, webhooks: Sequence[Webhook]) -> Sequence[RegisteredWebhook]:
        self.told.append(list(webhooks))
        done = [
            RegisteredWebhook(f"hook-{n}", webhook.url, is_new=len(self.told) == 1)
            for n, webhook in enumerate(webhooks)
        ]
        return done[:1] if self.forgets else done
