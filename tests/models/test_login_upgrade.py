"""The upgrades that concern logins: none is lost, and those that two accounts share are marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from couriers.models import CourierAccount
from tests.support.upgrades import APP, migrating

pytestmark = pytest.mark.slow
BARE = "0004_operators_decisions"
COMPARED = "0005_logins_and_callback_tallies"
COLUMNS = "0010_scopes_and_use_of_api_keys"
ONE_VALUE = "0011_logins_as_the_courier_declares"
LOGIN = {"client_id": "Client-1", "username": "ops@acme", "password": 'p"ä \\ss'}


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Any]:
    with migrating() as to:
        yield to


def make_account(apps: Any, slug: str, login: dict[str, str], courier: str = "ekart") -> str:
    """Store an account by the models of that time."""
    get = apps.get_model
    company = get(APP, "Company").objects.create(
        slug=slug, name=slug, gstin="29AAGCR4375J1ZU", address="1 Example Street", state="Karnataka"
    )
    row, _ = get(APP, "Courier").objects.get_or_create(code=courier, defaults={"name": courier})
    account = get(APP, "CourierAccount").objects.create(
        company=company, courier=row, base_url="https://api.example", **login
    )
    return str(account.pk)


def stored_logins() -> Any:
    """The accounts as they are stored, without columns that came later."""
    return CourierAccount.objects.only("login", "updated_at")


def spoil(pk: str, column: str) -> None:
    """Encrypt the column with a key that this installation does not have."""
    token = Fernet(Fernet.generate_key()).encrypt(b"x")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE shipcrowd_couriers_courieraccount SET {column} = %s WHERE id = %s",
            [token, pk],
        )


def test_every_login_is_moved_and_stays_encrypted(migrate: Any) -> None:
    old = migrate(COLUMNS)
    first = make_account(old, "acme", LOGIN)
    second = make_account(old, "bodega", {"client_id": "key-only"}, courier="other")
    before = old.get_model(APP, "CourierAccount").objects.get(pk=first).updated_at
    migrate(ONE_VALUE)
    found = {account.pk: account for account in stored_logins()}
    assert found[first].login == LOGIN
    assert found[second].login == {"client_id": "key-only"}
    assert found[first].updated_at == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM shipcrowd_couriers_courieraccount a")
        assert "Client-1" not in str(cursor.fetchall())


def test_a_login_that_no_key_opens_stops_the_upgrade_and_is_kept(migrate: Any) -> None:
    old = migrate(COLUMNS)
    make_account(old, "acme", LOGIN)
    lost = make_account(old, "bodega", LOGIN | {"client_id": "Client-2"})
    spoil(lost, "password")
    with pytest.raises(CommandError, match=f"do not open the login of {lost}. Add the former key"):
        migrate(ONE_VALUE)
    still = migrate(COLUMNS).get_model(APP, "CourierAccount").objects
    assert still.values("username").get(pk=lost) == {"username": LOGIN["username"]}


def test_the_upgrade_can_be_taken_back(migrate: Any) -> None:
    make_account(migrate(COLUMNS), "acme", LOGIN)
    migrate(ONE_VALUE)
    account = migrate(COLUMNS).get_model(APP, "CourierAccount").objects.get()
    assert {name: getattr(account, name) for name in LOGIN} == LOGIN
    migrate(ONE_VALUE)
    CourierAccount.objects.update(login={"api_token": "t"}, updated_at=timezone.now())
    with pytest.raises(CommandError, match="has api_token"):
        migrate(COLUMNS)
    assert stored_logins().get().login == {"api_token": "t"}


def test_of_accounts_that_share_a_login_the_first_is_compared_with(migrate: Any) -> None:
    old = migrate(BARE)
    pks = [make_account(old, f"company-{n}", LOGIN) for n in range(3)]
    unreadable = make_account(old, "lost", LOGIN | {"client_id": "Client-2"})
    spoil(unreadable, "username")
    new = migrate(COMPARED)
    filled = new.get_model(APP, "CourierAccount").objects.exclude(login_fingerprint="")
    assert list(filled.values_list("pk", flat=True)) == pks[:1]
