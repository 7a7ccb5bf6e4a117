"""Prices and days of travel: invented, always the same. Rupees are texts, as at Ekart. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RUPEES_PER_KILOGRAM = {"SURFACE": 46.0, "EXPRESS": 71.0}
DAYS = {"SURFACE": (4, 7), "EXPRESS": (2, 3)}  # at least and at most
COD_RUPEES = 35.0
# Shares of the freight: fuel surcharge and the way back to the seller. The tax is one of the sum.
FUEL, RTO, TAX = 0.1, 0.9, 0.18


def estimate(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a valid body of /data/pricing/estimate."""
    freight = _freight(body["serviceType"], body["weight"])
    cod = COD_RUPEES if body.get("codAmount") else 0.0
    fuel = round(freight * FUEL, 2)
    taxes = round((freight + fuel + cod) * TAX, 2)
    return {
        "type": "WEIGHT_BASED",
        "zone": "NATIONAL",
        "volumetricWeight": str(body["length"] * body["width"] * body["height"] / 5000),
        "billingWeight": str(_billed_kilograms(body["weight"])),
        "shippingCharge": _text(freight),
        "rtoCharge": _text(freight * RTO),
        "fuelSurcharge": _text(fuel),
        "codCharge": _text(cod),
        "taxes": _text(taxes),
        "total": _text(freight + fuel + cod + taxes),
    }


def lane(service: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One courier group in the answer of /data/v3/serviceability."""
    freight = _freight(service, float(body["weight"]))
    cod = COD_RUPEES if body["paymentType"] == "COD" else 0.0
    rto = freight * RTO
    fuel, rto_fuel = freight * FUEL, rto * FUEL
    least, most = DAYS[service]
    delivered_tax = (freight + fuel + cod) * TAX
    rto_tax = (freight + rto + fuel + rto_fuel) * TAX
    reverse_tax = (freight + fuel) * TAX
    return {
        "tat": {"min": least, "max": most},
        "courierGroup": f"EKART_{service}",
        "forwardDeliveredCharges": {
            "forwardFreight": _text(freight),
            "forwardFuelSurcharge": _text(fuel),
            "codCharges": _text(cod),
            "deliveredTotalTax": _text(delivered_tax),
            "totalForwardDeliveredEstimate": _text(freight + fuel + cod + delivered_tax),
        },
        "rtoDeliveredCharges": {
            "forwardFreight": _text(freight),
            "rtoFreight": _text(rto),
            "forwardFuelSurcharge": _text(fuel),
            "rtoFuelSurcharge": _text(rto_fuel),
            "rtoDeliveredTotalTax": _text(rto_tax),
            "totalRTODeliveredEstimate": _text(freight + rto + fuel + rto_fuel + rto_tax),
        },
        "reverseDeliveredCharges": {
            "reverseFreight": _text(freight),
            "reverseFuelSurcharge": _text(fuel),
            "reverseTotalTax": _text(reverse_tax),
            "totalReverseDeliveredCharges": _text(freight + fuel + reverse_tax),
        },
    }


def _billed_kilograms(grams: float) -> float:
    """The weight, rounded up to half kilograms."""
    return max(1, int(-(-grams // 500))) / 2


def _freight(service: str, grams: float) -> float:
    return _billed_kilograms(grams) * RUPEES_PER_KILOGRAM[service]


def _text(rupees: float) -> str:
    return f"{rupees:.2f}"
