"""What a spreadsheet does not say about its goods: from the company's products, or a default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.errors import CellProblem, FileUnusable
from couriers.booking.spreadsheet.lines import OrderLines
from couriers.booking.spreadsheet.orders import GOODS
from couriers.contract.text import is_storable
from couriers.models import Company, Product

GOODS_BATCH = 500  # orders whose products are looked up by one query
PRODUCT_FIELDS = {name: name for name in GOODS} | {"unit_weight_g": "weight_g"}
PARSERS: Mapping[str, Callable[[Cell], Any]] = {
    "category": cells.required,
    "hsn_code": cells.digits,
    "gst_rate": cells.rate,
    "unit_weight_g": cells.whole_number,
    "length_cm": cells.whole_number,
    "width_cm": cells.whole_number,
    "height_cm": cells.whole_number,
}


@dataclass(frozen=True, slots=True)
class Goods:
    """The products of the orders by SKU, each with its name, and the defaults for all goods."""

    products: Mapping[str, Mapping[str, Cell]] = field(default_factory=dict)
    defaults: Mapping[str, Cell] = field(default_factory=dict)

    def find(self, sku: str, column: str) -> Cell | None:
        """Return what is known of a product: by its SKU, else by default, else None."""
        return self.products.get(sku, {}).get(column) or self.defaults.get(column)


def read_defaults(settings: Sequence[str]) -> dict[str, Cell]:
    """Return the values of texts `NAME=VALUE`, as `--default` takes them.

    Raises FileUnusable, naming the wrong one.
    """
    found: dict[str, Cell] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        name = name.strip()
        if name not in GOODS:
            raise FileUnusable(f"default {name}: must be one of {', '.join(GOODS)}")
        if name in found:
            raise FileUnusable(f"default {name}: is given twice")
        cell = Cell(f"default {name}", value.strip())
        _check_default(name, cell)
        found[name] = cell
    return found


def _check_default(name: str, cell: Cell) -> None:
    try:
        cells.required(cell)
        value = PARSERS[name](cell)
    except CellProblem as problem:
        raise FileUnusable(str(problem)) from None
    if value == 0 and name != "gst_rate":
        raise FileUnusable(cell.describe("must be more than 0"))
    if name == "hsn_code" and not value.isdigit():
        raise FileUnusable(cell.describe("an HSN code has digits alone"))


def goods_of(
    company: Company,
    orders: Iterable[OrderLines],
    defaults: Mapping[str, Cell],
    *,
    is_test: bool = False,
) -> Goods:
    """Return what is known of the goods of these orders, by one query for all of them."""
    skus = {
        sku
        for order in orders
        for line in order.rows()
        for sku in map(cells.sku_text, order.layout.format.skus(line))
        if sku and is_storable(sku)
    }
    if not skus:
        return Goods(defaults=defaults)
    products = Product.objects.filter(company=company, is_test=is_test, sku__in=skus)
    return Goods({product.sku: _cells_of(product) for product in products}, defaults)


def with_goods(
    company: Company,
    orders: Sequence[OrderLines],
    defaults: Mapping[str, Cell],
    *,
    is_test: bool = False,
) -> Iterator[tuple[OrderLines, Goods]]:
    """Yield each order with what is known of its goods, looked up for many orders at once."""
    for start in range(0, len(orders), GOODS_BATCH):
        part = orders[start : start + GOODS_BATCH]
        goods = goods_of(company, part, defaults, is_test=is_test)
        for order in part:
            yield order, goods


def _cells_of(product: Product) -> dict[str, Cell]:
    values = {column: getattr(product, name) for column, name in PRODUCT_FIELDS.items()}
    return {
        column: Cell(f'product "{product.sku}", {PRODUCT_FIELDS.get(column, column)}', str(value))
        for column, value in (values | {"name": product.name}).items()
        if value not in (None, "")
    }
