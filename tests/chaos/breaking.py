"""What the runs of chaos share: a platform that works while its parts are killed and restarted."""

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
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psycopg

from shipcrowd import embedded
from shipcrowd.stack import SANDBOX_LOGIN, Stack
from tests.support.worker import forks_of

SECRET = "a-secret-of-chaos"
CLIENTS = 3  # processes that are served
THREADS = 8
WEB_WORKERS = 3


@dataclass(kw_only=True)
class Breakage:
    """What was broken in a run. `wrong` names every broken promise."""

    seed: int
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def killed(self) -> str:
        return ", ".join(f"{n} {what}" for what, n in sorted(self.kills.items()))

    def restarted(self) -> str:
        return ", ".join(f"{n} {name}" for name, n in sorted(self.restarts.items()))


class BreakingRun(ABC):
    """A run: clients are served, and asked what they saw, while everything breaks.

    A subclass says what is started, served and compared; things break as its work progresses, so
    that a fast machine has as much of it.
    """

    name: ClassVar[str]
    client: ClassVar[str]  # the module of a client's process
    application: ClassVar[str] = "shipcrowd.wsgi"
    restarts_at: ClassVar[dict[str, float]]  # the share of the work after which a server restarts

    def __init__(self, report: Breakage, kills: int) -> None:
        self._broken = report
        self._random = random.Random(report.seed)
        self._kills_wanted = kills
        self._over = threading.Event()
        self._instance = f"{self.name}-{os.getpid()}"

    def _run(self) -> None:
        with ExitStack() as opened:
            opened.callback(embedded.remove, self._instance)
            servers = opened.enter_context(embedded.session(self._instance))
            self._database = servers.database_url
            environment = {
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "EKART_WEBHOOK_SECRET": SECRET,
                "LOG_LEVEL": "CRITICAL",
                **SANDBOX_LOGIN,
                **self._environment(opened),
            }
            self._stack = opened.enter_context(Stack(servers, environment))
            self._stack.migrate()
            tasks = self._prepared()
            started = time.monotonic()
            threads = [
                threading.Thread(target=self._guarded, args=(work,))
                for work in (self._break_things, *self._beside())
            ]
            for thread in threads:
                thread.start()
            seen = self._serve(tasks)
            self._over.set()
            for thread in threads:
                thread.join()
            self._broken.seconds = time.monotonic() - started
            self._come_to_rest()
            self._compare(seen)
            self._demand_breakage()

    @abstractmethod
    def _environment(self, opened: ExitStack) -> dict[str, str]:
        """What the platform's processes are told besides; may start what they talk to."""

    @abstractmethod
    def _prepared(self) -> list[dict[str, Any]]:
        """Start and seed the platform; answers the task of each client."""

    @abstractmethod
    def _victims(self) -> list[str]:
        """What may be killed, "web" and "worker" among it."""

    @abstractmethod
    def _progress(self) -> float:
        """The share of the work that is done."""

    def _beside(self) -> Iterable[Callable[[], None]]:
        """What is done beside the clients' work, each until it is over."""
        return ()

    @abstractmethod
    def _come_to_rest(self) -> None:
        """Wait until nothing is due any more."""

    @abstractmethod
    def _compare(self, seen: list[dict[str, Any]]) -> None:
        """What the clients saw against what is stored; says in the report what is wrong."""

    def _seed(self, *limits: str) -> dict[str, Any]:
        return self._stack.command(
            "seed_ekart", "--company", "chaos", "--create", "--name", "Chaos", "--gstin",
            "29AAGCR4375J1ZU", "--address", "1 Example Road", "--state", "KA", "--pincode",
            "560001", "--phone", "9845012345", *(f"--limit={limit}" for limit in limits),
        )  # fmt: skip

    def _start_platform(self) -> None:
        self._web = self._stack.start_web(
            workers=WEB_WORKERS, threads=THREADS, application=self.application
        )
        self._worker = self._stack.start_worker(concurrency=1)
        self._stack.start_beat()
        self._stack.until_ready()

    def _ask(self, question: str) -> list[Any]:
        """The answer of the database; none while it is away."""
        try:
            with psycopg.connect(self._database, connect_timeout=2) as connection:
                return connection.execute(question).fetchall()
        except psycopg.OperationalError:
            return []

    def _serve(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have each client do its task; answers what each of them saw."""
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

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - reported at the end of the run
            self._broken.wrong.append(f"{type(error).__name__}: {error}")

    def _break_things(self) -> None:
        victims = self._victims()
        plan = [victims[number % len(victims)] for number in range(self._kills_wanted)]
        self._random.shuffle(plan)
        # Evenly spread over the run, with its end left alone.
        shares = [0.9 * (number + 1) / (len(plan) + 1) for number in range(len(plan))]
        deeds = [
            *((share, self._kill, victim) for share, victim in zip(shares, plan, strict=True)),
            *((share, self._restart, server) for server, share in self.restarts_at.items()),
        ]
        for share, do, what in sorted(deeds, key=lambda deed: deed[0]):
            while self._progress() < share:
                if self._over.wait(0.05):
                    return
            do(what)

    def _restart(self, server: str) -> None:
        embedded.restart(server, self._instance)
        self._broken.restarts[server] += 1

    def _kill(self, victim: str) -> None:
        if victim == "worker":
            self._worker.kill()
            self._worker.wait()
            self._worker = self._stack.start_worker(concurrency=1)
        else:
            pids = forks_of(self._web.pid)
            if not pids:
                return
            os.kill(self._random.choice(pids), signal.SIGKILL)
        self._broken.kills[victim] += 1

    def _demand_breakage(self) -> None:
        if set(self._broken.restarts) != set(self.restarts_at):
            self._broken.wrong.append("a server was not restarted")
        if self._broken.kills.total() < self._kills_wanted:
            self._broken.wrong.append(f"fewer than {self._kills_wanted} kills")
