"""Two accounts with one login are refused, since the courier would mix up their callbacks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError

from couriers.models import Courier, CourierAccount
from couriers.operations import key_rotation
from tests.support.commands import run_json
from tests.support.factories import CompanyFactory, CourierAccountFactory, CourierRowFactory

pytestmark = pytest.mark.django_db
EKART = {"client_id": "Client-1", "base_url": "https://api.example"}


@pytest.fixture
def keys(settings: Any) -> Any:
    """Set FERNET_KEYS as a new process would read them."""
    before = settings.FERNET_KEYS

    def use(*given: str) -> None:
        settings.FERNET_KEYS = list(given)
        key_rotation.forget_keys()

    yield use
    settings.FERNET_KEYS = before
    key_rotation.forget_keys()


def message(error: pytest.ExceptionInfo[ValidationError]) -> str:
    ((text,),) = error.value.message_dict.values()
    return str(text)


@pytest.mark.parametrize(
    "same",
    [
        EKART,
        EKART | {"client_id": " client-1 "},
        EKART | {"base_url": "https://API.example:443/"},
        EKART | {"username": "another", "password": "another"},
    ],
)
def test_a_second_account_with_the_login_is_refused_in_words_for_people(
    same: dict[str, str],
) -> None:
    first = CourierAccountFactory(**EKART)
    with pytest.raises(ValidationError) as error:
        CourierAccountFactory(**same)
    assert f"already that of account {first.pk}" in message(error)
    assert CourierAccount.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [EKART | {"client_id": "client-2"}, EKART | {"base_url": "https://staging.example"}],
)
def test_another_client_or_another_server_is_another_login(other: dict[str, str]) -> None:
    CourierAccountFactory(**EKART)
    CourierAccountFactory(**other)


def test_two_couriers_may_have_the_same_words_for_a_login(toy: Any) -> None:
    CourierAccountFactory(**EKART)
    CourierAccountFactory(**EKART, courier=CourierRowFactory(code="toy", name="Toy"))


def test_logins_are_compared_by_the_fields_that_the_plug_in_names(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier = CourierRowFactory(code="toy", name="Toy")
    CourierAccountFactory(courier=courier, client_id="c", username="u")
    CourierAccountFactory(courier=courier, client_id="c", username="v")
    with pytest.raises(ValidationError):
        CourierAccountFactory(courier=courier, client_id="c", username="u")
    monkeypatch.setattr(toy, "login_identity", ("username",))
    CourierAccountFactory(courier=courier, client_id="d", username="w")
    with pytest.raises(ValidationError) as error:
        CourierAccountFactory(courier=courier, client_id="e", username="W")
    assert "already that of account" in message(error)


def test_changing_to_the_login_of_another_account_is_refused_however_it_is_saved() -> None:
    CourierAccountFactory(**EKART)
    second = CourierAccountFactory(**EKART | {"client_id": "client-2"})
    second.login = second.login | {"client_id": "client-1"}
    for save in (second.full_clean, second.save, lambda: second.save(update_fields=["login"])):
        with pytest.raises(ValidationError):
            save()
    with pytest.raises(ValidationError):
        CourierAccount.objects.update_or_create(
            pk=second.pk, defaults={"login": second.login | {"client_id": "CLIENT-1"}}
        )
    assert CourierAccount.objects.get(pk=second.pk).login["client_id"] == "client-2"


def test_a_race_of_two_saves_is_refused_in_words_too(monkeypatch: pytest.MonkeyPatch) -> None:
    CourierAccountFactory(**EKART)
    monkeypatch.setattr(
        CourierAccount, "others_with_login", lambda self: CourierAccount.objects.none()
    )
    with pytest.raises(ValidationError) as error:
        CourierAccountFactory(**EKART)
    assert "already that of another account" in message(error)


def test_a_freed_login_can_be_taken(django_assert_num_queries: Any) -> None:
    first = CourierAccountFactory(**EKART)
    first.login["client_id"] = "client-2"
    first.save()
    second = CourierAccountFactory(**EKART)
    with django_assert_num_queries(1):
        second.save(update_fields=["login"])


def test_the_fingerprint_is_keyed_and_shows_no_login() -> None:
    account = CourierAccountFactory(**EKART)
    assert len(account.login_fingerprint) == 64
    assert account.login_fingerprints()[0] == account.login_fingerprint
    assert "client" not in account.login_fingerprint


def test_a_login_is_refused_while_keys_are_rotated_and_afterwards(keys: Any) -> None:
    keys("old")
    CourierAccountFactory(**EKART)
    keys("new", "old")
    with pytest.raises(ValidationError):
        CourierAccountFactory(**EKART)
    other = CourierAccountFactory(**EKART | {"client_id": "client-2"})
    run_json("rotate_keys")
    keys("new")
    for client_id in ("client-1", "client-2"):
        with pytest.raises(ValidationError):
            CourierAccountFactory(**EKART | {"client_id": client_id})
    before = other.updated_at
    run_json("rotate_keys")
    other.refresh_from_db()
    assert other.updated_at == before


def test_accounts_that_shared_a_login_before_are_kept_and_can_be_switched_off() -> None:
    accounts = [CourierAccountFactory(**EKART | {"client_id": f"client-{n}"}) for n in range(2)]
    shared = accounts[1]
    CourierAccount.objects.filter(pk=shared.pk).update(
        login_fingerprint="", login=accounts[0].login
    )
    shared.refresh_from_db()
    shared.rollout = "off"
    shared.full_clean()
    shared.save()
    shared.refresh_from_db()
    assert (shared.rollout, shared.login_fingerprint) == ("off", "")
    shared.login["client_id"] = "client-9"
    shared.save()
    assert shared.login_fingerprint


def test_seeding_a_second_company_with_the_login_is_a_usage_error_and_creates_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CLIENT_ID", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"EKART_{name}", "one")
    monkeypatch.setenv("EKART_BASE_URL", "https://api.example")
    for slug in ("acme", "bodega"):
        CompanyFactory(slug=slug)
    run_json("seed_courier", "ekart", "--company", "acme")
    run_json("seed_courier", "ekart", "--company", "acme")
    couriers = Courier.objects.count()
    with pytest.raises(CommandError, match="EKART_CLIENT_ID: This login is already that of"):
        run_json("seed_courier", "ekart", "--company", "bodega")
    assert CourierAccount.objects.count() == 1
    assert Courier.objects.count() == couriers
