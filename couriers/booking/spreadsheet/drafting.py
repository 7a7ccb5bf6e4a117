"""Makes the draft of a shipment from the rows of an order, and knows the cell of each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.errors import CellProblem, NothingToShip, OrderProblem
from couriers.booking.spreadsheet.goods import PARSERS, Goods
from couriers.booking.spreadsheet.lines import OrderLines
from couriers.booking.spreadsheet.orders import GOODS, NO_CELL, SheetLine, SheetOrder
from couriers.contract.types import Address, Item, Parcel, ShipmentDraft

NO_GOODS = Goods()
SIZES = ("length_cm", "width_cm", "height_cm")
# The values that stand for what could not be read, until the order is rejected for it.
_FALLBACKS: Mapping[str, Any] = {"category": "", "hsn_code": "", "gst_rate": Decimal(0)}


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """The draft of an order, and the cell that each of its fields was read from."""

    draft: ShipmentDraft
    cells: Mapping[str, Cell]

    def describe(self, field: str, message: str) -> str:
        """Return a problem with a field of the draft in the words of the file."""
        for name in (field, field.rpartition(".")[0]):
            if name in self.cells:
                return self.cells[name].describe(message)
        return f"{field}: {message}"


def draft_of(order: OrderLines, courier: str, goods: Goods = NO_GOODS) -> ShipmentDraft | None:
    """Return the draft of an order, or None if there is nothing to ship. Raises OrderProblem."""
    try:
        return read_draft(order, courier, goods).draft
    except NothingToShip:
        return None


def read_draft(order: OrderLines, courier: str, goods: Goods = NO_GOODS) -> SheetDraft:
    """Return the draft of an order with its cells. A courier in its row is taken for `courier`.

    Raises NothingToShip, saying why, and OrderProblem with every problem that was found.
    """
    problems = Problems(order.faults)
    if problems:
        raise OrderProblem("; ".join(problems))
    rows = list(order.rows())
    number = rows[0].number
    try:
        sheet = order.layout.format.read(rows, problems)
    except CellProblem as problem:
        raise OrderProblem("; ".join([*problems, str(problem)])) from None
    if not sheet.lines:
        raise NothingToShip("nothing to ship: quantity 0")
    problems.read(cells.required, number, "")
    problems.read(cells.number_text, number, "")
    packed = [_Packed(order, line, goods, problems) for line in sheet.lines]
    draft = ShipmentDraft(
        courier=sheet.courier.text or courier,
        order_number=order.order_number,
        order_date=sheet.date,
        payment_mode=sheet.mode,
        cod_amount=sheet.cod_amount,
        consignee=_consignee(sheet, problems),
        items=tuple(line.item for line in packed),
        parcel=_parcel(sheet, packed, problems),
        service=sheet.service.text or "",
    )
    if problems:
        raise OrderProblem("; ".join(dict.fromkeys(problems)))
    return SheetDraft(draft, _cells(number, sheet, packed))


class _Packed:
    """A line with what is known of its goods."""

    def __init__(
        self, order: OrderLines, line: SheetLine, goods: Goods, problems: Problems
    ) -> None:
        self.line = line
        self.found: dict[str, Cell] = {}
        missing = []
        sku = cells.sku_text(line.sku.text or "")
        for column in GOODS:
            written = line.goods.get(column)
            found = written or goods.find(sku, column)
            if found:
                self.found[column] = found
            elif column != "category" and (column != "hsn_code" or order.layout.format.needs_hsn):
                missing.append(column)
        self._refuse_missing(missing, problems)
        values = {
            column: problems.read(PARSERS[column], cell, _FALLBACKS.get(column, 1))
            for column, cell in self.found.items()
        }
        name = line.name or goods.products.get(sku, {}).get("name") or line.name
        self.name = name
        self.measures = {column: int(values.get(column, 1)) for column in ("unit_weight_g", *SIZES)}
        self.item = Item(
            name=name.text or "",
            quantity=line.quantity,
            value=line.value,
            gst_rate=values.get("gst_rate", Decimal(0)),
            sku=sku,
            category=values.get("category", ""),
            hsn_code=values.get("hsn_code", ""),
        )

    def _refuse_missing(self, missing: Sequence[str], problems: Problems) -> None:
        """Note the columns that are told nowhere: by the file's own cell, or by the SKU."""
        nowhere = []
        for column in missing:
            if column in self.line.goods:
                problems.append(self.line.goods[column].describe("is missing"))
            else:
                nowhere.append(column)
        if nowhere:
            sku = self.line.sku
            product = f"{sku.place}: the product {sku.text}" if sku else f"{sku.place}: a line"
            problems.append(
                f"{product} has no {', '.join(nowhere)}: add "
                f"{'them' if len(nowhere) > 1 else 'it'} to the company's products under its SKU, "
                "or give a default NAME=VALUE"
            )

    @property
    def height_cm(self) -> int:
        """The height of the line: that of the file, or that of one unit times the quantity."""
        height = self.measures["height_cm"]
        told = self.line.goods.get("height_cm")
        return height if told else height * self.line.quantity


def _parcel(sheet: SheetOrder, packed: Sequence[_Packed], problems: Problems) -> Parcel:
    """Return one parcel: that of the file, or all lines stacked on the largest base."""
    weight = sum(line.measures["unit_weight_g"] * line.line.quantity for line in packed)
    sizes = {
        "length_cm": max(line.measures["length_cm"] for line in packed),
        "width_cm": max(line.measures["width_cm"] for line in packed),
        "height_cm": sum(line.height_cm for line in packed),
    }
    for column, cell in sheet.parcel.items():
        sizes[column] = problems.read(cells.whole_number, cell, 1)
    return Parcel(weight_g=weight, **sizes)


def _consignee(sheet: SheetOrder, problems: Problems) -> Address:
    cell = sheet.consignee
    return Address(
        name=cell["name"].text or "",
        phone=problems.read(cells.phone, cell["phone"], ""),
        address=cell["address"].text or "",
        city=cell["city"].text or "",
        state=cell["state"].text or "",
        pincode=problems.read(cells.digits, cell["pincode"], ""),
        landmark=cell.get("landmark", NO_CELL).text or "",
        email=cell.get("email", NO_CELL).text or "",
    )


def _cells(number_cell: Cell, sheet: SheetOrder, packed: Sequence[_Packed]) -> dict[str, Cell]:
    first = packed[0]
    found = {
        "order_number": number_cell,
        "order_date": sheet.date_cell,
        "payment_mode": sheet.mode_cell,
        "cod_amount": sheet.cod_cell,
        "service": sheet.service,
        **({"courier": sheet.courier} if sheet.courier else {}),
        "consignee": Cell(number_cell.place.partition(",")[0], None),
        "parcel": Cell(_rows(packed), None),
        "parcel.weight_g": first.found.get("unit_weight_g", first.line.sku),
    }
    found |= {f"consignee.{name}": cell for name, cell in sheet.consignee.items()}
    for size in SIZES:
        found[f"parcel.{size}"] = sheet.parcel.get(size) or first.found.get(size, first.line.sku)
    for number, line in enumerate(packed):
        item = f"items[{number}]"
        found |= {
            item: Cell(line.line.quantity_cell.place.partition(",")[0], None),
            f"{item}.name": line.name,
            f"{item}.sku": line.line.sku,
            f"{item}.quantity": line.line.quantity_cell,
            f"{item}.value": line.line.value_cell,
        }
        found |= {f"{item}.{column}": cell for column, cell in line.found.items()}
    return found | _columns_of_items(found, packed)


def _columns_of_items(found: Mapping[str, Cell], packed: Sequence[_Packed]) -> dict[str, Cell]:
    """Return the cells of fields like `items[].value`, which stand for a column in all rows."""
    rows = _rows(packed)
    columns = {}
    for name, cell in found.items():
        if name.startswith("items[0]."):
            _, comma, column = cell.place.partition(",")
            columns[name.replace("[0]", "[]")] = Cell(f"{rows}{comma}{column}", None)
    # What is wrong with all items together is their value.
    return columns | {"items": columns["items[].value"]}


def _rows(packed: Sequence[_Packed]) -> str:
    rows = dict.fromkeys(
        line.line.quantity_cell.place.partition(",")[0].removeprefix("row ") for line in packed
    )
    return f"row {next(iter(rows))}" if len(rows) == 1 else f"rows {', '.join(rows)}"
