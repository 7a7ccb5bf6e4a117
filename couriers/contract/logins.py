"""The fields of a courier's login, and the callback addresses that it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def missing_login(
    alternatives: Sequence[Sequence[str]], login: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return the field that a login lacks and what is wrong, or None.

    `alternatives` are the sets of fields of which one has to be complete; () demands nothing.
    """
    if not alternatives or any(all(login.get(name) for name in one) for one in alternatives):
        return None
    begun = next((one for one in alternatives if any(login.get(n) for n in one)), alternatives[0])
    field = next(name for name in begun if not login.get(name))
    return field, f"is missing: a login is {', or '.join(' and '.join(a) for a in alternatives)}"


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
