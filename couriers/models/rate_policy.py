"""A company's rate policy: mark-up, fee, GST and rounding on top of a courier's quote.

Pure arithmetic in Decimal rupees, without tables or couriers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation
from typing import Any

from couriers.contract.money import PAISA, to_paisa

ROUNDING_MODES = {"half_up": ROUND_HALF_UP, "up": ROUND_UP}
_MAX_AMOUNT = Decimal(100_000)


class InvalidRatePolicy(ValueError):
    """A rate policy is not valid. The message names the key."""


@dataclass(frozen=True, slots=True)
class MerchantPrice:
    """What the merchant pays, in rupees to the paisa.

    `base + markup + fee + gst + rounding == total`; `base` is the courier's price.
    """

    base: Decimal
    markup: Decimal
    fee: Decimal
    gst: Decimal
    rounding: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """A company's rate policy. Its defaults add nothing to the quote.

    GST is charged on the sum of quote, mark-up and fee. `gst_percent` must be 0 where the courier's
    total includes GST. The total is rounded to a multiple of `round_to` rupees.
    """

    markup_percent: Decimal = Decimal(0)
    flat_fee: Decimal = Decimal(0)
    gst_percent: Decimal = Decimal(0)
    round_to: Decimal = PAISA
    rounding: str = "half_up"

    @classmethod
    def from_json(cls, data: Any) -> RatePolicy:
        """Parse a company's policy; amounts are decimal strings. Raises InvalidRatePolicy."""
        if not isinstance(data, Mapping):
            raise InvalidRatePolicy("must be an object")
        known = [field.name for field in fields(cls)]
        for key in data:
            if key not in known:
                raise InvalidRatePolicy(f"{key}: is not known (known: {', '.join(known)})")
        values: dict[str, Any] = {
            key: _amount(key, value) for key, value in data.items() if key != "rounding"
        }
        if "rounding" in data:
            if data["rounding"] not in ROUNDING_MODES:
                raise InvalidRatePolicy(f"rounding: must be one of {', '.join(ROUNDING_MODES)}")
            values["rounding"] = data["rounding"]
        policy = cls(**values)
        if policy.gst_percent > 100:
            raise InvalidRatePolicy("gst_percent: must be 0 to 100")
        if policy.round_to < PAISA or policy.round_to % PAISA:
            raise InvalidRatePolicy("round_to: must be a multiple of 0.01")
        return policy

    def price(self, base: Decimal) -> MerchantPrice:
        """Return the merchant's price for a courier's quote of `base` rupees."""
        base, fee = to_paisa(base), to_paisa(self.flat_fee)
        markup = to_paisa(base * self.markup_percent / 100)
        gst = to_paisa((base + markup + fee) * self.gst_percent / 100)
        exact = base + markup + fee + gst
        steps = (exact / self.round_to).quantize(Decimal(1), rounding=ROUNDING_MODES[self.rounding])
        total = to_paisa(steps * self.round_to)
        return MerchantPrice(base, markup, fee, gst, total - exact, total)


def _amount(key: str, value: Any) -> Decimal:
    not_decimal = InvalidRatePolicy(f'{key}: must be a decimal string such as "12.50"')
    if not isinstance(value, str) or len(value) > 20:
        raise not_decimal
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise not_decimal from None
    if not amount.is_finite() or not 0 <= amount <= _MAX_AMOUNT:
        raise InvalidRatePolicy(f"{key}: must be 0 to {_MAX_AMOUNT}")
    return amount
