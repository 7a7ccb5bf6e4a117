"""Which pincodes are served, and with how much cash on delivery: invented, always the same. Pure.

Pincodes that begin with 999 are not served, 998 takes little cash on delivery and 997 none, so that
tests can meet refusals. Everything is possible at every other pincode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_COD = 49_999  # rupees
# A city and a state code by the first digit of a pincode.
PLACES = {
    "1": ("NEW DELHI", "DL"),
    "2": ("LUCKNOW", "UP"),
    "3": ("JAIPUR", "RJ"),
    "4": ("MUMBAI", "MH"),
    "5": ("BENGALURU", "KA"),
    "6": ("CHENNAI", "TN"),
    "7": ("KOLKATA", "WB"),
    "8": ("PATNA", "BR"),
}
FIRST, LAST = 110_001, 855_999
RESTRICTED = (997_000, 998_000, 999_000)  # the first pincode of each kind with a restriction


@dataclass(frozen=True, slots=True)
class Pincode:
    """What Ekart does at a pincode; `max_cod` is in rupees, 0 where no cash is taken."""

    pincode: str
    served: bool
    max_cod: int

    @property
    def has_cod(self) -> bool:
        return self.max_cod > 0

    def takes_cod(self, rupees: float) -> bool:
        """Whether a parcel with this amount to collect, or 0, can be delivered here."""
        return self.served and rupees <= self.max_cod

    def details(self) -> dict[str, Any]:
        """What /api/v2/serviceability answers."""
        city, state = PLACES.get(self.pincode[0], ("MUMBAI", "MH"))
        return {
            "cod": self.has_cod,
            "max_cod_amount": self.max_cod,
            "forward_pickup": self.served,
            "forward_drop": self.served,
            "reverse_pickup": self.served,
            "reverse_drop": self.served,
            "city": city,
            "state": state,
        }

    def bulk_row(self) -> dict[str, Any]:
        """The pincode's row in the answer of /data/serviceability/bulk."""
        return {
            "pincode": int(self.pincode),
            "fm": self.served,
            "lmCod": self.has_cod,
            "lmPrepaid": self.served,
            "rvp": self.served,
        }


def look_up(pincode: str) -> Pincode:
    """A pincode of six digits."""
    if pincode.startswith("999"):
        return Pincode(pincode, served=False, max_cod=0)
    limits = {"998": 5000, "997": 0}
    return Pincode(pincode, served=True, max_cod=limits.get(pincode[:3], MAX_COD))


def sample(count: int) -> list[Pincode]:
    """As many pincodes in ascending order, from all over the country.

    About a sixth of them have a restriction.
    """
    restricted = min(1000, count // 18)  # of each kind
    common = count - restricted * len(RESTRICTED)
    distance = (LAST - FIRST) // common
    numbers = [FIRST + distance * number for number in range(common)]
    numbers += [first + number for first in RESTRICTED for number in range(restricted)]
    return [look_up(str(number)) for number in numbers]
