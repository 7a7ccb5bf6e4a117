"""The couriers of the demo: their sandboxes, the logins there, and how their parcels end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.process import SandboxProcess
from shipcrowd.stack import SANDBOX_LOGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCourier:
    """A courier with a sandbox. `login` is for the environment, by the names of its variables.

    `ends` has the platform's status for how each last status of the sandbox begins. A courier that
    registers no callbacks is told their address, or is polled.
    """

    code: str
    login: Mapping[str, str]
    ends: Mapping[str, str]
    flags: Sequence[str] = ()
    registers_webhooks: bool = False
    is_polled: bool = False

    def sandbox(self, *flags: str) -> SandboxProcess:
        """Return the sandbox, which runs inside a `with` block."""
        return SandboxProcess(self.code, *self.flags, *flags)

    def environment(self, url: str, secret: str) -> dict[str, str]:
        """Return the variables by which seed_courier makes an account at the sandbox's URL."""
        name = self.code.upper()
        return {f"{name}_BASE_URL": url, f"{name}_WEBHOOK_SECRET": secret, **self.login}

    def status_of(self, last: str) -> str | None:
        """Return the platform's status for a status of the sandbox, None if none is known."""
        return next((ours for theirs, ours in self.ends.items() if last.startswith(theirs)), None)


# The keys of one process' sandboxes, so that no page of the platform shows them by chance.
DELHIVERY_KEY, VELOCITY_KEY = secrets.token_hex(12), secrets.token_hex(12)
EKART = DemoCourier(
    code="ekart",
    login=SANDBOX_LOGIN,
    ends={
        "Delivered": "delivered", "Undelivered": "undelivered", "RTO Delivered": "rto_delivered",
    },
    registers_webhooks=True,
)  # fmt: skip
DELHIVERY = DemoCourier(
    code="delhivery",
    login={"DELHIVERY_API_TOKEN": DELHIVERY_KEY, "DELHIVERY_CLIENT_NAME": "SANDBOX SURFACE"},
    flags=("--key", DELHIVERY_KEY),
    # The code of an attempt that failed begins with EOD.
    ends={
        "DL/Delivered/": "delivered", "UD/Pending/EOD": "undelivered", "DL/RTO/": "rto_delivered",
    },
)  # fmt: skip
VELOCITY = DemoCourier(
    code="velocity",
    login={"VELOCITY_API_KEY": VELOCITY_KEY},
    flags=("--api-key", VELOCITY_KEY),
    ends={
        "delivered": "delivered", "ndr_raised": "undelivered", "rto_delivered": "rto_delivered",
    },
    is_polled=True,
)  # fmt: skip
COURIERS = (EKART, DELHIVERY, VELOCITY)
