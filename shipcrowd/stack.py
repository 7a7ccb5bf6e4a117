"""Running the platform as child processes: web server, Celery worker and beat, as in production.

The demo, the benchmarks and end-to-end tests use it. It holds no domain logic.
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
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from couriers.conf import Queue
from shipcrowd import nginx
from shipcrowd.embedded import Servers, development_secret

BASE_DIR = Path(__file__).resolve().parent.parent
SANDBOX_LOGIN = {
    "EKART_CLIENT_ID": "sandbox",
    "EKART_USERNAME": "sandbox",
    "EKART_PASSWORD": "sandbox",
}
# Callbacks have workers of their own, so that they wait for nobody's bulk work.
INBOX_QUEUES = (Queue.INBOX,)
OTHER_QUEUES = tuple(queue for queue in Queue if queue not in INBOX_QUEUES)
BACKLOG = 2048  # connections that may wait to be accepted


class StackError(RuntimeError):
    """A process of the platform failed; the message says which one and why."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response with any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body's JSON."""
        return json.loads(self.body)


class Stack:
    """The platform's processes on one set of servers; all are stopped when the `with` block ends.

    `environment` is added to this process' environment. The web server listens at `port`, or at
    a free port if that is taken or 0; `url` is its address. This process binds the port at once,
    so that no other server can take it. The processes share a folder for their metrics.
    """

    def __init__(self, servers: Servers, environment: Mapping[str, str], port: int = 0) -> None:
        self._processes = ExitStack()
        self._socket = self._processes.enter_context(_bind(port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._web: Path | None = None  # nginx's folder
        metrics = self._processes.enter_context(tempfile.TemporaryDirectory(prefix="metrics-"))
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "shipcrowd.settings",
            "APP_BASE_URL": self.url,
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            # The couriers are sandboxes on this machine, and /metrics is read without a token.
            "DEVELOPMENT": "1",
            "PROMETHEUS_MULTIPROC_DIR": metrics,
            # Celery warns about running as root and WhiteNoise about an empty static folder.
            "PYTHONWARNINGS": "ignore::UserWarning",
            **environment,
        }
        for name in ("SECRET_KEY", "FERNET_KEYS"):
            if name not in self._environment:
                self._environment[name] = development_secret(name)
        # In a parallel test worker the settings would change REDIS_URL a second time.
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

    def run_command(self, *arguments: str) -> dict[str, Any]:
        """Run a management command with --json and return its summary.

        Raises StackError if its exit code is not 0.
        """
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "manage.py", *arguments, "--json"],
            env=self._environment,
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            output = done.stderr.strip()[-500:]
            raise StackError(f"{arguments[0]} ended with exit code {done.returncode}: {output}")
        return dict(json.loads(done.stdout))

    def migrate(self) -> None:
        """Apply the migrations."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            env=self._environment,
            cwd=BASE_DIR,
            check=True,
        )

    def run_module(self, module: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
        """Run `python -m module` and return the JSON that it prints, or None if it fails."""
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", module],
            env=self._environment | dict(environment),
            cwd=BASE_DIR,
            capture_output=True,
        )
        return dict(json.loads(done.stdout)) if done.returncode == 0 else None

    def start_interactive(
        self, module: str, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        """Start `python -m module` with pipes to its input and output; it ends with the stack."""
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
        self._processes.callback(stop_process, process)
        return process

    def start_web(self, application: str = "shipcrowd.wsgi") -> subprocess.Popen[bytes]:
        """Start the web server as docker-compose.yml does: gunicorn behind nginx.

        Returns the process of gunicorn. wait_until_ready() waits for both. Raises NginxMissing.
        """
        self.start_proxy("web.sock")
        return self.start_gunicorn("web.sock", application)

    def start_proxy(self, *web_sockets: str) -> subprocess.Popen[bytes]:
        """Start nginx in front of a gunicorn at each of these sockets. Raises NginxMissing."""
        self._web = Path(self._processes.enter_context(tempfile.TemporaryDirectory(prefix="web-")))
        fd = self._socket.fileno()
        sockets = [self._web / name for name in web_sockets]
        proxy = nginx.command(self._web, self.port, sockets)
        return self._start(proxy, inherited=[fd], environment=nginx.inherit(fd))

    def start_gunicorn(
        self, web_socket: str, application: str = "shipcrowd.wsgi"
    ) -> subprocess.Popen[bytes]:
        """Start one gunicorn at a socket of start_proxy()."""
        return self._start(
            [sys.executable, "-m", "gunicorn", application, "--log-level", "warning"],
            environment={"WEB_SOCKET": str(self.web_folder / web_socket), "TRUSTED_PROXIES": "1"},
        )

    @property
    def web_folder(self) -> Path:
        """The folder of nginx and of the sockets, once nginx was started."""
        assert self._web is not None
        return self._web

    def start_demo_web(self, application: str = "shipcrowd.wsgi") -> subprocess.Popen[bytes]:
        """Start the web server of the demo, which needs no nginx: waitress, one process."""
        fd = self._socket.fileno()
        return self._start(
            [sys.executable, "-m", "shipcrowd.demo_server", str(fd), application], inherited=[fd]
        )

    def start_worker(
        self, *, queues: Collection[Queue] = (), concurrency: int = 2, pool: str = "threads"
    ) -> subprocess.Popen[bytes]:
        """Start a Celery worker of the given queues, or of all."""
        return self.spawn(
            "celery", "--quiet", "-A", "shipcrowd", "worker", "--pool", pool,
            "--concurrency", str(concurrency), "--loglevel", "warning", "--without-mingle",
            "--without-gossip", *(["--queues", ",".join(queues)] if queues else []),
        )  # fmt: skip

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start Celery's beat without a schedule file."""
        return self.spawn(
            "celery", "--quiet", "-A", "shipcrowd", "beat", "--loglevel", "warning",
            "--schedule", os.devnull, "--scheduler", "celery.beat:Scheduler", "--pidfile", "",
        )  # fmt: skip

    def spawn(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `python -m module`; it is stopped with the stack."""
        return self._start([sys.executable, "-m", module, *arguments])

    def _start(
        self,
        command: Sequence[str],
        *,
        inherited: Collection[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command with the given open files; it is stopped with the stack."""
        process = subprocess.Popen(  # noqa: S603 - our own processes
            command,
            env=self._environment | dict(environment or {}),
            cwd=BASE_DIR,
            pass_fds=inherited,
        )
        self._processes.callback(stop_process, process)
        return process

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until /readyz answers 200. Raises StackError if it does not within `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                if self.request("GET", "/readyz", timeout=left).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise StackError("the web server is not ready")

    def metrics(self) -> str:
        """Return what Prometheus reads. Raises OSError if the web server does not answer."""
        if self._web:
            return nginx.get_internal(self._web, "/metrics").decode()
        return self.request("GET", "/metrics").text

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Response:
        """Send a request to the web server and return the response, whatever its status.

        `path` may be a whole URL. `key` is a company's API key. Raises OSError if there is no
        response.
        """
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        if key:
            all_headers["Authorization"] = f"Api-Key {key}"
        request = urllib.request.Request(  # noqa: S310 - loopback
            path if path.startswith("http") else self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=all_headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 # nosec B310
                return Response(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, dict(error.headers), error.read())


def _bind(port: int) -> socket.socket:
    """Return a listening socket at the port, or at a free port if that is taken or 0."""
    listener = socket.socket()
    try:
        # nginx takes it as it is, and a process of nginx would block when another one is quicker.
        listener.setblocking(False)
        # Allows a port that another server has just closed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        # With SO_REUSEADDR two sockets can be bound to one port, but only one can listen.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        if not port:
            raise
        return _bind(0)
    return listener


def stop_process(process: subprocess.Popen[Any]) -> None:
    """Send SIGTERM, and SIGKILL if the process has not ended after 15 seconds."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
