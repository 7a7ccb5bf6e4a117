"""An upgrade replaces every process in turn, as docs/deployment.md does, and nobody notices."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from couriers.models import Shipment
from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, SANDBOX_LOGIN, Stack
from tests.support.commands import run_json
from tests.support.compose import read_compose
from tests.support.nginx import needs_nginx
from tests.support.strict_storefront import StrictStorefronts
from tests.support.worker import own_servers
from webhooks.models import WebhookEvent

WEB_SERVERS = ("web", "web-2")
VARIABLES = {"APP_BASE_URL": "https://ship.example.com", "ALLOWED_HOSTS": "ship.example.com"}
SELLER = (
    "--company", "acme", "--create", "--name", "Acme", "--gstin", "29AAGCR4375J1ZU", "--address",
    "1 Example Road", "--state", "KA", "--pincode", "560001", "--phone", "9845012345",
    "--limit=create_shipment=5000/1s", "--limit=add_address=1000/1s",
)  # fmt: skip
BETWEEN = 8  # orders that are booked before the next process is replaced


class Platform:
    """The processes of compose's services. `replace` ends one and starts another in its place."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._services = read_compose(VARIABLES)["services"]
        stack.start_proxy(*map(self._socket, WEB_SERVERS))
        self._processes = {name: self._start(name) for name in (*WEB_SERVERS, "worker-inbox",
                                                                "worker", "beat")}  # fmt: skip
        self.wait_until_healthy(*WEB_SERVERS)

    def names(self) -> list[str]:
        return list(self._processes)

    def replace(self, name: str) -> None:
        """Do what `docker compose up -d --no-deps --wait` does: SIGTERM, wait, start, wait."""
        self._processes[name].terminate()
        assert self._processes[name].wait(170) == 0, name
        self._processes[name] = self._start(name)
        if name in WEB_SERVERS:
            self.wait_until_healthy(name)

    def wait_until_healthy(self, *names: str) -> None:
        """Wait until the health checks of compose succeed."""
        for name in names:
            assert wait_until(lambda name=name: self._is_healthy(name), 90), name

    def _is_healthy(self, name: str) -> bool:
        kind, _, *arguments = self._services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        environment = os.environ | {"WEB_SOCKET": str(self._stack.web_folder / self._socket(name))}
        done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True)
        return done.returncode == 0

    def _socket(self, name: str) -> str:
        return Path(self._services[name]["environment"]["WEB_SOCKET"]).name

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        if name in WEB_SERVERS:
            return self._stack.start_gunicorn(self._socket(name))
        if name == "beat":
            return self._stack.start_beat()
        queues = INBOX_QUEUES if name == "worker-inbox" else OTHER_QUEUES
        return self._stack.start_worker(queues=queues)


def event_states() -> Counter[str]:
    return Counter(WebhookEvent.objects.values_list("state", flat=True))


@needs_nginx
@pytest.mark.slow
def test_replacing_every_process_in_turn_loses_no_answered_request_and_no_event(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxProcess("ekart", "--pace", "0.3") as sandbox:
        environment = SANDBOX_LOGIN | {
            "EKART_BASE_URL": sandbox.url,
            "EKART_WEBHOOK_SECRET": "a-secret-of-restarts",
            "LOG_LEVEL": "CRITICAL",
            "WEB_WORKERS": "1",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with Stack(own_servers(), {}) as stack:
            settings.SHIPCROWD = settings.SHIPCROWD | {"BASE_URL": stack.url}
            seeded = run_json("seed_courier", "ekart", *SELLER)
            platform = Platform(stack)
            run_json("register_webhooks", "ekart", "--company", "acme")
            with StrictStorefronts(stack.port, seeded["api_key"]) as storefronts:
                storefronts.wait_for(BETWEEN)
                for name in platform.names():
                    platform.replace(name)
                    storefronts.wait_for(BETWEEN)
            assert not storefronts.failures
            assert sandbox.wait_until_finished(120), sandbox.state()
            made = sandbox.state()["callbacks"]["made"]
            assert wait_until(lambda: event_states() == {"processed": made}, 60), event_states()
        # Every callback was taken when it was sent for the first time.
        assert sandbox.state()["callbacks"] == {"made": made, "taken": made, "answer_200": made}
        at_courier = {one["order_number"]: one["tracking_id"] for one in sandbox.shipments()}
        statuses = {one["tracking_id"]: one["status"] for one in sandbox.shipments()}
    assert len(statuses) == len(at_courier) == len(storefronts.booked)
    assert at_courier == storefronts.booked
    stored = dict(Shipment.objects.values_list("tracking_id", "courier_status"))
    assert stored == statuses
