"""Shared by the chaos runs: clients work while the platform is killed and restarted in parts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import psycopg

from couriers.conf import Queue
from shipcrowd import embedded
from shipcrowd.embedded import Servers
from shipcrowd.stack import INBOX_QUEUES, OTHER_QUEUES, Stack
from tests.chaos.couriers import EKART, ChaosCourier
from tests.support.databases import copy_database
from tests.support.pgbouncer import pgbouncer
from tests.support.worker import forks_of

COMPANY = "chaos"
SECRET = "a-secret-of-chaos"
CLIENTS = 3  # client processes
THREADS = 8  # of each client


@dataclass(kw_only=True)
class RunReport:
    """The failures that a run injected. `wrong` lists every broken promise."""

    seed: int
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def killed(self) -> str:
        return ", ".join(f"{n} {target}" for target, n in sorted(self.kills.items()))

    def restarted(self) -> str:
        return ", ".join(f"{n} {server}" for server, n in sorted(self.restarts.items()))


class ChaosRun(ABC):
    """One run: client processes work and report what they saw, while failures are injected.

    A subclass says what is started, what the clients do and how the results are compared. Failures
    are timed by the progress of the work, so that a fast machine has as many as a slow one.
    """

    name: ClassVar[str]
    client: ClassVar[str]  # the module that a client process runs
    application: ClassVar[str] = "shipcrowd.wsgi"
    restarts_at: ClassVar[dict[str, float]]  # the progress at which each server is restarted
    queues: ClassVar[tuple[Collection[Queue], ...]] = (INBOX_QUEUES, OTHER_QUEUES)  # of each worker
    pool_size = 0  # of a PgBouncer that pools transactions; 0 is none
    # The URL of a migrated database without rows of its own, which is copied; "" migrates another.
    migrated = ""

    def __init__(
        self, report: RunReport, kills: int, couriers: Sequence[ChaosCourier] = (EKART,)
    ) -> None:
        self._run_report = report
        self._couriers = couriers
        self._random = random.Random(report.seed)
        self._kills_wanted = kills
        self._over = threading.Event()
        self._instance = f"{self.name}-{os.getpid()}"

    def _run(self) -> None:
        with ExitStack() as opened:
            opened.callback(embedded.remove, self._instance)
            opened.callback(self._over.set)  # also where the run is broken off
            servers = opened.enter_context(embedded.session(self._instance))
            self._database = servers.database_url
            used = self._through_pooler(servers, opened)
            environment = {
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "LOG_LEVEL": "CRITICAL",
                **self._logins(),
                "DATABASE_POOLER": "transaction" if self.pool_size else "none",
                **self._environment(opened),
            }
            self._stack = opened.enter_context(Stack(used, environment))
            if self.migrated:
                copy_database(self.migrated, self._database)
            else:
                self._stack.migrate()
            tasks = self._prepare()
            started = time.monotonic()
            threads = [
                threading.Thread(target=self._report_errors, args=(work,))
                for work in (self._inject_failures, *self._background_work())
            ]
            for thread in threads:
                thread.start()
            results = self._run_clients(tasks)
            self._over.set()
            for thread in threads:
                thread.join()
            self._run_report.seconds = time.monotonic() - started
            self._wait_until_idle()
            self._compare(results)
            self._check_injected_failures()

    def _logins(self) -> dict[str, str]:
        logins: dict[str, str] = {}
        for courier in self._couriers:
            logins[f"{courier.code}_webhook_secret".upper()] = SECRET
            logins |= courier.login
        return logins

    def _through_pooler(self, servers: Servers, opened: ExitStack) -> Servers:
        """Return the servers as the platform shall use them. Its books are read past a pooler."""
        if not self.pool_size:
            return servers
        pooler = opened.enter_context(pgbouncer(servers.database_url, pool_size=self.pool_size))
        return replace(servers, database_url=pooler.url)

    @abstractmethod
    def _environment(self, opened: ExitStack) -> dict[str, str]:
        """Return more environment for the platform; may start servers in `opened`."""

    @abstractmethod
    def _prepare(self) -> list[dict[str, Any]]:
        """Start and seed the platform; return the task of each client."""

    @abstractmethod
    def _kill_targets(self) -> list[str]:
        """Return what may be killed; "web" and "worker" are among it.

        The workers are killed in turn, that of the inbox first.
        """

    @abstractmethod
    def _progress(self) -> float:
        """Return the share of the work that is done, 0 to 1."""

    def _background_work(self) -> Iterable[Callable[[], None]]:
        """Return functions that run beside the clients, each until `_over` is set."""
        return ()

    @abstractmethod
    def _wait_until_idle(self) -> None:
        """Wait until the platform has finished all work that is due."""

    @abstractmethod
    def _compare(self, results: list[dict[str, Any]]) -> None:
        """Compare what the clients saw with what is stored, and fill the report."""

    def _seed(self, courier: ChaosCourier = EKART, *limits: str) -> dict[str, Any]:
        return self._stack.run_command(
            "seed_courier", courier.code, "--company", COMPANY, "--create", "--name", "Chaos",
            "--gstin", "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA",
            "--pincode", "560001", "--phone", "9845012345", "--email", "warehouse@chaos.example",
            *(f"--limit={limit}" for limit in limits),
        )  # fmt: skip

    def _start_platform(self) -> None:
        self._web = self._stack.start_web(self.application)
        self._workers = deque(map(self._start_worker, self.queues))
        self._beat = self._stack.start_beat()
        self._stack.wait_until_ready(90)

    def _start_worker(self, queues: Collection[Queue]) -> tuple[Collection[Queue], Any]:
        return queues, self._stack.start_worker(queues=queues, concurrency=1)

    def _query(self, query: str) -> list[Any]:
        """Return the rows of a query; none while the database is away."""
        try:
            with psycopg.connect(self._database, connect_timeout=2) as connection:
                return connection.execute(query).fetchall()
        except psycopg.OperationalError:
            return []

    def _run_clients(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run a client process for each task; return what each of them printed."""
        clients = []
        for task in tasks:
            client = subprocess.Popen(
                [sys.executable, "-m", self.client],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert client.stdin is not None
            client.stdin.write(json.dumps(task).encode())
            client.stdin.close()
            client.stdin = None
            clients.append(client)
        return [json.loads(client.communicate()[0]) for client in clients]

    def _report_errors(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - reported at the end of the run
            self._run_report.wrong.append(f"{type(error).__name__}: {error}")

    def _inject_failures(self) -> None:
        """Kill and restart as planned, each at its progress."""
        targets = self._kill_targets()
        kills = [targets[number % len(targets)] for number in range(self._kills_wanted)]
        self._random.shuffle(kills)
        # Kills are spread evenly over the first nine tenths of the work.
        shares = [0.9 * (number + 1) / (len(kills) + 1) for number in range(len(kills))]
        plan = [
            *((share, self._kill, target) for share, target in zip(shares, kills, strict=True)),
            *((share, self._restart, server) for server, share in self.restarts_at.items()),
        ]
        for share, inject, target in sorted(plan, key=lambda step: step[0]):
            while self._progress() < share:
                if self._over.wait(0.05):
                    return
            inject(target)

    def _restart(self, server: str) -> None:
        embedded.restart(server, self._instance)
        self._run_report.restarts[server] += 1

    def _kill(self, target: str) -> None:
        if target == "worker":
            queues, worker = self._workers.popleft()
            worker.kill()
            worker.wait()
            self._workers.append(self._start_worker(queues))
        elif target == "beat":
            self._beat.kill()
            self._beat.wait()
            self._beat = self._stack.start_beat()
        else:
            pids = forks_of(self._web.pid)
            if not pids:
                return
            os.kill(self._random.choice(pids), signal.SIGKILL)
        self._run_report.kills[target] += 1

    def _check_injected_failures(self) -> None:
        """Report a run with fewer failures than planned: it proves too little."""
        if set(self._run_report.restarts) != set(self.restarts_at):
            self._run_report.wrong.append("a server was not restarted")
        if self._run_report.kills.total() < self._kills_wanted:
            self._run_report.wrong.append(f"fewer than {self._kills_wanted} kills")
