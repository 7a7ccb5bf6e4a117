"""The sandbox's faults, as any HTTP client meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from couriers_ekart.sandbox.process import SandboxProcess

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
OPERATION = "create_shipment"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess("--hold", "--slow-seconds", "0.3") as running:
        yield running


class Ekart:
    """A client that speaks HTTP and nothing else."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url
        token = requests.post(
            f"{self.url}/integrations/v2/auth/token/sandbox",
            json={"username": "sandbox", "password": "sandbox"},
            timeout=5,
        ).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.body = json.loads((FIXTURES / "ekart" / "create_shipment.json").read_text())

    def create(self) -> requests.Response:
        return requests.put(
            f"{self.url}/api/v1/package/create", json=self.body, headers=self.headers, timeout=1
        )

    def booked(self) -> int:
        return int(self.sandbox.state()["booked"])


@pytest.fixture
def ekart(sandbox: SandboxProcess) -> Iterator[Ekart]:
    sandbox.set_faults()
    yield Ekart(sandbox)
    sandbox.set_faults()


def test_without_a_fault_the_shipment_is_booked(ekart: Ekart) -> None:
    before = ekart.booked()
    answer = ekart.create()
    assert answer.json()["status"] is True, answer.text
    assert ekart.booked() == before + 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeout_before", requests.exceptions.ReadTimeout),
        ("timeout_after", requests.exceptions.ReadTimeout),
        ("reset_before", requests.exceptions.ConnectionError),
        ("reset_after", requests.exceptions.ConnectionError),
    ],
)
def test_a_lost_answer_is_lost_before_or_after_the_work(
    ekart: Ekart, kind: str, error: type[Exception]
) -> None:
    before = ekart.booked()
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    with pytest.raises(error):
        ekart.create()
    assert ekart.booked() - before == kind.endswith("_after")


@pytest.mark.parametrize("kind", ["error_before", "error_after"])
def test_a_server_error_comes_before_or_after_the_work(ekart: Ekart, kind: str) -> None:
    before = ekart.booked()
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    assert {ekart.create().status_code for _ in range(4)} == {500, 502, 503, 504}
    assert ekart.booked() - before == (4 if kind.endswith("_after") else 0)


@pytest.mark.parametrize("kind", ["broken_before", "broken_after"])
def test_a_broken_body_is_cut_off_or_not_json(ekart: Ekart, kind: str) -> None:
    before = ekart.booked()
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    seen = set()
    for _ in range(2):
        try:
            answer = ekart.create()
        except requests.exceptions.ChunkedEncodingError:
            seen.add("cut off")
        else:
            assert answer.status_code == 200
            seen.add(answer.text)
    assert seen == {"cut off", "<html>done</html>"}
    assert ekart.booked() - before == (2 if kind.endswith("_after") else 0)


def test_the_courier_can_be_busy_forgetful_or_slow(ekart: Ekart) -> None:
    before = ekart.booked()
    ekart.sandbox.set_faults((OPERATION, "rate_limited", 1))
    answer = ekart.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    ekart.sandbox.set_faults((OPERATION, "unauthorized", 1))
    assert ekart.create().status_code == 401
    assert ekart.booked() == before
    ekart.sandbox.set_faults((OPERATION, "slow", 1))
    assert 0.3 <= ekart.create().elapsed.total_seconds() < 1
    assert ekart.booked() == before + 1


def test_faults_are_counted_and_tell_what_nobody_can_know(ekart: Ekart) -> None:
    before = ekart.sandbox.state()
    ekart.sandbox.set_faults((OPERATION, "error_before", 1))
    ekart.create()
    ekart.sandbox.set_faults((OPERATION, "rate_limited", 1))
    ekart.create()
    after = ekart.sandbox.state()
    assert after["injected_unknown"] - before["injected_unknown"] == 1
    name = f"{OPERATION}:rate_limited"
    assert after["faults"][name] - before["faults"].get(name, 0) == 1


def _run(*flags: str) -> list[Any]:
    with SandboxProcess("--hold", "--fault", f"{OPERATION}:error_before:0.3", *flags) as own:
        ekart = Ekart(own)
        return [ekart.create().status_code for _ in range(40)]


def test_the_same_seed_fails_the_same_calls() -> None:
    first, again, other = _run("--seed", "1"), _run("--seed", "1"), _run("--seed", "2")
    assert first == again != other
    assert 4 <= sum(status != 200 for status in first) <= 20


@pytest.mark.parametrize(
    "fault", [("x", "nope", 1), ("x", "slow", 2), {"operation": "x"}, {"kind": 1, "rate": 1}]
)
def test_a_fault_that_is_none_is_refused(ekart: Ekart, fault: Any) -> None:
    if isinstance(fault, tuple):
        fault = dict(zip(("operation", "kind", "rate"), fault, strict=True))
    answer = requests.put(f"{ekart.url}/_sandbox/faults", json=[fault], timeout=5)
    assert answer.status_code == 400
    assert requests.get(f"{ekart.url}/_sandbox/faults", timeout=5).json() == []
