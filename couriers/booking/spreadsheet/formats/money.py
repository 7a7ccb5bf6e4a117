"""Spreads what an order costs over its lines, to the paisa. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from couriers.contract.money import PAISA


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Return the part of `total` (rupees in whole paise) for each line, in proportion to `weights`.

    The parts add up to the total exactly: the paise that rounding leaves go to the lines that lost
    most by it. A line of weight 0, such as a free gift, gets nothing. Where all weights are 0,
    every line gets the same.
    """
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    whole = sum(weights, Decimal(0))
    exact = [total * weight / whole for weight in weights]
    parts = [part.quantize(PAISA, rounding=ROUND_DOWN) for part in exact]
    left = int((total - sum(parts, Decimal(0))) / PAISA)
    most_lost = sorted(range(len(parts)), key=lambda n: exact[n] - parts[n], reverse=True)
    for number in most_lost[:left]:
        parts[number] += PAISA
    return parts
