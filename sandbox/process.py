"""The sandbox as a child process, for tests and the demo. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from types import TracebackType
from typing import Any


class SandboxProcess:
    """A running sandbox; dies with the process that started it.

    Flags are those of the command line. `url` is set once it is up.
    """

    def __init__(self, *flags: str, port: int = 0) -> None:
        self._command = [sys.executable, "-m", "sandbox.ekart", "--port", str(port)]
        self._command += ["--stop-with-stdin", *flags]
        self.url = ""

    def __enter__(self) -> SandboxProcess:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if "listening on " not in line:
            raise RuntimeError(f"the sandbox does not start: {line!r}")
        self.url = line.strip().rsplit(" ", 1)[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def state(self) -> dict[str, Any]:
        """The sandbox's own counts."""
        return dict(self._ask("/_sandbox/state"))

    def shipments(self) -> Iterator[dict[str, Any]]:
        """Everything that was really booked."""
        return self._pages("/_sandbox/shipments")

    def manifests(self) -> Iterator[dict[str, Any]]:
        """Every manifest that was made."""
        return self._pages("/_sandbox/manifests")

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests it received, where it was started with --record."""
        return self._pages("/_sandbox/requests")

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Tell it something at /_sandbox/…."""
        return self._ask(path, body)

    def set_faults(self, *faults: tuple[str, str, float]) -> None:
        """Fail from now on as told: operation, kind and rate of each fault."""
        names = ("operation", "kind", "rate")
        self._ask("/_sandbox/faults", [dict(zip(names, f, strict=True)) for f in faults], "PUT")

    def wait_until_finished(self, seconds: float = 60) -> bool:
        """Wait for every life cycle to end and every callback to be taken."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state()
            if state["finished"] == state["booked"] and not state["callbacks_pending"]:
                return True
            time.sleep(0.1)
        return False

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        after = 0
        while page := self._ask(f"{path}?after={after}&limit=1000"):
            yield from page
            after += len(page)

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
