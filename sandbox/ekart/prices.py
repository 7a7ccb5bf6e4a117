"""What the sandbox charges: made up, and always the same. Rupees as texts, like Ekart's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Rupees for half a kilogram, and the days that a parcel travels.
PER_HALF_KILO = {"SURFACE": 46.0, "EXPRESS": 71.0}
DAYS = {"SURFACE": (4, 7), "EXPRESS": (2, 3)}
COD = 35.0
FUEL, TAX, BACK = 0.1, 0.18, 0.9


def estimate(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a price question that holds (/data/pricing/estimate)."""
    freight = _freight(body["serviceType"], body["weight"])
    cod = COD if body.get("codAmount") else 0.0
    fuel = round(freight * FUEL, 2)
    taxes = round((freight + fuel + cod) * TAX, 2)
    return {
        "type": "WEIGHT_BASED",
        "zone": "NATIONAL",
        "volumetricWeight": str(body["length"] * body["width"] * body["height"] / 5000),
        "billingWeight": str(_half_kilos(body["weight"]) / 2),
        "shippingCharge": _text(freight),
        "rtoCharge": _text(freight * BACK),
        "fuelSurcharge": _text(fuel),
        "codCharge": _text(cod),
        "taxes": _text(taxes),
        "total": _text(freight + fuel + cod + taxes),
    }


def lane(service: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a courier group offers between two pincodes (/data/v3/serviceability)."""
    freight = _freight(service, float(body["weight"]))
    cod = COD if body["paymentType"] == "COD" else 0.0
    back = freight * BACK
    fuel, fuel_back = freight * FUEL, back * FUEL
    least, most = DAYS[service]
    there = (freight + fuel + cod) * TAX
    there_and_back = (freight + back + fuel + fuel_back) * TAX
    return_trip = (freight + fuel) * TAX
    return {
        "tat": {"min": least, "max": most},
        "courierGroup": f"EKART_{service}",
        "forwardDeliveredCharges": {
            "forwardFreight": _text(freight),
            "forwardFuelSurcharge": _text(fuel),
            "codCharges": _text(cod),
            "deliveredTotalTax": _text(there),
            "totalForwardDeliveredEstimate": _text(freight + fuel + cod + there),
        },
        "rtoDeliveredCharges": {
            "forwardFreight": _text(freight),
            "rtoFreight": _text(back),
            "forwardFuelSurcharge": _text(fuel),
            "rtoFuelSurcharge": _text(fuel_back),
            "rtoDeliveredTotalTax": _text(there_and_back),
            "totalRTODeliveredEstimate": _text(freight + back + fuel + fuel_back + there_and_back),
        },
        "reverseDeliveredCharges": {
            "reverseFreight": _text(freight),
            "reverseFuelSurcharge": _text(fuel),
            "reverseTotalTax": _text(return_trip),
            "totalReverseDeliveredCharges": _text(freight + fuel + return_trip),
        },
    }


def _half_kilos(grams: float) -> int:
    return max(1, int(-(-grams // 500)))


def _freight(service: str, grams: float) -> float:
    return _half_kilos(grams) / 2 * PER_HALF_KILO[service]


def _text(rupees: float) -> str:
    return f"{rupees:.2f}"
