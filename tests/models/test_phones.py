"""Hashes of phones: they find a phone's shipments, and tell nothing without the keys."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest

from couriers.contract import india
from couriers.models import Shipment
from couriers.models.phones import phone_hashes, stored_phone_hash
from couriers.operations import key_rotation
from tests.support.commands import run_json

pytestmark = pytest.mark.django_db
PHONE = "9876543210"


def test_a_booked_shipment_has_the_hash_of_its_phone(shipment: Shipment) -> None:
    assert shipment.phone_hash == stored_phone_hash(PHONE)
    assert Shipment.objects.get(phone_hash=stored_phone_hash(PHONE)) == shipment
    assert stored_phone_hash("9876543211") != shipment.phone_hash
    assert hashlib.sha256(PHONE.encode()).hexdigest() != shipment.phone_hash


def test_a_shipment_without_a_phone_has_no_hash(shipment: Shipment) -> None:
    shipment.consignee_phone = ""
    shipment.save()
    assert Shipment.objects.get().phone_hash == ""


def test_a_row_whose_phone_was_not_loaded_keeps_its_hash(
    shipment: Shipment, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        Shipment.objects.defer("consignee_phone").get().save()
    assert Shipment.objects.get().phone_hash == stored_phone_hash(PHONE)


def test_a_changed_phone_changes_the_hash(able: Any, shipment: Shipment, storefront: Any) -> None:
    Shipment.objects.update(status="undelivered")
    tomorrow = india.today() + dt.timedelta(days=1)
    body = {"date": tomorrow.isoformat(), "phone": "+91 91234 56780"}
    url = f"/api/v1/shipments/{shipment.pk}/address/"
    assert storefront.post(url, body, content_type="application/json").status_code == 200
    shipment.refresh_from_db()
    assert (shipment.consignee_phone, shipment.phone_hash) == (
        "9123456780", stored_phone_hash("9123456780"),
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_rotation_of_the_keys_writes_the_hashes_anew(shipment: Shipment, settings: Any) -> None:
    before, former = shipment.phone_hash, list(settings.FERNET_KEYS)
    settings.FERNET_KEYS = ["new", *former]
    key_rotation.forget_keys()
    try:
        assert phone_hashes(PHONE)[:2] == (stored_phone_hash(PHONE), before)
        run_json("rotate_keys")
        assert Shipment.objects.values_list("phone_hash", flat=True).get() == phone_hashes(PHONE)[0]
        # One that the upgrade could not read gets its hash, too.
        Shipment.objects.update(phone_hash="")
        run_json("rotate_keys")
        assert Shipment.objects.values_list("phone_hash", flat=True).get() != ""
    finally:
        settings.FERNET_KEYS = former
        key_rotation.forget_keys()
