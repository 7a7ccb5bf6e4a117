"""Which pincodes the sandbox knows and what is done there: made up, and always the same. Pure.

Three kinds can be told by how they begin, so that refusals can be tried: 999 is nowhere, 998 takes
little cash on delivery, and 997 none. Everything is possible everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_COD = 49999
# A city and a state code by the first digit of a pincode: enough for a stand-in.
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
ODD_ONES = (997_000, 998_000, 999_000)


@dataclass(frozen=True, slots=True)
class Pincode:
    """What Ekart does at a pincode; `max_cod` in rupees, 0 where no cash is taken."""

    pincode: str
    served: bool
    max_cod: int

    @property
    def cod(self) -> bool:
        return self.max_cod > 0

    def takes(self, cash: float) -> bool:
        """Whether a parcel can be delivered here against so many rupees."""
        return self.served and cash <= self.max_cod

    def details(self) -> dict[str, Any]:
        """As /api/v2/serviceability has it."""
        city, state = PLACES.get(self.pincode[0], ("MUMBAI", "MH"))
        return {
            "cod": self.cod,
            "max_cod_amount": self.max_cod,
            "forward_pickup": self.served,
            "forward_drop": self.served,
            "reverse_pickup": self.served,
            "reverse_drop": self.served,
            "city": city,
            "state": state,
        }

    def row(self) -> dict[str, Any]:
        """As /data/serviceability/bulk has it."""
        return {
            "pincode": int(self.pincode),
            "fm": self.served,
            "lmCod": self.cod,
            "lmPrepaid": self.served,
            "rvp": self.served,
        }


def look_up(pincode: str) -> Pincode:
    """A pincode of six digits."""
    if pincode.startswith("999"):
        return Pincode(pincode, served=False, max_cod=0)
    limits = {"998": 5000, "997": 0}
    return Pincode(pincode, served=True, max_cod=limits.get(pincode[:3], MOST_COD))


def some(count: int) -> list[Pincode]:
    """So many pincodes in order: all over the country, and about a sixth of them the odd ones."""
    each = min(1000, count // 18)
    common = count - each * len(ODD_ONES)
    apart = (LAST - FIRST) // common
    numbers = [FIRST + apart * number for number in range(common)]
    numbers += [first + number for first in ODD_ONES for number in range(each)]
    return [look_up(str(number)) for number in numbers]
