"""The tunables: one SHIPCROWD dict in the settings, its defaults and their meaning.

A courier's plug-in has tunables of its own under SHIPCROWD["COURIERS"][code] and reads them with
the same machinery.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.signals import setting_changed

T = TypeVar("T")
N = TypeVar("N", int, float)

LARGEST_PAGE = 200
LONGEST_DAYS = 36_500
# Of anything else; dates can still be reckoned with as many seconds.
LARGEST = 1_000_000_000
_BOUNDS = "bounds"


def between(default: N, least: float, most: float = LARGEST) -> N:
    """A tunable of that default, from `least` to `most`; without, 0 is the least."""
    field: N = dataclasses.field(default=default, metadata={_BOUNDS: (least, most)})
    return field


@dataclass(frozen=True, slots=True)
class Tunables:
    """What a deployment may set in SHIPCROWD. Times are seconds unless the name says days."""

    # How long a booking may be in flight before it is in doubt. Longer than any adapter's
    # booking_deadline: nothing is sent from that long before its end on.
    BOOKING_LEASE: float = 150.0
    # How long an API request waits for the rate limiter before it answers 503.
    API_LIMITER_WAIT: float = 2.0
    # Consecutive infrastructure failures that open the circuit, and how long it stays open.
    BREAKER_FAILURES: int = between(5, 1)
    BREAKER_COOLDOWN: float = 60.0
    # The largest callback that is read, in bytes, and how long an account is cached for it.
    WEBHOOK_MAX_BYTES: int = between(65536, 1)
    WEBHOOK_ACCOUNT_CACHE: float = 10.0
    # How many callbacks a worker takes at once, and how long one waits for its shipment.
    INBOX_BATCH: int = between(500, 1)
    INBOX_EARLY_EVENT_WAIT: float = 86400.0
    # Shipments in one page, and orders in one request to shipments/bulk/.
    PAGE_SIZE: int = between(50, 1, LARGEST_PAGE)
    BULK_MAX_ORDERS: int = between(1000, 1)
    # How long a worker holds an order of a bulk job, and how many of one job it books at once.
    BULK_LEASE: float = 200.0
    BULK_THREADS: int = between(4, 1, 64)
    # How long a worker holds a chunk of a manifest, the back-off after a failure (doubled each
    # time, up to the longest), and the failures after which a chunk is given up.
    MANIFEST_LEASE: float = 120.0
    MANIFEST_BACKOFF: float = 5.0
    MANIFEST_LONGEST_BACKOFF: float = 600.0
    MANIFEST_FAILURES: int = between(12, 1)
    # The policy that makes a merchant's price of a courier's quote, by its dotted path, and how
    # long a quote is kept.
    PRICING: str = "couriers.rates.pricing.company_price"
    QUOTE_CACHE: float = 300.0
    # For how long a loaded list of pincodes is believed.
    SERVICEABILITY_FRESH_DAYS: int = between(7, 0, LONGEST_DAYS)
    # The largest label that is stored, in bytes.
    LABEL_MAX_BYTES: int = between(10485760, 1)
    # A shipment is polled when nothing was heard of it for this long, and not again within it.
    TRACKING_SILENCE: float = 14400.0
    TRACKING_THREADS: int = between(8, 1, 64)
    # How long rows are kept.
    RETENTION_KEYS_DAYS: int = between(30, 1, LONGEST_DAYS)
    RETENTION_EVENTS_DAYS: int = between(90, 1, LONGEST_DAYS)
    RETENTION_CALLS_DAYS: int = between(30, 1, LONGEST_DAYS)
    # How many rows are deleted at once, and the pause after that.
    RETENTION_BATCH: int = between(1000, 1)
    RETENTION_PAUSE: float = 0.05
    # A plug-in's own tunables, by the courier's code.
    COURIERS: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)


def problems_of(kind: type, given: Any) -> list[tuple[str, str]]:
    """What is wrong with a dict of tunables: pairs of key and complaint, empty when all is well."""
    if not isinstance(given, dict):
        return [("", f"must be a dict, not {type(given).__name__}")]
    defaults = kind()
    known = {field.name: field for field in dataclasses.fields(kind)}
    found = []
    for key, value in given.items():
        if key not in known:
            found.append((str(key), f"is not a setting (known: {', '.join(sorted(known))})"))
        elif complaint := _complaint(known[key], getattr(defaults, key), value):
            found.append((key, complaint))
    return found


def _complaint(field: dataclasses.Field[Any], default: Any, value: Any) -> str | None:
    """What is wrong with the value of a tunable, or None."""
    number = isinstance(default, (int, float)) and not isinstance(default, bool)
    kind = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, kind) or (number and isinstance(value, bool)):
        return f"must be like {default!r}, not {value!r}"
    least, most = field.metadata.get(_BOUNDS, (0, LARGEST))
    if number and not least <= value <= most:
        return f"must be {least} to {most}, not {value!r}"
    return None


def tunables_messages(kind: type, given: Any, where: str, prefix: str) -> list[CheckMessage]:
    """The messages for a dict of tunables: `prefix`.E001 and .E002. Plug-ins use it for theirs."""
    messages: list[CheckMessage] = []
    for key, complaint in problems_of(kind, given):
        unknown = complaint.startswith("is not a setting")
        name = f"{where}[{key!r}]" if key else where
        messages.append(
            Error(
                f"{name} {complaint}",
                hint="Remove it or correct its spelling."
                if unknown
                else "Leave it out for the default; docs/settings.md lists what each means.",
                id=f"{prefix}.{'E001' if unknown else 'E002'}",
            )
        )
    return messages


def build(kind: type[T], given: Any) -> T:
    """The tunables of a kind with what is given; what is wrong is left to the system checks."""
    if not isinstance(given, dict):
        return kind()
    wrong = {key for key, _ in problems_of(kind, given)}
    return kind(**{key: value for key, value in given.items() if str(key) not in wrong})


@lru_cache(maxsize=1)
def tunables() -> Tunables:
    """The platform's tunables."""
    return build(Tunables, getattr(settings, "SHIPCROWD", {}))


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "SHIPCROWD":
        tunables.cache_clear()


setting_changed.connect(_forget)
