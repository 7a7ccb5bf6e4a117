"""The carriers behind Velocity, their lanes and prices: invented, always the same. Pure.

Pincodes that begin so meet refusals:

    999  no carrier goes there
    998  cash on delivery up to 5,000 rupees, though serviceability does not say so
    997  no cash on delivery
    996  serviceability lists carriers, but none takes a booking
    995  Bluedart alone
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

GRAMS_PER_STEP = 500
VOLUME_DIVISOR = 5000  # cubic centimetres of a kilogram
COD_RUPEES, COD_SHARE = 31.0, 0.018
PLATFORM_FEE = 2.0
RTO_SHARE = 0.9  # of the forward freight
RETURN_SHARE = 1.2
QUALITY_CHECK = 15.0
ZONES = {"zone_a": 1.0, "zone_b": 1.15, "zone_c": 1.35, "zone_d": 1.6, "zone_e": 2.2}
SMALL_COD = 5000


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier's service. Rupees are for each started 500 g, weights in kilograms."""

    id: str
    name: str
    level: str
    rupees: float
    days: int
    heaviest: float = 10
    most_cod: int = 50_000
    checks_quality: bool = False


CARRIERS = (
    Carrier("CAR7RFCSBPAV7", "Shadowfax Standard", "road", 33.5, 4, 7, 20_000, checks_quality=True),
    Carrier("CARR5H4WQY3PM", "Ekart Standard", "road", 36.0, 5, 25, 49_999),
    Carrier("CAR2CHKPXAC5T", "Delhivery Standard", "road", 38.0, 5, 30, checks_quality=True),
    Carrier("CARTS5SW8LSJT", "XpressBees Standard", "road", 39.0, 6, 20, 25_000),
    Carrier("CAR0EPDPJXXL4", "DTDC Standard", "road", 41.0, 6, 50),
    Carrier("CARISGEX1QMVB", "Bluedart Air", "air", 62.0, 2, 70),
)
BY_ID = {carrier.id: carrier for carrier in CARRIERS}


@dataclass(frozen=True, slots=True)
class Parcel:
    """Weight in grams, sizes in centimetres, `cod` in rupees (0 when prepaid)."""

    grams: float
    sizes: tuple[float, float, float]
    cod: float = 0.0

    @property
    def volumetric_grams(self) -> float:
        return math.prod(self.sizes) / VOLUME_DIVISOR * 1000

    @property
    def applied_grams(self) -> float:
        return max(self.grams, self.volumetric_grams)


def zone(origin: str, destination: str) -> str:
    """The zone between two pincodes: by how much of them is alike."""
    if origin[:3] == destination[:3]:
        return "zone_a"
    if origin[0] == destination[0]:
        return "zone_b"
    if destination[:2] in ("18", "19", "78", "79"):
        return "zone_e"
    return "zone_c" if abs(int(origin[0]) - int(destination[0])) == 1 else "zone_d"


def of_lane(origin: str, destination: str, *, cod: bool) -> list[Carrier]:
    """The carriers that serviceability lists for a lane, cheapest first."""
    ends = (origin[:3], destination[:3])
    if "999" in ends or (cod and "997" in ends):
        return []
    return [c for c in CARRIERS if "995" not in ends or c.name.startswith("Bluedart")]


def refusal(carrier: Carrier, origin: str, destination: str, parcel: Parcel) -> str:
    """Why a carrier does not take a booking, an empty text where it does."""
    ends = (origin[:3], destination[:3])
    if carrier not in of_lane(origin, destination, cod=parcel.cod > 0) or "996" in ends:
        return f"{carrier.name}: pincode is not serviceable"
    most = SMALL_COD if "998" in ends else carrier.most_cod
    if parcel.cod > most:
        return f"{carrier.name}: COD amount must be at most {most}"
    if parcel.applied_grams > carrier.heaviest * 1000:
        return f"{carrier.name}: weight must be at most {carrier.heaviest} kg"
    return ""


def forward_prices(carrier: Carrier, lane_zone: str, parcel: Parcel) -> Mapping[str, float]:
    """The prices of a forward parcel in rupees: shipping, cod, rto and their total."""
    shipping = round(_freight(carrier, lane_zone, parcel), 2)
    cod = round(max(COD_RUPEES, parcel.cod * COD_SHARE), 2) if parcel.cod else 0.0
    return {
        "shipping": shipping,
        "cod": cod,
        "rto": round(shipping * RTO_SHARE, 2),
        "total": round(shipping + cod, 2),
    }


def return_price(carrier: Carrier, lane_zone: str, parcel: Parcel) -> float:
    """The price of a return in rupees."""
    return round(_freight(carrier, lane_zone, parcel) * RETURN_SHARE, 2)


def _freight(carrier: Carrier, lane_zone: str, parcel: Parcel) -> float:
    steps = max(1, math.ceil(parcel.applied_grams / GRAMS_PER_STEP))
    return carrier.rupees * steps * ZONES[lane_zone]
