"""Which pincodes are served, and how: invented, always the same. Pure.

Pincodes that begin with 999 are not served, 998 are under an embargo, 997 take no cash on delivery,
996 are out of the way (ODA) with limits of weight and value, 995 allow no returns and no pickups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# A city and a state code by the first digit of a pincode.
PLACES = {
    "1": ("Delhi", "DL"), "2": ("Lucknow", "UP"), "3": ("Jaipur", "RJ"), "4": ("Mumbai", "MH"),
    "5": ("Bangalore", "KA"), "6": ("Chennai", "TN"), "7": ("Kolkata", "WB"), "8": ("Patna", "BR"),
}  # fmt: skip
FIRST, LAST = 110_001, 855_999
RESTRICTED = (995_001, 996_001, 997_001, 998_001)
ODA_RUPEES, ODA_GRAMS = 5_000.0, 10_000.0
HEAVY_GRAMS = 50_000.0  # a parcel from this weight is not served anywhere


@dataclass(frozen=True, slots=True)
class Pincode:
    """What Delhivery does at a pincode."""

    pincode: str

    def _begins(self, *beginnings: str) -> bool:
        return self.pincode.startswith(beginnings)

    @property
    def exists(self) -> bool:
        """Whether the list of pincodes has it."""
        return not self._begins("999")

    @property
    def has_embargo(self) -> bool:
        return self._begins("998")

    @property
    def served(self) -> bool:
        return self.exists and not self.has_embargo

    @property
    def has_cod(self) -> bool:
        return self.served and not self._begins("997")

    @property
    def has_pickup(self) -> bool:
        return self.served and not self._begins("995")

    @property
    def is_oda(self) -> bool:
        return self._begins("996")

    @property
    def place(self) -> tuple[str, str]:
        """The city and the code of the state."""
        return PLACES.get(self.pincode[0], ("Mumbai", "MH"))

    def takes(self, grams: float, rupees: float) -> bool:
        """Whether a parcel of this weight and value can be delivered here; 0 is not known."""
        too_much = self.is_oda and (grams > ODA_GRAMS or rupees > ODA_RUPEES)
        return self.served and grams < HEAVY_GRAMS and not too_much

    def as_json(self) -> dict[str, Any]:
        """The pincode in delivery_codes."""
        city, state = self.place
        return {
            "postal_code": {
                "pin": int(self.pincode),
                "pre_paid": _yes(self.exists),
                "cash": _yes(self.has_cod or self.has_embargo),
                "cod": _yes(self.has_cod or self.has_embargo),
                "pickup": _yes(self.has_pickup or self.has_embargo),
                "repl": _yes(self.has_pickup or self.has_embargo),
                "remarks": "Embargo" if self.has_embargo else "",
                "city": city,
                "district": city,
                "state_code": state,
                "is_oda": _yes(self.is_oda),
                "max_amount": ODA_RUPEES if self.is_oda else 0.0,
                "max_weight": ODA_GRAMS if self.is_oda else 0.0,
                "srv_wt_th": HEAVY_GRAMS,
                "sort_code": self.sort_code,
                "country_code": "IN",
            }
        }

    @property
    def sort_code(self) -> str:
        return f"{self.place[1]}/{self.pincode[-3:]}"


def sample(count: int) -> list[Pincode]:
    """As many pincodes from all over the country, some of them with a restriction."""
    restricted = [str(first + number) for first in RESTRICTED for number in range(count // 24)]
    common = count - len(restricted)
    distance = (LAST - FIRST) // common
    return [Pincode(str(FIRST + distance * n)) for n in range(common)] + list(
        map(Pincode, restricted)
    )


def _yes(value: bool) -> str:
    return "Y" if value else "N"
