"""Loads a file of products into a company's table: all of it, or nothing where a row is wrong.

Products are found by their SKU, so a file can be loaded again. A product that is not in the file
stays as it is; a blank cell says that the value is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone

from couriers.models import Company, Product
from couriers.models.product import FIELDS, LARGEST, product_problems
from couriers.operations.product_files import FileRefused, RowProblem, read_table

MAX_PRODUCTS = 100_000  # in one file
BATCH = 1_000  # rows in one statement
MAX_PROBLEMS = 200  # in one report
_WHOLE = re.compile(r"([0-9]{1,12})(\.0+)?")

Row = tuple[int, dict[str, Any]]  # the number of a row in the file, and its product's fields


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
    company: Company, content: bytes, advance: Callable[..., None] = lambda steps=1: None
) -> LoadedProducts:
    """Store the products of a file, whose bytes are given. `advance` is told of stored rows.

    Raises FileRefused, which names every row and column that is wrong. Then nothing is stored.
    """
    headings, lines = read_table(content)
    columns = _columns(headings)
    rows: list[Row] = []
    problems: list[RowProblem] = []
    for number, cells in lines:
        fields, found = _fields(number, cells, columns)
        rows.append((number, fields))
        problems += found
        if len(rows) > MAX_PRODUCTS:
            raise FileRefused([RowProblem(number, "", f"only {MAX_PRODUCTS} products are loaded")])
    problems += _repeats(rows)
    if problems:
        problems.sort(key=lambda problem: problem.row)
        raise FileRefused(problems[:MAX_PROBLEMS], left_out=max(0, len(problems) - MAX_PROBLEMS))
    if not rows:
        raise FileRefused([RowProblem(1, "", "the file has no products")])
    return _store(company, [fields for _, fields in rows], advance)


def _columns(headings: Sequence[str]) -> list[str]:
    """The field of each column. Raises FileRefused for headings that are wrong."""
    names = [re.sub(r"[\s_-]+", "_", heading.strip().casefold()) for heading in headings]
    while names and not names[-1]:
        names.pop()
    counts = Counter(names)
    problems = [
        RowProblem(1, heading or f"number {place}", "is not a column of products")
        for place, (name, heading) in enumerate(zip(names, headings, strict=False), start=1)
        if name not in FIELDS
    ]
    problems += [RowProblem(1, name, "stands twice") for name in FIELDS if counts[name] > 1] + [
        RowProblem(1, name, "is missing") for name in FIELDS if not counts[name]
    ]
    if problems:
        raise FileRefused(problems[:MAX_PROBLEMS])
    return names


def _fields(
    number: int, cells: Sequence[str], columns: Sequence[str]
) -> tuple[dict[str, Any], list[RowProblem]]:
    """The fields of a row's product, and the problems of the row."""
    if any(cells[len(columns) :]):
        return {}, [RowProblem(number, "", "has more cells than the header has columns")]
    padded = [*cells[: len(columns)], *[""] * (len(columns) - len(cells))]
    texts = dict(zip(columns, padded, strict=True))
    fields: dict[str, Any] = {}
    problems: list[RowProblem] = []
    for name, text in texts.items():
        try:
            fields[name] = _value(name, text)
        except ValueError as error:
            problems.append(RowProblem(number, name, f'"{text[:50]}" {error}'))
    problems += [
        RowProblem(number, problem.field, f'"{texts[problem.field][:50]}" {problem.message}')
        if texts[problem.field]
        else RowProblem(number, problem.field, problem.message)
        for problem in product_problems(fields)
    ]
    return fields, problems


def _value(name: str, text: str) -> Any:
    """The value of a cell. Raises ValueError with what is wrong with it."""
    if name == "gst_rate":
        return _rate(text)
    if name in LARGEST:
        return _whole_number(text)
    if name == "hsn_code" and (whole := _WHOLE.fullmatch(text)):
        return whole[1]  # Excel's 6912.0
    return text


def _whole_number(text: str) -> int | None:
    if not text:
        return None
    if not (whole := _WHOLE.fullmatch(text)):
        raise ValueError("is not a whole number")
    return int(whole[1])


def _rate(text: str) -> Decimal | None:
    text = text.removesuffix("%").strip()
    if not text:
        return None
    try:
        rate = Decimal(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) else None
    except InvalidOperation:
        rate = None
    if rate is None:
        raise ValueError("is not a rate in per cent like 12 or 2.5")
    return rate


def _repeats(rows: Iterable[Row]) -> list[RowProblem]:
    """The problems of rows with an SKU that stands in an earlier row."""
    first: dict[str, int] = {}
    problems = []
    for number, fields in rows:
        sku = fields.get("sku")
        if sku and first.setdefault(sku, number) != number:
            problems.append(RowProblem(number, "sku", f'"{sku[:50]}" is in row {first[sku]} too'))
    return problems


def _store(
    company: Company, rows: list[dict[str, Any]], advance: Callable[..., None]
) -> LoadedProducts:
    added = changed = 0
    with transaction.atomic():
        # The lock on the company keeps two products of one SKU from being stored at once.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            known = {
                product.sku: product
                for product in Product.objects.filter(
                    company=company, sku__in=[fields["sku"] for fields in batch]
                )
            }
            new = [Product(company=company, **f) for f in batch if f["sku"] not in known]
            other = [
                known[fields["sku"]]
                for fields in batch
                if fields["sku"] in known and _set(known[fields["sku"]], fields)
            ]
            Product.objects.bulk_create(new)
            Product.objects.bulk_update(other, [*FIELDS, "updated_at"])
            added, changed = added + len(new), changed + len(other)
            advance(len(batch))
    return LoadedProducts(added, changed, len(rows) - added - changed)


def _set(product: Product, fields: dict[str, Any]) -> bool:
    """Set the fields of a product; return whether any was different."""
    different = {name: value for name, value in fields.items() if getattr(product, name) != value}
    for name, value in different.items():
        setattr(product, name, value)
    if different:
        product.updated_at = timezone.now()
    return bool(different)
