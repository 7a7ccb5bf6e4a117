"""The fixture of a module whose tests talk to a courier's sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.process import SandboxProcess


def sandbox_fixture(*flags: str, courier: str = "ekart", scope: Any = "function") -> Any:
    """Return a fixture that starts a sandbox with these flags and stops it after its scope."""

    @pytest.fixture(scope=scope)
    def sandbox() -> Iterator[SandboxProcess]:
        with SandboxProcess(courier, *flags) as running:
            yield running

    return sandbox
