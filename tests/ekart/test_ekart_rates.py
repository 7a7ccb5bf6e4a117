"""Ekart's quotes and its list of pincodes, against the sandbox."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from couriers.booking.protocol import book
from couriers.contract.errors import InvalidRequest, Rejected, Unknown
from couriers.contract.types import Parcel, PaymentMode, RateRequest
from couriers.models import ServiceablePincode
from couriers.rates import serviceability
from couriers_ekart.adapter import EkartAdapter
from sandbox.process import SandboxProcess
from tests.support.drafts import DRAFT, draft_with
from tests.support.ekart import adapter_at, calls_made
from tests.support.sandboxes import sandbox_fixture

pytestmark = pytest.mark.django_db

sandbox = sandbox_fixture("--hold", "--record", "--pincodes", "3000", scope="module")


@pytest.fixture
def adapter(sandbox: SandboxProcess) -> EkartAdapter:
    sandbox.set_faults()
    return adapter_at(sandbox.url)


LANE = RateRequest(
    "560001", "110001", Parcel(700, 30, 22, 8), PaymentMode.COD, Decimal(999), Decimal(999)
)


def test_a_quote_has_delivery_days_and_an_unserved_lane_has_no_quote(adapter: EkartAdapter) -> None:
    quotes = adapter.get_rates(LANE)
    assert [quote.service for quote in quotes] == ["SURFACE", "EXPRESS"]
    assert all(0 < (q.min_days or 0) <= (q.max_days or 0) for q in quotes)
    assert adapter.get_rates(dataclasses.replace(LANE, drop_pincode="999001")) == []
    (express,) = adapter.get_rates(dataclasses.replace(LANE, service="EXPRESS"))
    assert express.service == "EXPRESS"
    with pytest.raises(InvalidRequest, match="service"):
        adapter.get_rates(dataclasses.replace(LANE, service="PIGEON"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parcel": Parcel(900_000, 30, 22, 8)}, "parcel.weight_g"),
        ({"cod_amount": Decimal(60_000), "invoice_amount": Decimal(60_000)}, "cod_amount"),
    ],
)
def test_a_lane_is_not_priced_for_what_a_booking_refuses(
    adapter: EkartAdapter, sandbox: SandboxProcess, change: Any, field: str
) -> None:
    before = calls_made(sandbox)
    with pytest.raises(InvalidRequest) as caught:
        adapter.get_rates(dataclasses.replace(LANE, **change))
    assert [problem.field for problem in caught.value.problems] == [field]
    assert calls_made(sandbox) == before


def test_a_failed_lookup_of_the_days_leaves_the_price_without_days(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(("lane_serviceability", "error_before", 1.0))
    quotes = adapter.get_rates(LANE)
    assert [(q.service, q.min_days) for q in quotes] == [("SURFACE", None), ("EXPRESS", None)]


def test_a_failed_estimate_is_an_error(adapter: EkartAdapter, sandbox: SandboxProcess) -> None:
    sandbox.set_faults(("estimate", "error_before", 1.0))
    with pytest.raises(Unknown):
        adapter.get_rates(LANE)


def test_a_refused_service_does_not_hide_the_price_of_the_other(
    adapter: EkartAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, unwanted = adapter.client.call, {"EXPRESS"}

    def ask_amiss(operation: str, json: Any) -> Any:
        amiss = operation == "estimate" and json["serviceType"] in unwanted
        return ask(operation, json={} if amiss else json)

    monkeypatch.setattr(adapter.client, "call", ask_amiss)
    assert [quote.service for quote in adapter.get_rates(LANE)] == ["SURFACE"]
    unwanted.add("SURFACE")
    with pytest.raises(Rejected):
        adapter.get_rates(LANE)


def test_the_type_of_the_pincode_list_is_a_setting_of_the_deployment(
    adapter: EkartAdapter, sandbox: SandboxProcess, settings: Any
) -> None:
    adapter.account.settings = {"serviceability_type": "NON_LARGE"}
    settings.SHIPCROWD = settings.SHIPCROWD | {
        "COURIERS": {"ekart": {"SERVICEABILITY_TYPE": "LARGE"}}
    }
    assert any(adapter.list_serviceability())
    asked = [r for r in sandbox.requests() if r["operation"] == "bulk_serviceability"]
    assert asked[-1]["path"].endswith("/LARGE")


def test_the_list_of_pincodes_is_loaded_and_used_while_fresh(
    adapter: EkartAdapter, sandbox: SandboxProcess
) -> None:
    loaded = serviceability.load_pincodes(adapter.account)
    assert (loaded.pincodes, loaded.unreadable) == (3000, 0)
    row = ServiceablePincode.objects.filter(cod=False, serviceable=True).first()
    assert row is not None
    before = calls_made(sandbox)
    assert serviceability.check_pincode(adapter.account, row.pincode)[0].cod is False
    consignee = dataclasses.replace(DRAFT.consignee, pincode=row.pincode)
    cod = draft_with(
        courier="ekart",
        consignee=consignee,
        payment_mode=PaymentMode.COD,
        cod_amount=Decimal("1523.00"),
    )
    with pytest.raises(InvalidRequest, match=r"cod_amount: is more than the 0\.00 rupees"):
        book(adapter.account.company, cod)
    assert calls_made(sandbox) == before
