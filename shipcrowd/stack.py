"""The platform as child processes: web server, worker and beat, as production runs them.

For the demo, the tests that need the whole of it, and the benchmarks. Knows no domain logic.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from shipcrowd.embedded import Servers, development_secret

BASE_DIR = Path(__file__).resolve().parent.parent
SANDBOX_LOGIN = {
    "EKART_CLIENT_ID": "sandbox",
    "EKART_USERNAME": "sandbox",
    "EKART_PASSWORD": "sandbox",
}
BACKLOG = 2048  # connections that wait for the web server: as many as gunicorn has by itself


class StackError(RuntimeError):
    """A part of the platform does not run as it should; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Stack:
    """The platform's processes on one set of servers; all end with the `with` block.

    `environment` is added to this process' own. `url` is where the web server answers: at `port`,
    or at a free one where that is taken or 0. The port is ours from the first moment, so that no
    other server can take it or answer in our name. The processes add up their metrics.
    """

    def __init__(self, servers: Servers, environment: Mapping[str, str], port: int = 0) -> None:
        self._processes = ExitStack()
        self._socket = self._processes.enter_context(_listening(port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        metrics = self._processes.enter_context(tempfile.TemporaryDirectory(prefix="metrics-"))
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "shipcrowd.settings",
            "APP_BASE_URL": self.url,
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "PROMETHEUS_MULTIPROC_DIR": metrics,
            # Celery dislikes root and WhiteNoise an empty folder; neither matters here.
            "PYTHONWARNINGS": "ignore::UserWarning",
            **environment,
        }
        for name in ("SECRET_KEY", "FERNET_KEYS"):
            if name not in self._environment:
                self._environment[name] = development_secret(name)
        # This process may be a parallel test worker with a share of Redis of its own; the
        # platform's processes are told theirs by REDIS_URL.
        self._environment.pop("PYTEST_XDIST_WORKER", None)

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.close()

    def command(self, *arguments: str) -> dict[str, Any]:
        """Run a management command with --json and return what it says.

        Raises StackError when it ends with anything but 0.
        """
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "manage.py", *arguments, "--json"],
            env=self._environment,
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise StackError(
                f"{arguments[0]} ended {done.returncode}: {done.stderr.strip()[-500:]}"
            )
        return dict(json.loads(done.stdout))

    def migrate(self) -> None:
        """Bring the database up to date."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            env=self._environment,
            cwd=BASE_DIR,
            check=True,
        )

    def run_module(self, module: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
        """Run `python -m module` and return the JSON it prints, None where it fails."""
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", module],
            env=self._environment | dict(environment),
            cwd=BASE_DIR,
            capture_output=True,
        )
        return dict(json.loads(done.stdout)) if done.returncode == 0 else None

    def converse(self, module: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start `python -m module` with pipes to talk to it by; it ends with the stack."""
        process = self._processes.enter_context(
            subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", module],
                env=self._environment | dict(environment),
                cwd=BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self._processes.callback(end, process)
        return process

    def start_web(
        self, *, workers: int = 1, threads: int = 16, application: str = "shipcrowd.wsgi"
    ) -> subprocess.Popen[bytes]:
        """Start gunicorn; until_ready() waits for it."""
        return self.spawn(
            "gunicorn", application, "--bind", f"fd://{self._socket.fileno()}",
            "--workers", str(workers), "--threads", str(threads), "--log-level", "warning",
            inherited=[self._socket.fileno()],
        )  # fmt: skip

    def start_worker(self, *, concurrency: int = 2, pool: str = "threads") -> Any:
        """Start a Celery worker."""
        return self.spawn(
            "celery", "--quiet", "-A", "shipcrowd", "worker", "--pool", pool,
            "--concurrency", str(concurrency), "--loglevel", "warning", "--without-mingle",
            "--without-gossip",
        )  # fmt: skip

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start Celery's beat, which keeps no file."""
        return self.spawn(
            "celery", "--quiet", "-A", "shipcrowd", "beat", "--loglevel", "warning",
            "--schedule", os.devnull, "--scheduler", "celery.beat:Scheduler", "--pidfile", "",
        )  # fmt: skip

    def spawn(
        self, module: str, *arguments: str, inherited: Collection[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start `python -m module`, with these open files; it ends with the stack."""
        process = subprocess.Popen(  # noqa: S603 - our own processes
            [sys.executable, "-m", module, *arguments],
            env=self._environment,
            cwd=BASE_DIR,
            pass_fds=inherited,
        )
        self._processes.callback(end, process)
        return process

    def until_ready(self, seconds: float = 30) -> None:
        """Wait until the web server can do its work. Raises StackError when it does not."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                if self.ask("GET", "/readyz", timeout=left).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise StackError("the web server does not answer")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """Ask the web server, as a storefront does with its API key. Raises OSError."""
        given = {"Content-Type": "application/json", **(headers or {})}
        if key:
            given["Authorization"] = f"Api-Key {key}"
        request = urllib.request.Request(  # noqa: S310 - loopback
            path if path.startswith("http") else self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=given,
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())


def _listening(port: int) -> socket.socket:
    """A socket of our own at the port, or at a free one where that is taken or 0."""
    ours = socket.socket()
    try:
        # A port that a server has just left can be had at once.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", port))
        # Two may be bound to one port, but not listen there.
        ours.listen(BACKLOG)
    except OSError:
        ours.close()
        if not port:
            raise
        return _listening(0)
    return ours


def end(process: subprocess.Popen[Any]) -> None:
    """End a process, politely first."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
