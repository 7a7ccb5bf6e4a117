"""The host project on real servers, with the wheel installed, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.process import SandboxProcess
from shipcrowd import embedded
from tests.host.shop import Shop
from tests.support.wheels import HostVirtualenv, distributions, host_virtualenv

__all__ = ["distributions", "host_virtualenv"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("ekart", "--pace", "0.05", "--outcomes", "delivered=100") as running:
        yield running


@pytest.fixture(scope="module")
def shop(
    host_virtualenv: HostVirtualenv,
    sandbox: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """The shop with its tables, an account at the sandbox, a web server, a worker and beat."""
    folder: Path = tmp_path_factory.mktemp("host") / "project"
    with embedded.temporary("host") as servers, Shop(host_virtualenv, folder, servers) as running:
        running.set_up(sandbox.url)
        yield running
