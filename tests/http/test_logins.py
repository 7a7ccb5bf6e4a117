"""A login whose new token revokes all earlier ones, and that locks after a few wrong passwords."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
from django.utils import timezone

from couriers.contract.errors import CredentialsRefused, NotSent, TokenRefused
from couriers.http.reports import failed_logins
from couriers.models import CourierToken
from tests.support.small_courier import Reply, Request, SmallCourier, SmallTokenClient, account_at
from tests.support.threads import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


class Revoking:
    """Hands out tokens, of which the newest alone is valid; `refuses` makes it refuse that, too."""

    def __init__(self) -> None:
        self.logins = 0
        self.refuses = False
        self.wrong_password = False
        self.calls: Counter[int] = Counter()

    def __call__(self, request: Request) -> Reply:
        if request.path.startswith("/login/"):
            self.logins += 1
            if self.wrong_password:
                return Reply({"error": "unknown user"}, 401)
            return Reply({"token": f"token-{self.logins}"})
        good = not self.refuses and request.login == f"token-{self.logins}"
        status = 200 if good else 401
        self.calls[status] += 1
        return Reply({}, status)


@pytest.fixture
def revoking() -> Revoking:
    return Revoking()


@pytest.fixture
def courier(revoking: Revoking) -> Iterator[SmallCourier]:
    with SmallCourier(revoking) as running:
        yield running


def clients_with_an_old_token(courier: SmallCourier) -> list[SmallTokenClient]:
    """Return two clients of one account, as two processes have them, with a token of 40 seconds."""
    account = account_at(courier.url)
    SmallTokenClient(account).ensure_token()
    CourierToken.objects.update(refreshed_at=timezone.now() - dt.timedelta(seconds=40))
    clients = [SmallTokenClient(account), SmallTokenClient(account)]
    for client in clients:
        client.ensure_token()
    return clients


def test_a_token_is_sent_without_a_scheme_where_the_login_has_none(courier: SmallCourier) -> None:
    SmallTokenClient(account_at(courier.url, client_id="a/b", username="u", password="p")).ask()
    login, call = courier.requests
    assert (login.method, login.path) == ("POST", "/login/a%2Fb")
    assert login.body == b'{"user":"u","password":"p"}'
    assert call.login == "token-1"
    assert CourierToken.objects.get().token_type == ""


def test_processes_whose_token_was_revoked_take_the_newer_one(
    courier: SmallCourier, revoking: Revoking
) -> None:
    first, second = clients_with_an_old_token(courier)
    revoking.logins += 1  # somebody logged in elsewhere
    first.ask()
    second.ask()
    assert revoking.logins == 3


def test_a_young_token_that_is_refused_causes_no_other_login(
    courier: SmallCourier, revoking: Revoking
) -> None:
    account = account_at(courier.url)
    clients = [SmallTokenClient(account) for _ in range(3)]
    clients[0].ask()
    revoking.refuses = True
    for client in clients * 2:
        with pytest.raises(TokenRefused, match="no newer one") as caught:
            client.ask()
        assert caught.value.retry_after == 30
    assert revoking.logins == 1


def test_an_older_token_that_is_refused_causes_one_login(
    courier: SmallCourier, revoking: Revoking
) -> None:
    clients = clients_with_an_old_token(courier)
    revoking.refuses = True
    for client in (*clients, *clients):
        with pytest.raises(TokenRefused):
            client.ask()
    assert revoking.logins == 2


def test_threads_with_a_revoked_token_make_one_login(
    courier: SmallCourier, revoking: Revoking
) -> None:
    client, _ = clients_with_an_old_token(courier)
    revoking.logins += 1  # somebody logged in elsewhere
    assert run_at_once(client.ask, 8) == [{}] * 8
    assert revoking.logins == 3


def test_a_wrong_password_is_not_tried_again_for_a_while(
    courier: SmallCourier, revoking: Revoking
) -> None:
    revoking.wrong_password = True
    client = SmallTokenClient(account_at(courier.url))
    for _ in range(4):
        with pytest.raises(CredentialsRefused) as caught:
            client.ask()
        assert caught.value.courier_message == ""
    assert revoking.logins == 1


def test_a_login_call_that_says_nothing_useful_leaves_the_call_unsent(
    courier: SmallCourier,
) -> None:
    courier.answer = lambda _: Reply({})
    with pytest.raises(NotSent, match="could not get an access token"):
        SmallTokenClient(account_at(courier.url)).ask()
    assert len(courier.requests) == 1


def test_an_account_is_known_by_its_failed_login_until_one_succeeds(
    courier: SmallCourier, revoking: Revoking
) -> None:
    account = account_at(courier.url)
    revoking.wrong_password = True
    with pytest.raises(CredentialsRefused):
        SmallTokenClient(account).ensure_token()
    assert failed_logins().keys() == {account.pk}
    revoking.wrong_password = False
    SmallTokenClient(account).ensure_token()
    assert failed_logins() == {}
