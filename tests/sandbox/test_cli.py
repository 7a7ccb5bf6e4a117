"""`python -m sandbox`: what it lists and refuses, and that it starts without Django."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.cli import main
from sandbox.couriers import COURIERS

ROOT = Path(__file__).resolve().parents[2]
# Serves until standard input is closed, which it is, and then prints what was imported.
IMPORTS = """
import runpy, sys
sys.argv = ["sandbox", "ekart", "--port", "0", "--stop-with-stdin"]
runpy.run_module("sandbox", run_name="__main__")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    """Python in a process that knows nothing of a Django project or a database."""
    kept = {"PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name in kept},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """What is printed where these arguments are refused: one line, and nothing else."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    return output.err


def test_help_lists_the_couriers() -> None:
    running = start("-m", "sandbox", "--help")
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
    assert all(courier in output for courier in COURIERS)


@pytest.mark.parametrize("flag", ["--port", "--fault", "--record", "--hold", "--token-life"])
def test_help_of_a_courier_lists_its_flags(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ekart", "--help"])
    assert ended.value.code == 0
    assert flag in capsys.readouterr().out


def test_an_unknown_courier_is_refused_and_the_known_ones_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = refusal(capsys, "fedex", "--port", "0")
    assert "fedex" in line
    assert "ekart" in line


@pytest.mark.parametrize("arguments", [[], ["--port", "0", "ekart"]])
def test_the_courier_comes_first(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "COURIER" in refusal(capsys, *arguments)


@pytest.mark.parametrize("flag", ["--nonsense", "--rec", "extra"])
def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert flag in refusal(capsys, "ekart", flag)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "70000"),
        ("--port", "any"),
        ("--pace", "-1"),
        ("--pace", "nan"),
        ("--slow-seconds", "3601"),
        ("--fault", "create_shipment:slow"),
        ("--fault", "create_shipment:nonsense:0.1"),
        ("--fault", "create_shipment:slow:2"),
        ("--fault", "create_shipment:slow:often"),
        ("--outcomes", "delivered"),
        ("--outcomes", "stolen=1"),
        ("--outcomes", "delivered=0"),
        ("--outcomes", "delivered=2,rto=-1"),
        ("--pincodes", "0"),
        ("--pincodes", "1.5"),
        ("--token-life", "0.5"),
    ],
)
def test_an_invalid_value_is_refused(
    capsys: pytest.CaptureFixture[str], flag: str, value: str
) -> None:
    assert flag in refusal(capsys, "ekart", f"{flag}={value}")


@pytest.mark.parametrize(
    ("value", "about"),
    [
        ("colour=red", "duplicate_orders"),
        ("duplicate_orders=twice", "books, existing, refuses"),
        ("search_lag=-1", "from 0"),
        ("cancels_returns=1", "true or false"),
    ],
)
def test_a_switch_that_a_courier_does_not_have_is_refused(
    capsys: pytest.CaptureFixture[str], value: str, about: str
) -> None:
    assert about in refusal(capsys, "velocity", f"--switch={value}")
    assert "--switch" in refusal(capsys, "ekart", f"--switch={value}")


def test_help_of_a_courier_tells_its_switches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["velocity", "--help"])
    assert "duplicate_orders" in capsys.readouterr().out


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refusal(capsys, "ekart", "--port", port, code=1)


def test_it_serves_until_it_is_terminated() -> None:
    running = start("-m", "sandbox", "ekart", "--port", "0")
    assert running.stdout is not None
    assert running.stdout.readline().startswith("Ekart sandbox listening on http://127.0.0.1:")
    running.send_signal(signal.SIGTERM)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, output, errors) == (0, "", "")


def test_it_starts_without_django_and_without_the_platform() -> None:
    running = start("-c", IMPORTS)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (0, "")
    listening, imported = output.splitlines()
    assert "listening" in listening
    others = {
        "django",
        "shipcrowd",
        "couriers",
        "couriers_ekart",
        "couriers_velocity",
        "webhooks",
        "psycopg",
        "redis",
    }
    assert "sandbox" in imported.split()
    assert others.isdisjoint(imported.split())
