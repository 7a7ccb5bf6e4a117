"""No door stores an account that would send its login to the platform's own network."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.core.management import CommandError

from couriers.models import CourierAccount
from tests.support.commands import run_json
from tests.support.factories import CompanyFactory, CourierAccountFactory

pytestmark = pytest.mark.django_db
INSIDE = "https://192.168.1.1"
PUBLIC = "https://api.example"
DOORS = {
    "create": lambda account: CourierAccountFactory(base_url=INSIDE),
    "save": lambda account: _changed(account).save(),
    "save of this field": lambda account: _changed(account).save(update_fields=["base_url"]),
    "update_or_create": lambda account: CourierAccount.objects.update_or_create(
        pk=account.pk, defaults={"base_url": INSIDE}
    ),
    "full_clean": lambda account: _changed(account).full_clean(),
}


@pytest.fixture
def account(settings: Any) -> CourierAccount:
    """An account of an installation that is not for development."""
    settings.SHIPCROWD = settings.SHIPCROWD | {"DEVELOPMENT": False}
    return CourierAccountFactory(base_url=PUBLIC)


def _changed(account: CourierAccount) -> CourierAccount:
    account.base_url = INSIDE
    return account


@pytest.mark.parametrize("door", DOORS)
def test_a_private_base_url_is_refused_at_every_door(door: str, account: CourierAccount) -> None:
    with pytest.raises(ValidationError) as caught:
        DOORS[door](account)
    assert "private network" in str(caught.value.message_dict["base_url"])
    assert {a.base_url for a in CourierAccount.objects.all()} == {PUBLIC}


def test_a_private_base_url_is_stored_where_the_setting_allows_it(
    account: CourierAccount, settings: Any
) -> None:
    settings.SHIPCROWD = settings.SHIPCROWD | {"ALLOW_PRIVATE_COURIERS": True}
    _changed(account).save()
    account.refresh_from_db()
    assert account.base_url == INSIDE


@pytest.mark.parametrize(
    ("url", "words"),
    [(INSIDE, "private network"), ("http://127.0.0.1:8900", "for development"),
     ("https://a:b@api.example", "no login"), ("https://api.example/v1", "no path")],
)  # fmt: skip
def test_the_environments_url_is_checked_when_an_account_is_seeded(
    url: str, words: str, account: CourierAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = CompanyFactory()
    for name in ("CLIENT_ID", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"EKART_{name}", "seeded")
    monkeypatch.setenv("EKART_BASE_URL", url)
    with pytest.raises(CommandError, match=f"EKART_BASE_URL .*{words}") as caught:
        run_json("seed_courier", "ekart", "--company", company.slug)
    assert "a:b" not in str(caught.value)
    assert not company.accounts.exists()


def test_an_account_from_before_the_rule_can_be_switched_off(account: CourierAccount) -> None:
    CourierAccount.objects.update(base_url=INSIDE)
    account.refresh_from_db()
    account.rollout = "off"
    account.full_clean()
    account.save()
    account.refresh_from_db()
    assert (account.rollout, account.base_url) == ("off", INSIDE)


def test_the_check_of_the_database_names_accounts_that_would_be_refused(
    account: CourierAccount,
) -> None:
    CourierAccountFactory.create_batch(6, base_url=PUBLIC)
    assert not warnings()
    CourierAccount.objects.update(base_url="https://user:secret-word@api.example")
    (warning,) = warnings()
    assert f"{account.pk} must have no login" in warning
    assert "(and 2 more)" in warning
    assert "secret-word" not in warning


def warnings() -> list[str]:
    """The warnings of `check --database default` about base URLs."""
    found = run_checks(databases=["default"])
    return [message.msg for message in found if message.id == "couriers.W031"]
