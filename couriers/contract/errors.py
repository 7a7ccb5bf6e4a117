"""What can go wrong with a courier, told apart by what the caller may do next.

CourierError
├── NotSent                 the request never left: retry when you like
│   ├── RateLimited         our own limiter said no
│   ├── CircuitOpen         the courier has been failing; nobody calls for a while
│   ├── TimeIsUp            a booking has taken so long that its reservation may be given up
│   └── CourierDisabled     the courier or the account is switched off
├── NotDone                 the courier surely did nothing: retry after the delay it names
│   ├── TooManyRequests     the courier's own 429
│   ├── TokenRefused        the token was refused and no newer one is to be had
│   └── UnknownPickupAlias  the warehouse is not registered with the courier (any more)
├── Rejected                the courier, or our check before the wire, refuses: never retry as it is
│   ├── InvalidRequest      found before any call; names every field
│   ├── NotFound            the courier knows no such shipment
│   ├── CredentialsRefused  the account's login is wrong
│   └── NotSupported        this courier has no such operation; raised before any call
└── Unknown                 perhaps done, perhaps not: never repeat a booking after this

The class decides what may be done next, not the HTTP status (docs/booking.md).
Messages carry the courier, the operation and the courier's own words, never a consignee's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class CourierError(Exception):
    """Base of everything an adapter raises.

    `outcome` is the class's name on the wire, in metrics and in the audit of calls.
    `courier_message` holds the courier's own words, where there are any.
    """

    outcome: ClassVar[str] = "unknown"

    def __init__(
        self,
        message: str,
        *,
        courier: str = "",
        operation: str = "",
        http_status: int | None = None,
        code: str = "",
        courier_message: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.courier = courier
        self.operation = operation
        self.http_status = http_status
        self.code = code
        self.courier_message = courier_message
        self.retry_after = retry_after

    def __str__(self) -> str:
        where = " ".join(part for part in (self.courier, self.operation) if part)
        status = f" (HTTP {self.http_status})" if self.http_status else ""
        words = f": {self.courier_message}" if self.courier_message else ""
        return f"{where + ': ' if where else ''}{self.message}{status}{words}"


class NotSent(CourierError):
    """The request never left this machine; nothing happened at the courier."""

    outcome = "not_sent"


class RateLimited(NotSent):
    """The platform's own limit for this account and operation; `retry_after` is in seconds."""


class CircuitOpen(NotSent):
    """The courier has been failing; calls are held back for `retry_after` seconds."""


class TimeIsUp(NotSent):
    """The booking's reservation is about to run out; what leaves now could be booked twice."""


class CourierDisabled(NotSent):
    """New bookings with this courier or account are switched off by an operator."""


class NotDone(CourierError):
    """The courier answered and surely did nothing; retry after `retry_after` seconds."""

    outcome = "not_done"


class TooManyRequests(NotDone):
    """The courier's own limit (429)."""


class TokenRefused(NotDone):
    """The courier refused the access token, also after a refresh."""


class UnknownPickupAlias(NotDone):
    """The pickup address is not registered: register it, then send once more."""


class Rejected(CourierError):
    """A definite refusal; the same request will be refused again."""

    outcome = "rejected"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One problem with one field, in the merchant's own vocabulary (`consignee.phone`)."""

    field: str
    message: str


class InvalidRequest(Rejected):
    """Refused before any call. Carries every problem found, not just the first."""

    def __init__(self, problems: Iterable[FieldProblem], *, courier: str = "", operation: str = ""):
        self.problems = tuple(problems)
        text = "; ".join(f"{p.field}: {p.message}" for p in self.problems)
        super().__init__(text or "invalid request", courier=courier, operation=operation)


class NotFound(Rejected):
    """The courier knows no such shipment."""


class CredentialsRefused(Rejected):
    """The courier refused the account's user name or password."""


class NotSupported(Rejected):
    """The courier does not offer this operation. Raised before any network call."""


class Unknown(CourierError):
    """The request may have been carried out. A booking that ends so is in doubt."""
