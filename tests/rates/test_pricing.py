"""The merchant's price, exact to the paisa, and the cache of the courier's quotes."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.errors import Unknown
from couriers.contract.types import Parcel, PaymentMode, RateRequest
from couriers.models import ServiceablePincode
from couriers.models.rate_policy import InvalidRatePolicy, MerchantPrice, RatePolicy
from couriers.rates.pricing import priced_quotes
from tests.support.drafts import raising

LANE = RateRequest(
    pickup_pincode="560001",
    drop_pincode="110001",
    parcel=Parcel(240, 30, 22, 8),
    payment_mode=PaymentMode.COD,
    invoice_amount=Decimal("1523.00"),
    cod_amount=Decimal("1523.00"),
)
POLICY = {"markup_percent": "10", "flat_fee": "5.00", "gst_percent": "18", "round_to": "1.00"}


def test_a_price_shows_markup_fee_gst_and_rounding() -> None:
    price = RatePolicy.from_json(POLICY).price(Decimal("100.50"))
    assert price == MerchantPrice(
        base=Decimal("100.50"),
        markup=Decimal("10.05"),
        fee=Decimal("5.00"),
        gst=Decimal("20.80"),
        rounding=Decimal("-0.35"),
        total=Decimal("136.00"),
    )
    up = RatePolicy.from_json(POLICY | {"rounding": "up"}).price(Decimal("100.50"))
    assert (up.rounding, up.total) == (Decimal("0.65"), Decimal("137.00"))


def test_without_a_policy_the_merchant_pays_the_couriers_price() -> None:
    price = RatePolicy.from_json({}).price(Decimal("100.50"))
    assert (price.total, price.markup + price.fee + price.gst + price.rounding) == (
        Decimal("100.50"), 0,
    )  # fmt: skip


money = st.decimals(0, 100_000, places=2)


@given(
    base=money,
    markup=st.decimals(0, 500, places=3),
    fee=money,
    gst=st.decimals(0, 100, places=2),
    round_to=st.sampled_from(["0.01", "0.05", "0.50", "1", "10"]),
    rounding=st.sampled_from(["half_up", "up"]),
)
def test_the_parts_add_up_to_the_total_to_the_paisa(
    base: Decimal, markup: Decimal, fee: Decimal, gst: Decimal, round_to: str, rounding: str
) -> None:
    policy = RatePolicy(markup, fee, gst, Decimal(round_to), rounding)
    price = policy.price(base)
    parts = (price.base, price.markup, price.fee, price.gst, price.rounding)
    assert sum(parts) == price.total
    assert price.total % Decimal(round_to) == 0
    assert abs(price.rounding) < Decimal(round_to)
    assert rounding == "half_up" or price.rounding >= 0
    assert all(part == part.quantize(Decimal("0.01")) for part in (*parts, price.total))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ([], "must be an object"),
        ({"mark_up": "1"}, "known: markup_percent"),
        ({"markup_percent": 10}, "decimal string"),
        ({"markup_percent": 1.5}, "decimal string"),
        ({"flat_fee": "-1"}, "must be 0 to"),
        ({"flat_fee": "NaN"}, "must be 0 to"),
        ({"flat_fee": "lots"}, "decimal string"),
        ({"flat_fee": "9" * 21}, "decimal string"),
        ({"gst_percent": "101"}, "0 to 100"),
        ({"round_to": "0"}, "multiple of 0.01"),
        ({"round_to": "0.015"}, "multiple of 0.01"),
        ({"rounding": "down"}, "half_up, up"),
    ],
)
def test_an_invalid_policy_is_refused(company: Any, policy: Any, words: str) -> None:
    with pytest.raises(InvalidRatePolicy, match=words):
        RatePolicy.from_json(policy)
    company.rate_policy = policy
    with pytest.raises(ValidationError, match=words):
        company.clean()


def test_the_api_shows_the_couriers_quote_beside_the_merchants_price(
    storefront: Client, account: Any, able: Any
) -> None:
    account.company.rate_policy = POLICY
    account.company.save()
    answer = storefront.post(
        "/api/v1/rates/", json.dumps(RATES_BODY), content_type="application/json"
    )
    found = answer.json()
    assert found["quotes"][0].pop("quote")  # tests/api/test_price_of_shipments.py books with it
    assert found == {
        "quotes": [{
            "courier": "toy", "service": "SURFACE", "total": "100.50",
            "parts": {"freight": "80.00", "cod": "20.50"},
            "price": {"base": "100.50", "markup": "10.05", "fee": "5.00", "gst": "20.80",
                      "rounding": "-0.35", "total": "136.00"},
            "zone": "C", "billed_weight_g": 500, "min_days": None, "max_days": None,
            "cod_fee": "20.50", "cheapest": True, "fastest": False,
        }],
        "missing": [],
    }  # fmt: skip


RATES_BODY: dict[str, Any] = {
    "courier": "toy", "pickup_pincode": "560001", "drop_pincode": "110 001",
    "parcel": {"weight_g": 240, "length_cm": 30, "width_cm": 22, "height_cm": 8},
    "payment_mode": "cod", "invoice_amount": "1523.00", "cod_amount": "1523.00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cod_amount": "0"}, "must be more than 0 for COD"),
        ({"cod_amount": None}, "must be more than 0 for COD"),
        ({"cod_amount": "1523.01"}, "is more than the invoice amount"),
        ({"payment_mode": "prepaid"}, "must be left out for a prepaid order"),
        ({"direction": "reverse"}, "a return collects no money"),
        ({"drop_pincode": "560008"}, "is more than the 1000.00 rupees that toy collects at 560008"),
    ],
)
def test_rates_refuse_the_amounts_that_a_booking_refuses(
    storefront: Client, account: Any, able: Any, change: dict[str, Any], message: str
) -> None:
    ServiceablePincode.objects.create(
        courier_id="toy", pincode="560008", serviceable=True, cod=True, max_cod_amount=1000,
        loaded_at=timezone.now(),
    )  # fmt: skip
    body = {name: value for name, value in (RATES_BODY | change).items() if value is not None}
    answer = storefront.post("/api/v1/rates/", json.dumps(body), content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.json()["errors"] == [{"field": "cod_amount", "message": message}]
    assert able.asked == []
    good = storefront.post(
        "/api/v1/rates/", json.dumps(RATES_BODY), content_type="application/json"
    )
    assert good.status_code == 200


def test_quotes_are_cached_under_all_their_inputs(account: Any, able: Any) -> None:
    first = priced_quotes(account, LANE)
    assert priced_quotes(account, LANE) == first
    assert len(able.asked) == 1
    different = [
        dataclasses.replace(LANE, drop_pincode="400001"),
        dataclasses.replace(LANE, parcel=Parcel(241, 30, 22, 8)),
        dataclasses.replace(LANE, cod_amount=Decimal("1523.01")),
        dataclasses.replace(LANE, service="EXPRESS"),
    ]
    for request in different:
        priced_quotes(account, request)
    assert len(able.asked) == 5
    account.settings = {"billing": "other"}
    account.save()
    priced_quotes(account, LANE)
    assert len(able.asked) == 6


def test_a_changed_policy_applies_at_once_to_a_cached_quote(account: Any, able: Any) -> None:
    priced_quotes(account, LANE)
    account.company.rate_policy = {"flat_fee": "7.00"}
    (priced,) = priced_quotes(account, LANE)
    assert (priced.quote.total, priced.price.total) == (Decimal("100.50"), Decimal("107.50"))
    assert len(able.asked) == 1


def test_cached_quotes_expire(account: Any, able: Any, settings: Any) -> None:
    import time

    settings.SHIPCROWD = settings.SHIPCROWD | {"QUOTE_CACHE": 0.05}
    priced_quotes(account, LANE)
    time.sleep(0.1)
    priced_quotes(account, LANE)
    assert len(able.asked) == 2


def test_a_failure_is_not_cached(account: Any, able: Any) -> None:
    able.on_call["get_rates"] = raising(Unknown("read time-out"))
    with pytest.raises(Unknown):
        priced_quotes(account, LANE)
    able.on_call.clear()
    assert priced_quotes(account, LANE)


def test_without_redis_the_courier_is_asked_each_time(
    account: Any, able: Any, redis_unavailable: None
) -> None:
    for _ in range(2):
        assert priced_quotes(account, LANE)
    assert len(able.asked) == 2


def free(company: Any, quote: Any, request: Any) -> MerchantPrice:
    zero = Decimal("0.00")
    return MerchantPrice(quote.total, -quote.total, zero, zero, zero, zero)


def test_the_policy_is_pluggable_by_its_dotted_path(account: Any, able: Any, settings: Any) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"PRICING": f"{__name__}.free"}
    assert priced_quotes(account, LANE)[0].price.total == 0
    settings.SHIPCROWD = settings.SHIPCROWD | {"PRICING": "couriers.nothing.here"}
    with pytest.raises(ImproperlyConfigured, match="PRICING"):
        priced_quotes(account, LANE)
