"""The fields of a courier's login, and the callback addresses that it is told."""

from __future__ import annotations

from dataclasses import dataclass

from couriers.contract.receiver import Topic


@dataclass(frozen=True, slots=True)
class LoginField:
    """A field of a courier's login.

    `name` is its key in `Account.login`; in capitals, after the courier's code and `_`, it is the
    environment variable from which `seed_courier` takes it. A field that is not `secret` is shown
    to operators. `label` and `help` are for the admin's form.
    """

    name: str
    label: str
    secret: bool = True
    required: bool = True
    help: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Webhook:
    """A callback address to register with a courier. Its repr hides the secret.

    `topics` are those that the courier is to send there.
    """

    url: str
    secret: str
    topics: tuple[Topic, ...]

    def __repr__(self) -> str:
        return f"Webhook({self.url!r}, topics={self.topics!r})"


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A callback address as the courier has it. `is_new` says whether it was added just now."""

    id: str
    url: str
    is_new: bool
