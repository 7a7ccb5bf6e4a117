"""Logins of staff are locked after failures, for one user and one address, without Redis too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.support.staff import LOGIN, PASSWORD, home_of, log_in
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db
FAILURES = 5


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator", password=PASSWORD)


def guess(times: int = FAILURES, **more: Any) -> list[int]:
    return [log_in("operator", f"guess-{n}", **more).status_code for n in range(times)]


def test_five_wrong_passwords_lock_the_user_out_and_say_for_how_long(operator: User) -> None:
    assert guess() == [200, 200, 200, 200, 429]
    answer = log_in("operator", PASSWORD)
    assert answer.status_code == 429
    assert 880 < int(answer["Retry-After"]) <= 900
    page = answer.content.decode()
    assert "Too many failed logins" in page
    assert "Try again in\n  15 minutes" in page
    assert not answer.wsgi_request.user.is_authenticated


def test_the_lock_ends_by_itself_and_what_comes_during_it_does_not_prolong_it(
    operator: User,
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        guess()
        clock.shift(dt.timedelta(minutes=14))
        assert int(log_in("operator", "a-guess")["Retry-After"]) == 60
        stored = AccessAttempt.objects.get()
        assert stored.failures_since_start == FAILURES
        clock.shift(61)
        assert log_in("operator", PASSWORD).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_another_address_and_another_user_are_not_locked_out(operator: User) -> None:
    User.objects.create_superuser("other", password=PASSWORD)
    guess(address="203.0.113.7")
    assert log_in("operator", PASSWORD, address="203.0.113.7").status_code == 429
    assert log_in("other", PASSWORD, address="203.0.113.7").status_code == 302
    assert log_in("operator", PASSWORD, address="198.51.100.9").status_code == 302


def test_another_browser_or_header_does_not_unlock(operator: User) -> None:
    for number in range(FAILURES):
        log_in("operator", "guess", headers={"User-Agent": f"browser {number}"})
    forged = {"X-Forwarded-For": "198.51.100.1", "User-Agent": "new"}
    assert log_in("operator", PASSWORD, headers=forged).status_code == 429


def test_an_unknown_address_is_counted_by_the_user_alone(operator: User) -> None:
    assert guess(address="") == [200, 200, 200, 200, 429]
    assert log_in("operator", PASSWORD, address="").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_simultaneous_guesses_are_all_counted() -> None:
    User.objects.create_superuser("operator", password=PASSWORD)
    found = run_at_once(lambda: log_in("operator", "guess").status_code, threads=16)
    assert set(found) <= {200, 429}
    assert found.count(200) <= FAILURES
    assert log_in("operator", PASSWORD).status_code == 429


def test_without_redis_logins_work_and_are_counted(operator: User, redis_unavailable: None) -> None:
    assert log_in("operator", PASSWORD).status_code == 302
    assert guess()[-1] == 429


@pytest.mark.parametrize("name", ["operator\x00", "x" * 5000, "", "ö\U0001f600"], ids=range(4))
def test_any_name_is_answered(operator: User, name: str) -> None:
    assert log_in(name, PASSWORD).status_code == 200


def test_neither_passwords_nor_codes_are_stored_or_logged(
    operator: User, caplog: pytest.LogCaptureFixture
) -> None:
    log_in("operator", "a-guessed-password", "135791")
    stored = str(list(AccessAttempt.objects.values()))
    assert "a-guessed-password" not in stored + caplog.text
    assert "135791" not in stored + caplog.text


def test_an_administrator_unlocks_by_command_and_in_the_admin(operator: User) -> None:
    guess()
    call_command("axes_reset_username", "operator")
    assert log_in("operator", PASSWORD).status_code == 302
    guess(address="203.0.113.7")
    page, _ = home_of("operator")
    listed = page.get("/admin/axes/accessattempt/?q=operator").content.decode()
    assert "203.0.113.7" in listed
    chosen = {"action": "delete_selected", "_selected_action": [AccessAttempt.objects.get().pk]}
    page.post("/admin/axes/accessattempt/", {**chosen, "post": "yes"})
    assert log_in("operator", PASSWORD, address="203.0.113.7").status_code == 302


def test_a_login_without_next_ends_at_the_first_page(operator: User) -> None:
    client = Client()
    answer = client.post(LOGIN, {"username": "operator", "password": PASSWORD}, follow=True)
    assert (answer.status_code, answer.redirect_chain) == (200, [("/admin/", 302)])
