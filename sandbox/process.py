"""A stand-in as a child process, for tests and the demo. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from types import TracebackType
from typing import Any

PAGE_SIZE = 1000


class SandboxProcess:
    """A courier's stand-in that runs as long as the `with` block, or its parent process.

    Takes the courier's name and flags of the command line. `module` is another one that takes the
    same and has the same pages. `url` is set inside the block. The methods ask the pages under
    /_sandbox/.
    """

    def __init__(self, courier: str, *flags: str, port: int = 0, module: str = "sandbox") -> None:
        self._command = [sys.executable, "-m", module, courier, "--port", str(port)]
        self._command += ["--stop-with-stdin", *flags]
        self.url = ""

    def __enter__(self) -> SandboxProcess:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if "listening on " not in line:
            self._stop()
            raise RuntimeError(f"the sandbox does not start: {line!r}")
        self.url = line.strip().rsplit(" ", 1)[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def state(self) -> dict[str, Any]:
        """The counts of what was booked, called and sent."""
        return dict(self._ask("/_sandbox/state"))

    def shipments(self) -> Iterator[dict[str, Any]]:
        """Everything that was really booked."""
        return self.list_all("/_sandbox/shipments")

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests that were received, where it was started with --record."""
        return self.list_all("/_sandbox/requests")

    def invalid_requests(self) -> Iterator[dict[str, Any]]:
        """The requests that broke a rule of the courier, each with its `error`."""
        return self.list_all("/_sandbox/invalid-requests")

    def list_all(self, path: str) -> Iterator[dict[str, Any]]:
        """Everything that one of the pages under /_sandbox/ lists."""
        after = 0
        while page := self._ask(f"{path}?after={after}&limit={PAGE_SIZE}"):
            yield from page
            after += len(page)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post to one of the pages under /_sandbox/ and return its answer."""
        return self._ask(path, body)

    def set_faults(self, *faults: tuple[str, str, float]) -> None:
        """Replace the faults: operation, kind and rate of each; none at all without arguments."""
        names = ("operation", "kind", "rate")
        self._ask("/_sandbox/faults", [dict(zip(names, f, strict=True)) for f in faults], "PUT")

    def set_callback_faults(self, *, loss: float = 0, repeats: float = 0) -> None:
        """Set the shares of callbacks that are never sent and that are sent twice."""
        self._ask("/_sandbox/callback-faults", {"loss": loss, "repeats": repeats}, "PUT")

    def set_switches(self, **values: Any) -> None:
        """Change some oddities of the courier."""
        self._ask("/_sandbox/switches", values, "PUT")

    def switch(self, **switches: Any) -> None:
        """Change oddities of the courier, by their names; the others stay as they are."""
        self._ask("/_sandbox/switches", switches, "PUT")

    def wait_until_finished(self, seconds: float = 60) -> bool:
        """Wait for every life cycle to end and every callback to be taken.

        False where that has not happened after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state()
            if state["finished"] == state["booked"] and not state["callbacks_pending"]:
                return True
            time.sleep(0.1)
        return False

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 # nosec B310
            return json.load(answer)
