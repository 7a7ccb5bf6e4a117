"""What a booking brings beside its ids: charges, the courier's own order id and tracking page.

It comes from the answer of a plug-in. What cannot be stored is left out and logged: it is no
reason to lose a booking.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from couriers.booking.stored_drafts import parcel_of
from couriers.contract.logs import get_logger
from couriers.contract.text import has_control_characters, make_storable
from couriers.contract.types import (
    Booking,
    Charges,
    Direction,
    PaymentMode,
    RateQuote,
    RateRequest,
)
from couriers.models import Shipment
from couriers.rates.pricing import pricing_policy
from couriers.rates.quotes import price_data

log = get_logger(__name__)

# The columns of a shipment that `set_brought` sets.
BROUGHT_FIELDS = ("courier_order_id", "courier_tracking_url", "charges", "price_booked")
MAX_PARTS = 50  # parts of a price, and the characters of a part's name
MAX_URL = 1000  # characters, as the column has
MAX_AMOUNT = Decimal("1e9")  # rupees


def set_brought(shipment: Shipment, booking: Booking) -> None:
    """Set the BROUGHT_FIELDS of a booked shipment in memory."""
    shipment.courier_order_id = make_storable(str(booking.courier_order_id or ""))[:100]
    shipment.courier_tracking_url = _tracking_url(booking.tracking_url)
    shipment.charges = shipment.price_booked = None
    if booking.charges is not None:
        try:
            shipment.charges = charges_data(booking.charges)
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            log.error("charges_unusable", shipment=shipment.pk, error=type(error).__name__)
        else:
            shipment.price_booked = _company_price(shipment, booking.charges)


def _company_price(shipment: Shipment, charges: Charges) -> dict[str, str] | None:
    """Return the company's price of what the courier asks, None where it cannot be told."""
    quote = RateQuote(
        shipment.service, charges.total, charges.parts, billed_weight_g=charges.billed_weight_g
    )
    request = RateRequest(
        pickup_pincode=shipment.warehouse.pincode,
        drop_pincode=shipment.consignee_pincode,
        parcel=parcel_of(shipment),
        payment_mode=PaymentMode(shipment.payment_mode),
        invoice_amount=shipment.total_amount,
        cod_amount=shipment.cod_amount,
        direction=Direction(shipment.direction),
        service=shipment.service,
    )
    try:
        return price_data(pricing_policy()(shipment.company, quote, request))
    except Exception as error:  # noqa: BLE001 - a host's own policy may raise anything
        log.error("price_unusable", shipment=shipment.pk, error=type(error).__name__)
        return None


def charges_data(charges: Charges) -> dict[str, Any]:
    """Return charges as they are stored and answered: amounts as decimal strings in rupees.

    Raises ValueError for an amount that is none, and TypeError or ArithmeticError for other types.
    """
    weight = charges.billed_weight_g
    if len(charges.parts) > MAX_PARTS:
        raise ValueError("too many parts")
    return {
        "total": _amount(charges.total),
        "gst": None if charges.gst is None else _amount(charges.gst),
        "parts": {
            make_storable(str(name))[:MAX_PARTS]: _amount(amount)
            for name, amount in charges.parts.items()
        },
        "billed_weight_g": None if weight is None else int(weight),
    }


def _amount(amount: Decimal) -> str:
    if not isinstance(amount, Decimal) or not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise ValueError("no amount")
    return f"{amount:.2f}"


def _tracking_url(url: str) -> str:
    """Return the courier's page for the parcel, or "" where the text is no URL of the web."""
    try:
        parts = urlsplit(url)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname)
    except (AttributeError, TypeError, ValueError):
        return ""
    if not is_page or len(url) > MAX_URL or has_control_characters(url) or " " in url:
        return ""
    return make_storable(url)
