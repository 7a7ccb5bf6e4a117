"""With several web and worker processes, the metrics equal the books of Ekart's sandbox."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict

from couriers.models import CourierAccount
from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, Response, Stack
from tests.chaos.storefront import booking_request
from tests.support.callbacks import callback_path
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.nginx import needs_nginx
from tests.support.samples import sample_value
from tests.support.worker import forks_of, own_servers

BOOKED, IN_BULK, MOVED, LOST_BEFORE, LOST_AFTER, FORGED = 30, 8, 10, 2, 2, 3

# What the platform calls an operation that has another name in the sandbox's books.
NAMES = {"auth": "get_token"}


class Workload:
    """What a shop, the courier and a stranger do to the platform."""

    def __init__(self, stack: Stack, sandbox: SandboxProcess, account: CourierAccount) -> None:
        self.stack, self.sandbox, self.account = stack, sandbox, account
        self.key = make_api_key(account.company)

    def book(self, name: str, count: int, *, status: int) -> None:
        """Book so many orders, several at once."""
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(self._book, [f"{name}-{number}" for number in range(count)])
            assert [answer.status for answer in answers] == [status] * count

    def book_in_bulk(self, count: int) -> None:
        """Have the workers book so many orders, and wait for it."""
        orders = [booking_request("ekart", f"bulk-{number}") for number in range(count)]
        job = self._post("/api/v1/shipments/bulk/", {"orders": orders}).headers["Location"]
        assert wait_until(
            lambda: self.stack.request("GET", job, key=self.key).json()["state"] == "done", 60
        )

    def fail(self, kind: str, count: int, *, status: int) -> None:
        """Book so many orders, one after the other, whose create call fails in this way."""
        self.sandbox.set_faults(("create_shipment", kind, 1.0))
        for number in range(count):
            assert self._book(f"{kind}-{number}").status == status
        self.sandbox.set_faults()

    def move(self, count: int) -> None:
        """Have the courier tell of the first parcels that they are in transit."""
        for parcel in list(self.sandbox.shipments())[:count]:
            self.sandbox.post(
                "/_sandbox/advance",
                {"tracking_id": parcel["tracking_id"], "status": "In Transit"},
            )

    def forge(self, count: int) -> None:
        """Call back without the account's secret."""
        path = callback_path(self.account)
        for _ in range(count):
            assert self.stack.request("POST", path, {"a": "forgery"}).status == 401

    def _book(self, order_number: str) -> Response:
        return self._post("/api/v1/shipments/", booking_request("ekart", order_number))

    def _post(self, path: str, body: Any) -> Response:
        return self.stack.request("POST", path, body, key=self.key)


def value(text: str, name: str, **labels: str) -> float:
    """A sample under the courier's own name, which must be that under the courier's label, too."""
    named = sample_value(text, f"ekart_{name}", **labels)
    assert sample_value(text, f"shipcrowd_courier_{name}", courier="ekart", **labels) == named
    return named


@needs_nginx
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_metrics_of_a_known_workload_equal_the_sandboxs_books(tmp_path: Path) -> None:
    environment = {"WEB_WORKERS": "3", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    with SandboxProcess("ekart", "--hold") as sandbox, Stack(own_servers(), environment) as stack:
        account = CourierAccountFactory(
            base_url=sandbox.url, limits={"create_shipment": {"count": 500, "window": 1}}
        )
        WarehouseFactory(company=account.company)
        web = stack.start_web()
        workers = [
            stack.start_worker(queues=queues, concurrency=2, pool="prefork")
            for queues in (INBOX_QUEUES, OTHER_QUEUES)
        ]
        stack.start_beat()
        stack.wait_until_ready(120)
        stack.run_command("register_webhooks", "ekart", "--company", account.company.slug)
        workload = Workload(stack, sandbox, account)
        workload.book("A", BOOKED, status=201)
        workload.fail("error_before", LOST_BEFORE, status=202)
        workload.book_in_bulk(IN_BULK)
        workload.fail("error_after", LOST_AFTER, status=202)
        workload.move(MOVED)
        workload.forge(FORGED)
        assert wait_until(lambda: _is_idle(stack, sandbox), 60)
        _compare(sandbox.state(), [stack.metrics() for _ in range(6)])
        assert len(_pids(tmp_path, "ekart_api_calls_total") & set(forks_of(web.pid))) > 1
        assert _pids(tmp_path, "ekart_webhook_events_total") & set(forks_of(workers[0].pid))
        assert stack.request("GET", "/metrics").status == 404  # nginx keeps it inside
        # What a process has counted stays in the totals when it is killed, and starts anew.
        for master in (web, workers[1]):
            for pid in forks_of(master.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
                assert wait_until(lambda gone=pid, of=master: gone not in forks_of(of.pid), 20)
        workload.book("B", 1, status=201)
        assert wait_until(lambda: _is_idle(stack, sandbox), 60)
        _compare(sandbox.state(), [stack.metrics()], also_booked=1)


def _is_idle(stack: Stack, sandbox: SandboxProcess) -> bool:
    """Whether every callback was taken and applied, and the doubts that can be settled are."""
    text = stack.metrics()
    return (
        not sandbox.state()["callbacks_pending"]
        and sample_value(text, "shipcrowd_inbox_backlog") == 0
        and sample_value(text, "shipcrowd_inbox_waiting") == 0
        and sample_value(text, "shipcrowd_bookings_in_doubt", courier="ekart") == LOST_BEFORE
    )


def _compare(books: dict[str, Any], texts: Iterable[str], *, also_booked: int = 0) -> None:
    """Compare the metrics, as several processes show them, with the sandbox's books."""
    booked = BOOKED + IN_BULK + LOST_AFTER + also_booked
    assert (books["booked"], books["duplicates"]) == (booked, 0)
    for text in texts:
        for in_the_books, calls in books["calls"].items():
            operation = NAMES.get(in_the_books, in_the_books)
            assert value(text, "api_calls_total", operation=operation) == calls, operation
            assert value(text, "api_latency_seconds_count", operation=operation) == calls
        good = {"outcome": "ok", "status_code": "200"}
        assert value(text, "api_calls_total", operation="create_shipment", **good) == (
            booked - LOST_AFTER
        )
        assert value(text, "auth_refreshes_total", success="true") == books["calls"]["auth"]

        def bookings(outcome: str, text: str = text) -> float:
            labels = {"courier": "ekart", "outcome": outcome}
            return sample_value(text, "shipcrowd_bookings_total", **labels)

        # The courier's callback may be quicker than the answer that is lost.
        assert bookings("booked") + bookings("settled_booked") == books["booked"]
        assert bookings("in_doubt") - bookings("settled_booked") == LOST_BEFORE
        assert bookings("failed") == bookings("settled_released") == 0
        _compare_callbacks(books, text, lambda status, text=text: _events(text, status))
        assert sample_value(text, "shipcrowd_duplicate_bookings") == 0
        assert "shipcrowd_database_up 1.0" in text
        assert "shipcrowd_redis_up 1.0" in text
        assert sample_value(text, "shipcrowd_scrape_failures") == 0
        assert sample_value(text, "shipcrowd_beat_age_seconds") < 60
        assert "ekart_sync_success_rate 1.0" in text


def _compare_callbacks(books: dict[str, Any], text: str, events: Callable[[str], float]) -> None:
    taken = books["callbacks"]["taken"]
    assert taken == books["callbacks"]["answer_200"] == books["booked"] + MOVED
    assert events("received_pending") + events("received_repeated") == taken
    assert events("processed") == taken
    assert events("failed") == events("dead") == 0
    assert sample_value(text, "shipcrowd_webhook_applied_seconds_count") == taken
    refused = {"courier": "ekart", "reason": "signature"}
    assert sample_value(text, "shipcrowd_webhook_refused_total", **refused) == FORGED


def _events(text: str, status: str) -> float:
    return value(text, "webhook_events_total", status=status)


def _pids(folder: Path, name: str) -> set[int]:
    """The processes that have counted this in their files."""
    return {
        int(file.stem.removeprefix("counter_"))
        for file in folder.glob("counter_*.db")
        for key, count, _, _ in MmapedDict.read_all_values_from_file(str(file))
        if f'"{name}"' in key and count
    }
