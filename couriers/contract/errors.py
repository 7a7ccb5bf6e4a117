"""The errors of calls to a courier, classified by what the caller may do next.

CourierError
├── NotSent                 the request was not sent: it may be retried
│   ├── RateLimited         the platform's rate limit is used up
│   ├── TooManyInFlight     too many calls are under way in this process
│   ├── CircuitOpen         the courier has been failing, so calls to it are held back
│   ├── TimeIsUp            the booking's lease is about to run out
│   ├── CourierDisabled     the courier or the account is switched off
│   │   └── CourierNotEnabled  the courier's roll-out does not include the company
│   ├── NoReservedId        there is no reserved number to book with
│   ├── EarlierUnclear      the courier cannot say whether it has an earlier attempt
│   ├── LoginUnreadable     no key opens the account's login, or it lacks a field
│   └── WarehouseInDoubt    a person must give the courier's reference of the warehouse
├── NotDone                 the courier did nothing: retry after the delay it names
│   ├── TooManyRequests     the courier's rate limit is used up (HTTP 429)
│   ├── TokenRefused        the courier refused the token, and there is no newer one
│   ├── ReservedIdRefused   the courier does not take the reserved number, and nothing has it
│   └── UnknownPickupAlias  the warehouse is not registered with the courier
├── Rejected                the courier or a check before the call refused: never retry unchanged
│   ├── InvalidRequest      found before any call; names every field
│   ├── NotFound            the courier knows no such shipment
│   ├── OrderKept           no parcel was booked, and the courier may have kept the order
│   ├── CredentialsRefused  the account's login is wrong
│   └── NotSupported        this courier has no such operation; raised before any call
└── Unknown                 the request may have been carried out: never repeat a booking
    └── PerhapsBooked       the courier answered that it failed, and may have saved the booking
        └── OrderTaken      the courier has an equal order already: this booking or an older one
            └── NumberTaken the reserved number is used already, or not usable yet

The class decides what the caller may do next, not the HTTP status (docs/booking.md).
Messages hold the courier, the operation and the courier's own words, never a consignee's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar


class CourierError(Exception):
    """Base of all errors that an adapter raises.

    `outcome` names the class in the API, in metrics and in the audit of calls. `code` and
    `courier_message` are from the courier's answer. `retry_after` is in seconds, None where no
    delay is known.
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

    @property
    def reason(self) -> str:
        """The message and the courier's own words, for merchants: without the operation's name."""
        words = f": {self.courier_message}" if self.courier_message else ""
        return f"{self.message}{words}"

    def __str__(self) -> str:
        where = " ".join(part for part in (self.courier, self.operation) if part)
        status = f" (HTTP {self.http_status})" if self.http_status else ""
        words = f": {self.courier_message}" if self.courier_message else ""
        return f"{where + ': ' if where else ''}{self.message}{status}{words}"


class NotSent(CourierError):
    """The request was not sent, so nothing happened at the courier."""

    outcome = "not_sent"


class RateLimited(NotSent):
    """The platform's limit of this account's calls to the operation is used up."""


class TooManyInFlight(NotSent):
    """So many calls are under way in this process that one more could hold its last threads."""


class CircuitOpen(NotSent):
    """The courier has been failing, so calls are held back for `retry_after` seconds."""


class TimeIsUp(NotSent):
    """The booking's lease is about to run out: a request sent now could book the order twice."""


class CourierDisabled(NotSent):
    """An operator has switched off new bookings with this courier or account."""


class CourierNotEnabled(CourierDisabled):
    """The courier's roll-out does not include the company. Only an operator can change that."""


class NoReservedId(NotSent):
    """The account has no unused reserved number, and the courier gave none now."""


class EarlierUnclear(NotSent):
    """An earlier attempt may have reached the courier, which cannot say now whether it did."""


class LoginUnreadable(NotSent):
    """The account's login lacks a field, or no key of FERNET_KEYS of this process opens it."""


class WarehouseInDoubt(NotSent):
    """Whether the courier has registered the warehouse is not known; asking again may do it twice.

    Bookings from the warehouse are held back until a person gives the courier's reference.
    """


# Errors of this kind are there until a person has done something.
HELD_BY_PERSON = (CourierDisabled, WarehouseInDoubt)


class NotDone(CourierError):
    """The courier answered that it did nothing; retry after `retry_after` seconds."""

    outcome = "not_done"


class TooManyRequests(NotDone):
    """The courier's own rate limit is used up (HTTP 429)."""


class TokenRefused(NotDone):
    """The courier refused the access token, and there is no newer one."""


class ReservedIdRefused(NotDone):
    """The courier does not take the reserved number, and no shipment of its has it.

    The platform books with another number.
    """


class UnknownPickupAlias(NotDone):
    """The pickup address is not registered: register it, then send the request once more."""


class Rejected(CourierError):
    """A definite refusal: the same request will be refused again."""

    outcome = "rejected"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One problem with one field, in the merchant's own vocabulary (`consignee.phone`)."""

    field: str
    message: str


class InvalidRequest(Rejected):
    """The request was refused before any call. `problems` holds every problem found."""

    def __init__(self, problems: Iterable[FieldProblem], *, courier: str = "", operation: str = ""):
        self.problems = tuple(problems)
        text = "; ".join(f"{p.field}: {p.message}" for p in self.problems)
        super().__init__(text or "invalid request", courier=courier, operation=operation)


class NotFound(Rejected):
    """The courier knows no such shipment."""


class CredentialsRefused(Rejected):
    """The courier refused the account's user name or password."""


ORDER_KEPT = "order-kept"  # the code of OrderKept, by which its call is found again


class OrderKept(Rejected):
    """No parcel was booked, and the courier may have kept the order: look before sending it again.

    A create call raises it, and a search that finds the order without a parcel. Another courier may
    be asked. With this one the platform searches before it books the order again.
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message, **{**facts, "code": ORDER_KEPT})

    @classmethod
    def from_refusal(cls, refusal: Rejected) -> OrderKept:
        """Return the error for a refusal that does not say whether the order was kept."""
        return cls(
            refusal.message,
            courier=refusal.courier,
            operation=refusal.operation,
            http_status=refusal.http_status,
            courier_message=refusal.courier_message,
        )


class NotSupported(Rejected):
    """The courier does not offer this operation. Raised before any network call."""


class Unknown(CourierError):
    """The request may have been carried out. A booking that ends like this is in doubt."""


class PerhapsBooked(Unknown):
    """The courier answered that the booking failed, and that it may have saved it all the same.

    Sent again, the same request gets the same answer. So it is not repeated at once, and a courier
    that can be searched is searched.
    """


class OrderTaken(PerhapsBooked):
    """The courier answered that it has such an order already: this booking, or an older one.

    A plug-in looks at once which of them it is (couriers.contract.found_bookings).
    """


class NumberTaken(OrderTaken):
    """The courier answered that the reserved number is used already, or not usable yet."""


def plugin_fault(error: Exception, courier: str) -> Unknown:
    """Return the Unknown that stands for a plug-in's exception of any other class.

    The fault may have come after the request was sent, so the outcome is unknown. Its class is the
    `code`, which the audit of calls shows to operators.
    """
    return Unknown(
        "a fault of the platform, which is in its log", courier=courier, code=type(error).__name__
    )
