"""Reads a spreadsheet that was uploaded into the orders of a bulk job.

What is wrong with the file as such refuses all of it, as `book_orders` does; what is wrong with an
order ends that order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from couriers.booking.bulk import OrderResult
from couriers.booking.bulk_jobs import OrderRequest, check_count
from couriers.booking.spreadsheet.cells import Cell
from couriers.booking.spreadsheet.drafting import read_draft
from couriers.booking.spreadsheet.errors import NothingToShip, OrderProblem
from couriers.booking.spreadsheet.goods import Goods, with_goods
from couriers.booking.spreadsheet.lines import OrderLines, read_orders
from couriers.booking.spreadsheet.table import parse_table
from couriers.models import Company
from couriers.models.job import OrderOutcome

FILE = "the file"  # what messages call it


def read_upload(
    company: Company,
    courier: str,
    content: bytes,
    *,
    format_name: str = "auto",
    ignored: Sequence[str] = (),
    defaults: Mapping[str, Cell] | None = None,
    is_test: bool = False,
) -> Iterator[OrderRequest]:
    """Yield the orders of a file with this content, as requests for a job of bulk bookings.

    The arguments are as for `read_orders` and `book_orders`. Raises FileUnusable, and
    InvalidRequest for more orders than a job may have.
    """
    filled: Collection[str] = defaults or {}
    table = parse_table(FILE, content)
    orders = read_orders(table, format_name=format_name, ignored=ignored, filled=filled)
    check_count(len(orders))
    for order, goods in with_goods(company, orders, defaults or {}, is_test=is_test):
        yield _request(order, courier, goods)


def _request(order: OrderLines, courier: str, goods: Goods) -> OrderRequest:
    try:
        sheet = read_draft(order, courier, goods)
    except OrderProblem as problem:
        ended = OrderResult(OrderOutcome.REJECTED, reason=str(problem))
    except NothingToShip as reason:
        ended = OrderResult(OrderOutcome.SKIPPED, reason=str(reason))
    else:
        return OrderRequest.of(sheet.draft, sheet.cells)
    return OrderRequest(order.order_number, ended=ended)
