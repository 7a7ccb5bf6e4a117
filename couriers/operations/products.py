"""Loads a file of products into a company's table: all of it, or nothing where a row is wrong.

Products are found by their SKU, so a file can be loaded again. A product that is not in the file
stays as it is; a blank cell says that the value is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.errors import CellProblem, FileUnusable
from couriers.booking.spreadsheet.layout import Columns, Header, header_of
from couriers.booking.spreadsheet.table import parse_table
from couriers.contract.text import clean_line
from couriers.models import Company, Product
from couriers.models.audit import record
from couriers.models.product import FIELDS, LARGEST, product_problems

T = TypeVar("T")

MAX_BYTES = 5 * 1024 * 1024  # of one file
MAX_PRODUCTS = 100_000  # in one file
BATCH = 1_000  # rows in one statement
MAX_PROBLEMS = 200  # in one report
COLUMNS = Columns(
    title="a file of products", columns=FIELDS, required=tuple((name,) for name in FIELDS)
)

Fields = dict[str, Any]  # the fields of a product that could be read


class FileRefused(Exception):
    """The file is not right, and nothing of it was stored. `left_out` problems are not listed."""

    def __init__(self, problems: Sequence[str], left_out: int = 0) -> None:
        self.problems = problems
        self.left_out = left_out
        super().__init__("; ".join(problems))

    def lines(self) -> Iterator[str]:
        """Yield a line for each problem, and one for those that are left out."""
        yield from self.problems
        if self.left_out:
            yield f"and {self.left_out} more"


@dataclass(frozen=True, slots=True)
class LoadedProducts:
    """How many products of the file were added, changed, and as the file says already."""

    added: int
    changed: int
    unchanged: int

    @property
    def total(self) -> int:
        """All products of the file."""
        return self.added + self.changed + self.unchanged

    def __str__(self) -> str:
        return (
            f"{self.total} products: {self.added} added, {self.changed} changed, "
            f"{self.unchanged} unchanged"
        )


def load_products(
    company: Company,
    name: str,
    content: bytes,
    advance: Callable[..., None] = lambda steps=1: None,
    actor: AbstractBaseUser | None = None,
    *,
    is_test: bool = False,
) -> LoadedProducts:
    """Store the products of a file, of live or test orders: its name for messages, and its bytes.

    A file that changes anything is an entry of the audit trail, of the user `actor` or a command.

    Of a file that may be longer, MAX_BYTES + 1 bytes are enough. `advance` is told of stored rows.
    Raises FileRefused, which names every row and column that is wrong. Then nothing is stored.
    """
    try:
        products = _read(name, content)
    except FileUnusable as error:
        raise FileRefused([str(error)]) from None
    return _store({"company": company, "is_test": is_test}, products, advance, actor)


def _read(name: str, content: bytes) -> list[Fields]:
    """Return the products of a file. Raises FileUnusable, and FileRefused for what rows have."""
    if len(content) > MAX_BYTES:
        raise FileUnusable(f"{name}: is longer than {MAX_BYTES // 1024**2} MB")
    table = parse_table(name, content)
    header = header_of(name, table.headings, COLUMNS)
    products: list[Fields] = []
    problems: list[str] = []
    rows: dict[str, int] = {}  # the first row of each SKU
    for row, values in table.rows(quoted=True):
        if len(products) == MAX_PRODUCTS:
            raise FileUnusable(f"{name}: row {row}: only {MAX_PRODUCTS} products are loaded")
        fields, found = _product(header, row, values)
        sku = fields.get("sku")
        if sku and (first := rows.setdefault(sku, row)) != row:
            found.append(header.cell(row, values, "sku").describe(f"which is in row {first} too"))
        products.append(fields)
        problems += found
    if problems:
        raise FileRefused(problems[:MAX_PROBLEMS], left_out=max(0, len(problems) - MAX_PROBLEMS))
    if not products:
        raise FileUnusable(f"{name}: has no products")
    return products


def _product(header: Header, row: int, values: Sequence[str]) -> tuple[Fields, list[str]]:
    """Return the fields of a row's product, and the problems of the row."""
    if fault := header.misplaced(row, values):
        return {}, [fault]
    line = {name: header.cell(row, values, name) for name in FIELDS}
    fields: Fields = {}
    problems: list[str] = []
    for name, cell in line.items():
        try:
            fields[name] = _PARSERS[name](cell)
        except CellProblem as problem:
            problems.append(str(problem))
    problems += [line[each.field].describe(each.message) for each in product_problems(fields)]
    return fields, problems


def _sku(cell: Cell) -> str:
    cells.number_text(cell)  # refuses an SKU that has lost digits
    return cells.sku_text(cell.text or "")


def _text(cell: Cell) -> str:
    return clean_line(cell.text or "")


def _unless_blank(parse: Callable[[Cell], T]) -> Callable[[Cell], T | None]:
    return lambda cell: parse(cell) if cell else None


_PARSERS: Mapping[str, Callable[[Cell], Any]] = {
    "sku": _sku,
    "name": _text,
    "category": _text,
    "hsn_code": cells.digits,
    "gst_rate": _unless_blank(cells.rate),
    **dict.fromkeys(LARGEST, _unless_blank(cells.whole_number)),
}


def _store(
    mode: Mapping[str, Any], products: list[Fields], advance: Callable[..., None], actor: Any
) -> LoadedProducts:
    company = mode["company"]
    added = changed = 0
    with transaction.atomic():
        # The lock on the company keeps two products of one SKU from being stored at once.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        for start in range(0, len(products), BATCH):
            batch = products[start : start + BATCH]
            known = {
                product.sku: product
                for product in Product.objects.filter(
                    **mode, sku__in=[fields["sku"] for fields in batch]
                )
            }
            new = [Product(**mode, **f) for f in batch if f["sku"] not in known]
            other = [
                known[fields["sku"]]
                for fields in batch
                if fields["sku"] in known and _set(known[fields["sku"]], fields)
            ]
            Product.objects.bulk_create(new)
            Product.objects.bulk_update(other, [*FIELDS, "updated_at"])
            added, changed = added + len(new), changed + len(other)
            advance(len(batch))
        loaded = LoadedProducts(added, changed, len(products) - added - changed)
        if added or changed:
            counts = {"added": added, "changed": changed}
            record(company, "load_products", actor=actor, details=counts)
    return loaded


def _set(product: Product, fields: Fields) -> bool:
    """Set the fields of a product; return whether any was different."""
    different = {name: value for name, value in fields.items() if getattr(product, name) != value}
    for name, value in different.items():
        setattr(product, name, value)
    if different:
        product.updated_at = timezone.now()
    return bool(different)
