"""A value that no key of FERNET_KEYS opens stops nobody who does not need it, and is not lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from couriers.contract.errors import LoginUnreadable
from couriers.contract.platform_errors import UnreadableValue
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount, CourierToken, Shipment
from couriers.models.fields import readable_or
from couriers.models.plugin_hooks import StoredToken, load_token, store_token
from tests.support.ciphertext import make_unreadable, stored
from tests.support.factories import CourierAccountFactory, CourierRowFactory, ShipmentFactory

pytestmark = pytest.mark.django_db

LOGIN = {"client_id": "c", "username": "typed", "password": "again"}
PERSONAL = ("consignee_phone", "consignee_address", "options")


def test_rows_are_loaded_and_only_the_reader_of_the_value_is_refused(shipment: Any) -> None:
    other = ShipmentFactory(account=shipment.account, warehouse=shipment.warehouse)
    make_unreadable(shipment, *PERSONAL)
    rows = {row.pk: row for row in Shipment.objects.all()}
    assert rows[other.pk].consignee_phone == other.consignee_phone
    row = rows[shipment.pk]
    assert row.order_number == shipment.order_number
    for name in PERSONAL:
        with pytest.raises(UnreadableValue, match=f"{name} of shipment {shipment.pk}"):
            getattr(row, name)
        assert readable_or(row, name, "-") == "-"
    with pytest.raises(UnreadableValue):
        _ = Shipment.objects.defer(*PERSONAL).get(pk=shipment.pk).consignee_phone


def test_a_saved_row_keeps_what_it_could_not_read(shipment: Any) -> None:
    token = make_unreadable(shipment, *PERSONAL)
    row = Shipment.objects.get(pk=shipment.pk)
    row.waybill = "W-2"
    row.consignee_address = "1, New Road"
    row.save()
    assert stored(row, "consignee_phone") == stored(row, "options") == token
    row = Shipment.objects.get(pk=shipment.pk)
    assert (row.waybill, row.consignee_address) == ("W-2", "1, New Road")


def test_an_account_whose_login_cannot_be_read_can_be_switched_off(account: Any) -> None:
    fingerprint = account.login_fingerprint
    token = make_unreadable(account, "login")
    row = CourierAccount.objects.get(pk=account.pk)
    row.rollout = "off"
    row.full_clean(exclude=["login"])
    row.save()
    assert (stored(row, "login"), row.login_fingerprint) == (token, fingerprint)
    row.login = LOGIN
    row.save()
    assert CourierAccount.objects.get(pk=account.pk).login == LOGIN


def test_a_login_of_another_account_is_refused_where_the_old_one_cannot_be_read(
    account: Any,
) -> None:
    other = CourierAccountFactory(courier=CourierRowFactory(code="toy", name="Toy"))
    make_unreadable(account, "login")
    row = CourierAccount.objects.get(pk=account.pk)
    row.login = other.login
    with pytest.raises(Exception, match="already that of account"):
        row.save()


def test_a_call_with_a_login_that_cannot_be_read_is_not_sent(company: Any) -> None:
    account = CourierAccountFactory(company=company)
    make_unreadable(account, "login")
    with pytest.raises(LoginUnreadable) as refused:
        CourierFactory.get_adapter(CourierAccount.objects.get(pk=account.pk))
    assert refused.value.retry_after == 60


def test_a_token_that_cannot_be_read_is_replaced_by_the_next_login(account: Any) -> None:
    token = CourierToken.objects.create(
        account=account, access_token="T", login_hash="h", expires_at=timezone.now()
    )
    make_unreadable(token, "access_token")
    found = load_token(account.pk)
    assert found is not None
    assert (found.login_hash, found.version) == ("", 1)
    new = StoredToken("T2", "Bearer", timezone.now(), "h", no_newer=False, version=2)
    assert store_token(account.pk, new)
    assert load_token(account.pk) == new


def test_a_previous_secret_that_cannot_be_read_does_not_hide_the_current_one(account: Any) -> None:
    make_unreadable(account, "previous_webhook_secret")
    row = CourierAccount.objects.get(pk=account.pk)
    assert row.webhook_secrets == (account.webhook_secret,)
    make_unreadable(account, "webhook_secret")
    with pytest.raises(UnreadableValue):
        _ = CourierAccount.objects.get(pk=account.pk).webhook_secrets
