"""Running the host project: its commands, its web server below a SCRIPT_NAME, and its worker."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from shipcrowd.embedded import Servers
from shipcrowd.stack import Response
from tests.support.wheels import HostVirtualenv, host_environment

PROJECT = Path(__file__).resolve().parent / "project"
SCRIPT_NAME = "/merchant"
COMPANY = (
    "--company", "acme", "--create", "--name", "Acme", "--gstin", "29AAGCR4375J1ZU",
    "--address", "1 Example Road", "--city", "Bengaluru", "--state", "Karnataka",
    "--pincode", "560001", "--phone", "9845012345",
)  # fmt: skip


class Shop:
    """A copy of the host project, run by a virtualenv that has the wheel and not the clone."""

    def __init__(self, host: HostVirtualenv, folder: Path, servers: Servers) -> None:
        self._host = host
        self._processes = ExitStack()
        self.folder = folder
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
        database = urlsplit(servers.database_url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{SCRIPT_NAME}"
        self.environment = {
            "SHOP_DATABASE": database.path[1:],
            "SHOP_USER": database.username or "",
            "SHOP_PASSWORD": unquote(database.password or ""),
            "SHOP_HOST": database.hostname or "",
            "SHOP_PORT": str(database.port or ""),
            "SHOP_REDIS": servers.redis_url,
            "SHOP_URL": self.url,
        }
        self.seeded: dict[str, Any] = {}

    def __enter__(self) -> Shop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.close()

    def run(
        self, *arguments: str, code: int = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the virtualenv's Python in the project's folder."""
        return self._host.run(
            *arguments, cwd=self.folder, environment=self.environment | environment, code=code
        )

    def command(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run a management command with --json, and return its summary."""
        done = self.run("manage.py", *arguments, "--json", **environment)
        return dict(json.loads(done.stdout))

    def set_up(self, courier_url: str) -> None:
        """Migrate, seed, start the processes, and register the callbacks at the courier."""
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.seeded = self.command(
            "seed_courier", "ekart", *COMPANY,
            EKART_BASE_URL=courier_url, EKART_CLIENT_ID="sandbox", EKART_USERNAME="sandbox",
            EKART_PASSWORD="sandbox", EKART_WEBHOOK_SECRET="secret-of-the-shop",
        )  # fmt: skip
        self._start(
            "gunicorn", "shop.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "4",
            SCRIPT_NAME=SCRIPT_NAME,
        )  # fmt: skip
        self._start(
            "celery", "-A", "shop", "worker", "--beat", "--concurrency", "1", "--loglevel",
            "WARNING",
        )  # fmt: skip
        wait_for(lambda: self.get("/office/login/").status == 200, "the web server")
        self.command("register_webhooks", "ekart", "--company", "acme")

    def get(self, path: str, **headers: str) -> Response:
        """GET a path below the shop's root, or a URL."""
        return self.request("GET", path, **headers)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request with the storefront's API key. Redirects are not followed."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        request = urllib.request.Request(
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Api-Key {self.seeded['api_key']}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        try:
            with _opener.open(request, timeout=20) as response:
                return Response(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Response(error.code, error.headers, error.read())
        except OSError:
            return Response(0, {}, b"")

    def _start(self, module: str, *arguments: str, **environment: str) -> None:
        process = subprocess.Popen(
            [str(self._host.python), "-m", module, *arguments],
            cwd=self.folder,
            env=host_environment() | self.environment | environment,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self._processes.callback(process.wait, 20)
        self._processes.callback(process.terminate)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def wait_for(happened: Any, what: str, seconds: float = 60) -> None:
    """Wait until the function returns something true. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.2)
