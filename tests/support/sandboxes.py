"""The fixture of a module whose tests talk to Ekart's sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.process import SandboxProcess


def sandbox_fixture(*flags: str, scope: Any = "function") -> Any:
    """Return a fixture that starts the sandbox with these flags and stops it after its scope."""

    @pytest.fixture(scope=scope)
    def sandbox() -> Iterator[SandboxProcess]:
        with SandboxProcess("ekart", *flags) as running:
            yield running

    return sandbox
