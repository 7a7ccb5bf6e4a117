"""What is in a parcel, in the few words and numbers that couriers ask for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from couriers.contract.types import Item


@dataclass(frozen=True, slots=True)
class Goods:
    """The lines of an order as one. Category and HSN code are those of the first line with one."""

    description: str
    quantity: int
    category: str
    hsn_code: str


def goods_of(items: Sequence[Item], *, max_length: int) -> Goods:
    """Return what is in the parcel; the description has at most `max_length` characters."""
    return Goods(
        description=", ".join(item.name for item in items)[:max_length],
        quantity=sum(item.quantity for item in items),
        category=next((item.category for item in items if item.category), ""),
        hsn_code=next((item.hsn_code for item in items if item.hsn_code), ""),
    )
