"""The second factor of staff: switched on by each, asked for at the login, or required of all."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from couriers.models import AuditEntry
from tests.support.staff import PASSWORD, code_of, home_of, log_in

pytestmark = pytest.mark.django_db
PAGE = "/admin/second-factor/"
OPS = "/api/v1/ops/in-doubt/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(timezone.now(), tick=False) as moved:
        yield moved


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator", password=PASSWORD)


@pytest.fixture
def enrolled(operator: User, clock: Any) -> tuple[TOTPDevice, list[str]]:
    """The authenticator of a user who has switched it on, and the recovery codes."""
    client, _ = home_of("operator")
    client.get(PAGE)
    device = TOTPDevice.objects.get()
    answer = client.post(PAGE, {"code": code_of(device)})
    codes = re.findall(r"<li>([a-z2-7]{8})</li>", answer.content.decode())
    clock.shift(30)
    device.refresh_from_db()
    return device, codes


def test_whoever_has_none_logs_in_with_the_password(operator: User) -> None:
    assert home_of("operator")[1] == 200


def test_it_is_switched_on_with_a_code_of_the_app(operator: User) -> None:
    client, _ = home_of("operator")
    assert f'href="{PAGE}"' in client.get("/admin/").content.decode()
    page = client.get(PAGE)
    device = TOTPDevice.objects.get()
    assert not device.confirmed
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert client.get(PAGE).content == page.content or TOTPDevice.objects.count() == 1
    wrong = client.post(PAGE, {"code": "000000"})
    assert "The code is wrong" in wrong.content.decode()
    assert not TOTPDevice.objects.get().confirmed
    assert home_of("operator")[1] == 200
    with time_machine.travel(timezone.now() + timezone.timedelta(seconds=60), tick=False):
        done = client.post(PAGE, {"code": code_of(TOTPDevice.objects.get())}).content.decode()
        assert TOTPDevice.objects.get().confirmed
        assert len(re.findall(r"<li>[a-z2-7]{8}</li>", done)) == 10
        assert client.get("/admin/").status_code == 200
        shown_again = client.get(PAGE).content.decode()
    assert "10 recovery codes left" in shown_again
    assert AuditEntry.objects.filter(action="second_factor_on").count() == 1
    assert "data:image" not in shown_again


def test_then_the_login_needs_a_code_that_is_good_once(enrolled: Any) -> None:
    device, _ = enrolled
    assert log_in("operator", PASSWORD).status_code == 200
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 302
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 200


def test_a_wrong_code_is_answered_like_a_wrong_password_and_nothing_is_echoed(
    enrolled: Any,
) -> None:
    device, _ = enrolled
    answers = [
        log_in("operator", password, code)
        for password, code in ((PASSWORD, ""), (PASSWORD, "000000"), ("wrong", code_of(device)))
    ]
    texts = {re.sub(r'value="\w{64}"', "", a.content.decode()) for a in answers}
    assert [a.status_code for a in answers] == [200] * 3
    for text in texts:
        assert "The user name, the password or the code is wrong" in text
        assert PASSWORD not in text
        assert code_of(device) not in text.replace("000000", "")


def test_wrong_codes_lock_out_as_wrong_passwords_do(enrolled: Any, clock: Any) -> None:
    device, _ = enrolled
    found = []
    for _ in range(5):
        clock.shift(60)
        found.append(log_in("operator", PASSWORD, "000000").status_code)
    assert found == [200, 200, 200, 200, 429]
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 429


def test_codes_are_held_back_after_a_wrong_one(enrolled: Any, clock: Any) -> None:
    device, _ = enrolled
    log_in("operator", PASSWORD, "000000", address="198.51.100.1")
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 200
    clock.shift(30)
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 302


def test_a_recovery_code_logs_in_once_and_a_wrong_one_holds_the_app_back_not(
    enrolled: Any, clock: Any
) -> None:
    device, codes = enrolled
    assert len(codes) == 10
    assert log_in("operator", PASSWORD, f" {codes[0].upper()} ").status_code == 302
    assert log_in("operator", PASSWORD, codes[0]).status_code == 200
    assert log_in("operator", PASSWORD, code_of(device)).status_code == 302
    assert StaticToken.objects.count() == 9


def test_a_code_of_another_user_is_of_no_use(enrolled: Any) -> None:
    device, codes = enrolled
    other = User.objects.create_superuser("other", password=PASSWORD)
    TOTPDevice.objects.create(user=other, name="x")
    for code in (code_of(device), codes[0]):
        assert log_in("other", PASSWORD, code).status_code == 200


def test_sessions_from_before_it_was_switched_on_must_log_in_again(
    operator: User, clock: Any
) -> None:
    before, _ = home_of("operator")
    TOTPDevice.objects.create(user=operator, name="x")
    answer = before.get("/admin/shipcrowd_couriers/shipment/")
    assert answer["Location"] == "/admin/login/?next=/admin/shipcrowd_couriers/shipment/"
    assert before.get(OPS).status_code == 401


def test_the_staff_api_asks_for_it_too(enrolled: Any, operator: User) -> None:
    device, _ = enrolled
    client = Client()
    client.force_login(operator)
    assert client.get(OPS).status_code == 403
    verified, _ = home_of("operator", code_of(device))
    assert verified.get(OPS).status_code == 200


def test_where_it_is_required_staff_without_one_can_only_switch_it_on(operator: User) -> None:
    with override_settings(STAFF_TOTP="required"):
        client = Client()
        log_in("operator", PASSWORD, client=client)
        for path in ("/admin/", "/admin/password_change/", "/admin/auth/user/"):
            assert client.get(path)["Location"] == PAGE
        assert client.get(OPS).status_code == 403
        assert client.get(PAGE).status_code == 200
        client.post(PAGE, {"code": code_of(TOTPDevice.objects.get())})
        assert client.get("/admin/").status_code == 200
        assert b'name="off"' not in client.get(PAGE).content


def test_where_it_is_off_nobody_is_asked(enrolled: Any) -> None:
    with override_settings(STAFF_TOTP="off"):
        client, status = home_of("operator")
        assert (status, client.get(PAGE).status_code) == (200, 404)
        assert b"otp_token" not in Client().get("/admin/login/").content


def test_a_misspelt_policy_is_named_and_taken_as_required(operator: User) -> None:
    with override_settings(STAFF_TOTP="yes"):
        assert "shipcrowd.E002" in {message.id for message in run_checks()}
        assert home_of("operator")[1] == 302


def test_it_is_changed_only_with_a_code(enrolled: Any, clock: Any) -> None:
    device, codes = enrolled
    client, _ = home_of("operator", code_of(device))
    assert "The code is wrong" in client.post(PAGE, {"code": "", "off": ""}).content.decode()
    clock.shift(30)
    fresh = client.post(PAGE, {"code": code_of(device), "codes": ""}).content.decode()
    assert len(set(re.findall(r"<li>([a-z2-7]{8})</li>", fresh)) - set(codes)) == 10
    clock.shift(30)
    assert client.post(PAGE, {"code": code_of(device), "off": ""})["Location"] == "/admin/"
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert home_of("operator")[1] == 200


def test_an_administrator_takes_it_away_and_sees_no_secret(enrolled: Any, clock: Any) -> None:
    device, _ = enrolled
    client, _ = home_of("operator", code_of(device))
    listed = client.get("/admin/otp_totp/totpdevice/")
    page = client.get(f"/admin/otp_totp/totpdevice/{device.pk}/change/")
    assert (listed.status_code, page.status_code) == (200, 200)
    assert device.key not in listed.content.decode() + page.content.decode()
    for query in (f"key__startswith={device.key[:2]}", "user__password__startswith=p"):
        assert client.get(f"/admin/otp_totp/totpdevice/?{query}").status_code in (302, 400)
    assert client.get("/admin/otp_static/staticdevice/").status_code == 404
    chosen = {"action": "delete_selected", "_selected_action": [device.pk], "post": "yes"}
    client.post("/admin/otp_totp/totpdevice/", chosen)
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
