"""An endpoint that is away, slow or hostile takes no room from the others: figures."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from couriers.http import outgoing
from couriers.models import Company, Event
from shipcrowd.embedded.processes import free_port
from tests.support.factories import CompanyFactory
from tests.support.outbox import Shop, make_endpoint, make_events, make_prompt
from tests.support.small_courier import Reply, Request
from tests.support.sockets import serve
from webhooks.models import WebhookEndpoint
from webhooks.outbox.run import make_deliveries
from webhooks.outbox.sending import send_due

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

EVENTS, MANY = 500, 10_000  # of each bad endpoint, and of the one that is away
SECONDS = 8.0
MAX_DELAY = 1.5  # seconds from an event to its arrival; the loop looks for new ones once a second


class Watched(Shop):
    """A shop that answers at once, and notes when each event came."""

    def __init__(self) -> None:
        super().__init__(self._note)
        self.arrived: dict[str, float] = {}

    def _note(self, request: Request) -> Reply:
        self.arrived.setdefault(request.headers["webhook-id"], time.time())
        return Reply()


def pour(connection: socket.socket) -> None:
    """Answer with a gigabyte."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def drip(connection: socket.socket) -> None:
    """Answer a byte in half a second."""
    connection.recv(65536)
    while True:
        connection.sendall(b"H")
        time.sleep(0.5)


def slowly(_: Request) -> Reply:
    time.sleep(1.5)
    return Reply()


ANSWERS: dict[str, Callable[[Request], Reply]] = {
    "slow": slowly,
    "moved": lambda _: Reply(b"", 301, {"Location": "http://127.0.0.1:1/"}),
    "gone": lambda _: Reply(b"", 410),
    "broken": lambda _: Reply(b"", 500),
}


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, WebhookEndpoint]]:
    """Endpoints of other companies, which have many events and were prompt until now."""
    monkeypatch.setattr(outgoing, "DEADLINE", 3.0)
    with ExitStack() as stack:
        urls = {name: stack.enter_context(Shop(answer)).hook for name, answer in ANSWERS.items()}
        urls |= {
            "pours": stack.enter_context(serve(pour)),
            "drips": stack.enter_context(serve(drip)),
        }
        urls |= {"hangs": stack.enter_context(serve(lambda _: time.sleep(30)))}
        urls |= {"away": f"http://127.0.0.1:{free_port()}"}
        found = {}
        for name, url in urls.items():
            company = CompanyFactory()
            found[name] = make_endpoint(company, url)
            make_prompt(found[name])
            make_events(company, MANY if name == "away" else EVENTS)
        make_deliveries()
        yield found


def test_events_of_others_are_not_delayed(
    bad: dict[str, WebhookEndpoint], company: Company
) -> None:
    delays = _delays_beside(company)
    away, hangs = (bad[name].deliveries.filter(attempts__gt=0) for name in ("away", "hangs"))
    assert len(delays) >= 5
    assert max(delays) < MAX_DELAY
    # The many events of an endpoint that is away are not all tried.
    assert away.count() < 30
    assert hangs.count() < 30
    assert not WebhookEndpoint.objects.get(pk=bad["gone"].pk).enabled
    # What answers, slowly or without end, is delivered.
    for name in ("slow", "pours"):
        assert bad[name].deliveries.filter(state="delivered").exists(), name


def test_many_endpoints_that_begin_to_hang_at_once_delay_others_by_a_second(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "DEADLINE", 3.0)
    with serve(lambda _: time.sleep(30)) as url:
        for _ in range(12):
            other = CompanyFactory()
            make_prompt(make_endpoint(other, url))
            make_events(other, 100)
        make_deliveries()
        delays = _delays_beside(company)
    assert max(delays) < MAX_DELAY + 1.5


def _delays_beside(company: Company) -> list[float]:
    """Run the outbox while an event is written each second; return how long each took."""
    written: list[str] = []

    def write() -> None:
        written.extend(event.pk for event in make_events(company, 1))
        make_deliveries()

    with Watched() as shop:
        make_prompt(make_endpoint(company, shop.hook))
        send_due(SECONDS, refresh=write)
    created = dict(Event.objects.filter(pk__in=written).values_list("pk", "created_at"))
    assert set(shop.arrived) == set(written)
    return [shop.arrived[pk] - created[pk].timestamp() for pk in written]
