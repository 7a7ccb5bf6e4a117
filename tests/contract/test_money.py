"""GST in prices that include it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.money import (
    amounts_of,
    equal_shares,
    gst_parts,
    gst_parts_of_lines,
    is_whole_paise,
    split_gst,
    to_paisa,
    unit_prices,
)
from couriers.contract.types import Item

rupees = st.decimals("0.01", "999999.99", places=2)
rates = st.sampled_from([Decimal(r) for r in ("0", "3", "5", "12", "18", "28", "40")])


def test_gst_is_part_of_the_price() -> None:
    amounts = split_gst(Decimal("1523"), Decimal("12"))
    assert (amounts.taxable, amounts.tax) == (Decimal("1359.82"), Decimal("163.18"))


@given(st.lists(st.tuples(rupees, rates), min_size=1, max_size=20))
def test_taxable_value_and_tax_add_up_to_the_total_exactly(
    lines: list[tuple[Decimal, Decimal]],
) -> None:
    items = [Item(name="x", quantity=1, value=v, gst_rate=r) for v, r in lines]
    amounts = amounts_of(items)
    assert amounts.taxable + amounts.tax == amounts.total == sum(v for v, _ in lines)
    assert all(a == a.quantize(Decimal("0.01")) for a in (amounts.taxable, amounts.tax))


@given(st.lists(st.tuples(rupees, rates), min_size=1, max_size=20), st.booleans())
def test_the_parts_of_gst_of_the_lines_add_up_to_those_of_the_order(
    lines: list[tuple[Decimal, Decimal]], within_state: bool
) -> None:
    items = [Item(name="x", quantity=1, value=v, gst_rate=r) for v, r in lines]
    tax = amounts_of(items).tax
    whole = gst_parts(tax, within_state=within_state)
    assert whole.sgst + whole.cgst + whole.igst == tax
    assert bool(whole.igst) == (bool(tax) and not within_state)
    parts = gst_parts_of_lines(items, within_state=within_state)
    for name in ("sgst", "cgst", "igst"):
        of_lines = [getattr(part, name) for part in parts]
        assert min(of_lines) >= 0
        assert sum(of_lines) == getattr(whole, name)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.004999", "0.00"),
        ("1.015", "1.02"),
        ("-0.005", "-0.01"),
        ("5", "5.00"),
    ],
)
def test_amounts_are_rounded_to_the_paisa_half_up(amount: str, rounded: str) -> None:
    assert str(to_paisa(Decimal(amount))) == rounded


@pytest.mark.parametrize(
    "amount",
    ["0", "5", "1523.00", "0.01", "-2.5", "1E+2", "12.500", "1E+26", "1E+400", "NaN", "-Infinity"],
)
def test_an_amount_with_at_most_two_decimals_is_whole_paise(amount: str) -> None:
    assert is_whole_paise(Decimal(amount))


@pytest.mark.parametrize(
    "amount", ["0.001", "1523.005", "-0.009", "1E-3", "1E-999", "1" * 40 + ".001"]
)
def test_an_amount_with_a_fraction_of_a_paisa_is_not_whole_paise(amount: str) -> None:
    assert not is_whole_paise(Decimal(amount))


@given(st.integers(1, 10**8), st.integers(1, 5000))
def test_prices_of_units_are_whole_paise_and_add_up_to_the_value(paise: int, quantity: int) -> None:
    value = Decimal(paise) / 100
    prices = unit_prices(value, quantity)
    assert sum(units for units, _ in prices) == quantity
    assert sum(units * price for units, price in prices) == value
    assert all(is_whole_paise(price) for _, price in prices)
    assert len(prices) <= 2


@given(st.integers(0, 10**8), st.integers(1, 500))
def test_shares_are_whole_paise_almost_equal_and_add_up(paise: int, count: int) -> None:
    amount = Decimal(paise) / 100
    shares = equal_shares(amount, count)
    assert len(shares) == count
    assert sum(shares) == amount
    assert all(is_whole_paise(share) for share in shares)
    assert len(set(shares[1:])) <= 1
    assert abs(shares[0] - shares[-1]) <= Decimal(count) / 100
