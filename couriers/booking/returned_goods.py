"""Which goods of a delivered shipment come back: what is left of each line, and what it is worth.

A merchant names a SKU and a quantity. The value of what comes back is its share of what is left of
the line, to the paisa, so the values of all returns of a line add up to the line's.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from couriers.booking.stored_drafts import items_of
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.contract.money import to_paisa
from couriers.contract.types import Item
from couriers.models import Shipment


@dataclass(frozen=True, slots=True)
class ReturnedItem:
    """Goods that come back: so many pieces of a SKU, or of a line of the order without one.

    `line` is the place of the line in the order's items, counted from 0; it is None with a SKU.
    """

    quantity: int
    sku: str = ""
    line: int | None = None


@dataclass(slots=True)
class _Left:
    """What has not come back of the equal lines of an order."""

    item: Item
    quantity: int
    value: Decimal

    def take(self, quantity: int) -> Item:
        """Take pieces with their share of the value that is left."""
        share = to_paisa(self.value * quantity / self.quantity)
        self.quantity -= quantity
        self.value -= share
        return dataclasses.replace(self.item, quantity=quantity, value=share)


def goods_left(original: Shipment, *, without: str = "") -> tuple[Item, ...]:
    """Return all that has not come back of a shipment, and is on no return under way.

    Raises InvalidRequest where nothing is left. `without` is as in `returned_goods`.
    """
    lines = _lines_left(original, without)
    items = tuple(left.take(left.quantity) for left in lines.values() if left.quantity)
    if not items:
        raise InvalidRequest([FieldProblem("items", "all of the order is on other returns")])
    return items


def returned_goods(
    original: Shipment, wanted: Sequence[ReturnedItem], *, without: str = ""
) -> tuple[Item, ...]:
    """Return the lines of a return of these goods, each with its share of the value.

    The return whose id is `without` does not count as one. Raises InvalidRequest, naming the
    field, for what is not of the order, and for more than was delivered and has not come back.
    """
    lines = _lines_left(original, without)
    stored = items_of(original)
    found: list[Item] = []
    problems: list[FieldProblem] = []
    for number, one in enumerate(wanted):
        field = f"items[{number}]"
        if one.line is not None:
            if one.line >= len(stored):
                problems.append(FieldProblem(f"{field}.line", "is no line of the order"))
                continue
            mine = [lines[_key(stored[one.line])]]
        else:
            mine = [left for left in lines.values() if left.item.sku == one.sku]
            if not mine:
                problems.append(FieldProblem(f"{field}.sku", "is no SKU of the order"))
                continue
        left = sum(each.quantity for each in mine)
        if one.quantity > left:
            message = f"is more than the {left} that were delivered and are on no other return"
            problems.append(FieldProblem(f"{field}.quantity", message))
            continue
        found += _take(mine, one.quantity)
    if problems:
        raise InvalidRequest(problems)
    return tuple(found)


def is_request_for(
    items: Sequence[Item], wanted: Sequence[ReturnedItem], order: Sequence[Item]
) -> bool:
    """Whether the lines of a return are those that a request wants of the order."""

    def name(one: ReturnedItem) -> object:
        if one.line is None:
            return one.sku
        item = order[one.line] if one.line < len(order) else None
        return item and (item.sku or _key(item))

    asked = Counter[object]()
    for one in wanted:
        asked[name(one)] += one.quantity
    booked = Counter[object]()
    for item in items:
        booked[item.sku or _key(item)] += item.quantity
    return asked == booked


def refuse_excess(shipment: Shipment) -> None:
    """Raise InvalidRequest where a return has more than is left of its order.

    It locks the delivered shipment, so that two returns at once do not both take the last piece.
    Call it in the transaction that stores the return.
    """
    if shipment.original_id is None:
        return
    original = Shipment.objects.select_for_update(no_key=True).get(pk=shipment.original_id)
    lines = _lines_left(original, shipment.pk)
    problems = []
    for number, item in enumerate(items_of(shipment)):
        left = lines.get(_key(item))
        if left is None or item.quantity > left.quantity:
            message = "is more than was delivered and is on no other return"
            problems.append(FieldProblem(f"items[{number}].quantity", message))
        else:
            left.take(item.quantity)
    if problems:
        raise InvalidRequest(problems)


def _take(lines: Iterable[_Left], quantity: int) -> list[Item]:
    """Take pieces of the lines in their order."""
    found = []
    for left in lines:
        part = min(quantity, left.quantity)
        if part:
            found.append(left.take(part))
            quantity -= part
    return found


def _lines_left(original: Shipment, without: str) -> dict[tuple[object, ...], _Left]:
    """Return what is left of the order's lines, equal ones taken together, in their order."""
    lines: dict[tuple[object, ...], _Left] = {}
    for item in items_of(original):
        left = lines.setdefault(_key(item), _Left(item, 0, Decimal(0)))
        left.quantity += item.quantity
        left.value += item.value
    for back in original.returns.live().exclude(pk=without).order_by("id").only("items"):
        for item in items_of(back):
            if mine := lines.get(_key(item)):
                mine.quantity = max(0, mine.quantity - item.quantity)
                mine.value = max(Decimal(0), mine.value - item.value)
    return lines


def _key(item: Item) -> tuple[object, ...]:
    """Return what equal lines have in common: all but quantity and value."""
    return (item.sku, item.name, item.category, item.hsn_code, item.gst_rate)
