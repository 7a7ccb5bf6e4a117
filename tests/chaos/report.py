"""The figures of a run of bookings, and the promises that they are held to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.harness import RunReport

BROKEN = (
    "duplicates", "at_two_couriers", "lost", "unknown_to_courier", "unsettled", "invalid_requests",
)  # fmt: skip


@dataclass(kw_only=True)
class BookingReport(RunReport):
    """The results of a run.

    `duplicates` are shipments too many at the couriers, `at_two_couriers` orders that more than one
    of them has. `lost` orders are not booked on one of the two sides, and their storefront was not
    told so; `refused` ones are nowhere, and it was. `unknown_to_courier` ones have a tracking id
    that their courier does not have for them. `invalid_requests` broke a rule of their courier.
    `cut_off` is the most orders whose booking a kill, a restart or an early end of its lease can
    have interrupted. `released` and `resolved` count an operator's decisions by courier,
    `booked_by` the bookings.
    """

    couriers: str
    bookings: int
    booked: int = 0
    booked_by: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    duplicates: int = 0
    at_two_couriers: int = 0
    lost: int = 0
    unknown_to_courier: int = 0
    unsettled: int = 0
    invalid_requests: int = 0
    ever_in_doubt: int = 0
    injected_unknown: int = 0
    cut_off: int = 0
    faults: int = 0
    failed_over: int = 0
    released: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        share, injected = self.ever_in_doubt / self.bookings, self.injected_unknown / self.bookings
        return [
            f"{self.couriers}, seed {self.seed}: {self.bookings} orders in {self.seconds:.0f} s "
            f"({self.bookings / self.seconds:.0f} a second), {self.requests} requests, "
            f"{self.faults} faults, invalid requests {self.invalid_requests}",
            f"killed: {self.kills.total()} ({self.killed()})",
            f"restarted: {self.restarted()}",
            f"booked {self.booked} ({_counted(self.booked_by)}), refused {self.refused}, "
            f"duplicates {self.duplicates}, at two couriers {self.at_two_couriers}, "
            f"lost {self.lost}, unknown to the courier {self.unknown_to_courier}, "
            f"unsettled {self.unsettled}",
            f"ever in doubt {self.ever_in_doubt} ({share:.1%}), unknown outcomes injected "
            f"{self.injected_unknown} ({injected:.1%}), cut off at most {self.cut_off}; "
            f"by the operator released {_counted(self.released)}, "
            f"resolved {_counted(self.resolved)}; failed over {self.failed_over}",
            *(f"WRONG: {line}" for line in self.wrong[:20]),
        ]

    def check(self) -> None:
        """Add the promises that the figures break to `wrong`."""
        self.wrong += [f"{getattr(self, name)} {name}" for name in BROKEN if getattr(self, name)]
        if self.ever_in_doubt > self.injected_unknown + self.cut_off:
            self.wrong.append("more doubts than unknown outcomes and bookings cut off together")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "0"
