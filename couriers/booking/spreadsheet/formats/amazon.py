"""Amazon Seller Central's reports of orders: a row for each item of an order.

The report of unshipped orders has no prices; that of new orders has them, for the whole quantity
of a row and with tax.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from couriers.booking.spreadsheet import cells
from couriers.booking.spreadsheet.cells import Cell, Problems
from couriers.booking.spreadsheet.dates import order_date
from couriers.booking.spreadsheet.errors import NothingToShip
from couriers.booking.spreadsheet.formats import words
from couriers.booking.spreadsheet.formats.money import spread
from couriers.booking.spreadsheet.formats.rows import joined, require_same, without_copies
from couriers.booking.spreadsheet.layout import Format, Line, names
from couriers.booking.spreadsheet.orders import NO_DATE, SheetLine, SheetOrder
from couriers.contract.types import PaymentMode

COLUMNS = names("""
    order-id, merchant-order-id, order-item-id, purchase-date, payments-date, reporting-date,
    promise-date, days-past-promise, buyer-email, buyer-name, buyer-phone-number,
    payment-method-details, cpf, ship-county, address-type, sku, asin, number-of-items,
    product-name, quantity-purchased, quantity-shipped, quantity-to-ship, ship-service-level,
    ship-service-name, recipient-name, ship-address-1, ship-address-2, ship-address-3, ship-city,
    ship-state, ship-postal-code, ship-country, ship-phone-number, gift-wrap-type,
    gift-message-text, gift-wrap-price, gift-wrap-tax, payment-method, cod-collectible-amount,
    already-paid, payment-method-fee, scheduled-delivery-start-date, scheduled-delivery-end-date,
    points-granted, customized-url, customized-page, fulfilled-by, is-business-order,
    purchase-order-number, price-designation, buyer-company-name, buyer-tax-registration-id,
    is-prime, is-premium-order, is-global-express, is-replacement-order, is-exchange-order,
    original-order-id, is-transparency, is-amazon-invoiced, vat-exclusive-item-price,
    vat-exclusive-shipping-price, shipment-status, is-iba, is-buyer-requested-cancellation,
    buyer-requested-cancel-reason, verge-of-cancellation, verge-of-lateShipment, currency,
    item-price, item-tax, shipping-price, shipping-tax, item-promotion-discount, item-promotion-id,
    ship-promotion-discount, ship-promotion-id, delivery-start-date, delivery-end-date,
    delivery-time-zone, delivery-instructions, sales-channel, order-channel,
    default-ship-from-address-name, default-ship-from-address-field-1,
    default-ship-from-address-field-2, default-ship-from-address-field-3, default-ship-from-city,
    default-ship-from-state, default-ship-from-country, default-ship-from-postal-code
""")
_METHODS = {
    **dict.fromkeys(("cod", "cashondelivery", "cash on delivery"), PaymentMode.COD),
    **dict.fromkeys(
        ("", "prepaid", "pre-paid", "other", "creditcard", "credit card", "debit card",
         "net banking", "upi", "gift card"), PaymentMode.PREPAID,
    ),
}  # fmt: skip
_BY_AMAZON = {
    **dict.fromkeys(("easy ship", "easyship", "amazon", "afn", "fba"), True),
    **dict.fromkeys(("", "merchant", "seller", "mfn", "self ship", "self-ship"), False),
}
_ADDRESS = ("recipient-name", "ship-address-1", "ship-address-2", "ship-address-3", "ship-city",
            "ship-state", "ship-postal-code", "ship-country")  # fmt: skip
_PRICES = ("item-price", "shipping-price", "gift-wrap-price")
_DISCOUNTS = ("item-promotion-discount", "ship-promotion-discount")
_COD = "cod-collectible-amount"


def read(rows: Sequence[Line], problems: Problems) -> SheetOrder:
    """Return the order of these rows.

    Raises NothingToShip for what Amazon ships, what was shipped, and what the buyer cancelled.
    """
    first = rows[0]
    for row in rows:
        _leave_out(row)
    require_same(rows, (*_ADDRESS, "purchase-date", "payment-method"), problems)
    rows = without_copies(rows, "order-item-id")
    problems.read(words.require_india, first["ship-country"], None)
    problems.read(words.require_rupees, first["currency"], None)
    quantities = [problems.read(cells.whole_number, _quantity_cell(row), 1) for row in rows]
    shipped = [(row, n) for row, n in zip(rows, quantities, strict=True) if n]
    if not shipped:
        raise NothingToShip(f"row {first.row}: nothing to ship is left in the order")
    mode = _payment_mode(first, problems)
    _refuse_parts(rows, shipped, mode)
    cod = _collected(rows, problems) if mode == PaymentMode.COD else Decimal(0)
    values = _values([row for row, _ in shipped], cod, problems)
    return SheetOrder(
        date_cell=first["purchase-date"],
        date=problems.read(order_date, first["purchase-date"], NO_DATE),
        mode_cell=first["payment-method"],
        mode=mode,
        cod_cell=first[_COD],
        cod_amount=cod,
        consignee=_consignee(first),
        lines=tuple(
            SheetLine(
                name=row["product-name"],
                sku=row["sku"],
                quantity_cell=_quantity_cell(row),
                quantity=quantity,
                value_cell=row["item-price"] if row.has("item-price") else row[_COD],
                value=value,
            )
            for (row, quantity), value in zip(shipped, values, strict=True)
        ),
    )


def _leave_out(row: Line) -> None:
    by = row["fulfilled-by"]
    if cells.word(by, _BY_AMAZON, "is not known: orders that the merchant ships are booked"):
        raise words.skip(by, "Amazon ships the order")
    wanted = row["is-buyer-requested-cancellation"]
    if words.yes_no(wanted):
        raise words.skip(wanted, "the buyer asked to cancel the order")


def _quantity_cell(row: Line) -> Cell:
    return row.first_of("quantity-to-ship", "quantity-purchased")


def _refuse_parts(
    rows: Sequence[Line], shipped: Sequence[tuple[Line, int]], mode: PaymentMode
) -> None:
    """Raise CellProblem where the file does not tell what the rest of an order costs."""
    for row, quantity in shipped:
        purchased = row["quantity-purchased"]
        if purchased and cells.whole_number(purchased) != quantity:
            raise _quantity_cell(row).problem(
                f"of {purchased.text}: the file does not tell what the rest costs, book it by hand"
            )
    if mode == PaymentMode.COD and len(shipped) < len(rows):
        raise _quantity_cell(rows[0]).problem(
            "a part of the COD order was shipped: the file does not tell what to collect for the "
            "rest, book it by hand"
        )


def _payment_mode(first: Line, problems: Problems) -> PaymentMode:
    method = first["payment-method"]
    mode = problems.read(_method, method, PaymentMode.PREPAID)
    due = first[_COD]
    if mode == PaymentMode.PREPAID and due and problems.read(cells.amount, due, Decimal(0)):
        problems.append(due.describe(f'but {method.place} says "{method.text}"'))
    return mode


def _method(cell: Cell) -> PaymentMode:
    return cells.word(cell, _METHODS, "is no known method of payment: write COD or Prepaid")


def _collected(rows: Sequence[Line], problems: Problems) -> Decimal:
    """Return what to collect for the order, in rupees.

    The amount is the order's where it stands in one row alone, and the sum where the rows have
    different ones. The same amount in several rows is the order's if its prices say so.
    """
    filled = [row[_COD] for row in rows if row[_COD]] or [rows[0][_COD]]
    amounts = [problems.read(cells.amount, cell, Decimal(1)) for cell in filled]
    if len(amounts) == 1:
        return amounts[0]
    total = sum(amounts, Decimal(0))
    if len(set(amounts)) > 1:
        return total
    prices = sum(_prices(rows, problems), Decimal(0))
    if prices in (amounts[0], total):
        return prices
    problems.append(
        filled[0].describe("stands in several rows: for each of them, or once for the order?")
    )
    return amounts[0]


def _values(rows: Sequence[Line], cod: Decimal, problems: Problems) -> list[Decimal]:
    """Return the value of each row in rupees. They add up to what is collected, if anything is."""
    if not rows[0].has("item-price"):
        if cod and len(rows) == 1:
            return [cod]
        problems.append(
            f"{rows[0]['item-price'].place}: the file has no prices: use the report of new orders, "
            "or add the column item-price with the price of each row, tax included"
        )
        return [Decimal(1)] * len(rows)
    prices = _prices(rows, problems)
    return spread(cod, prices) if cod else prices


def _prices(rows: Sequence[Line], problems: Problems) -> list[Decimal]:
    found = []
    for row in rows:
        price = problems.read(cells.amount, row["item-price"], Decimal(1))
        for name in _PRICES[1:]:
            price += _optional(row[name], problems)
        for name in _DISCOUNTS:
            price -= _optional(row[name], problems)
        found.append(max(price, Decimal(0)))
    return found


def _optional(cell: Cell, problems: Problems) -> Decimal:
    text = (cell.text or "").removeprefix("-")
    return problems.read(cells.amount, Cell(cell.place, text), Decimal(0)) if text else Decimal(0)


def _consignee(first: Line) -> dict[str, Cell]:
    return {
        "name": first.first_of("recipient-name", "buyer-name"),
        "phone": first.first_of("ship-phone-number", "buyer-phone-number"),
        "address": joined(first[f"ship-address-{number}"] for number in (1, 2, 3)),
        "city": first["ship-city"],
        "state": first["ship-state"],
        "pincode": first["ship-postal-code"],
    }


def _skus(row: Line) -> Iterator[str]:
    yield row["sku"].text or ""


FORMAT = Format(
    name="amazon",
    title="Amazon's report of orders",
    columns=COLUMNS,
    required=(
        ("order-id",), ("purchase-date",), ("sku",), ("product-name",),
        ("quantity-to-ship", "quantity-purchased"), ("recipient-name", "buyer-name"),
        ("ship-address-1",), ("ship-city",), ("ship-state",), ("ship-postal-code",),
        ("buyer-phone-number", "ship-phone-number"), ("payment-method",),
    ),
    signature=("order-id", "order-item-id", "purchase-date", "ship-postal-code"),
    order_number=("order-id",),
    read=read,
    skus=_skus,
    quoted=False,
)  # fmt: skip
