"""Faults as an HTTP client meets them, with Ekart's operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.support.sandbox_client import LANE, Ekart, day, noon

OPERATION = "create_shipment"


@pytest.fixture
def ekart(ekart: Ekart) -> Iterator[Ekart]:
    ekart.sandbox.set_faults()
    yield ekart
    ekart.sandbox.set_faults()


def create(ekart: Ekart, timeout: float = 5) -> requests.Response:
    return ekart.create(timeout=timeout)


def booked(ekart: Ekart) -> int:
    return int(ekart.sandbox.state()["booked"])


def test_a_call_without_a_fault_books_the_shipment(ekart: Ekart) -> None:
    before = booked(ekart)
    answer = create(ekart)
    assert answer.json()["status"] is True, answer.text
    assert booked(ekart) == before + 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeout_before", requests.exceptions.ReadTimeout),
        ("timeout_after", requests.exceptions.ReadTimeout),
        ("reset_before", requests.exceptions.ConnectionError),
        ("reset_after", requests.exceptions.ConnectionError),
    ],
)
def test_a_timeout_or_reset_comes_before_or_after_the_work(
    ekart: Ekart, kind: str, error: type[Exception]
) -> None:
    before = booked(ekart)
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    with pytest.raises(error):
        create(ekart, timeout=1)
    assert booked(ekart) - before == kind.endswith("_after")


@pytest.mark.parametrize("kind", ["error_before", "error_after"])
def test_a_server_error_comes_before_or_after_the_work(ekart: Ekart, kind: str) -> None:
    before = booked(ekart)
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    assert {create(ekart).status_code for _ in range(4)} == {500, 502, 503, 504}
    assert booked(ekart) - before == (4 if kind.endswith("_after") else 0)


@pytest.mark.parametrize("kind", ["broken_before", "broken_after"])
def test_a_broken_answer_is_cut_off_or_is_not_json(ekart: Ekart, kind: str) -> None:
    before = booked(ekart)
    ekart.sandbox.set_faults((OPERATION, kind, 1))
    seen = set()
    for _ in range(2):
        try:
            answer = create(ekart)
        except requests.exceptions.ChunkedEncodingError:
            seen.add("cut off")
        else:
            assert answer.status_code == 200
            seen.add(answer.text)
    assert seen == {"cut off", "<html>done</html>"}
    assert booked(ekart) - before == (2 if kind.endswith("_after") else 0)


def test_calls_can_be_rate_limited_unauthorized_or_slow(ekart: Ekart) -> None:
    before = booked(ekart)
    ekart.sandbox.set_faults((OPERATION, "rate_limited", 1))
    answer = create(ekart)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    ekart.sandbox.set_faults((OPERATION, "unauthorized", 1))
    assert create(ekart).status_code == 401
    assert booked(ekart) == before
    ekart.sandbox.set_faults((OPERATION, "slow", 1))
    answer = create(ekart)
    assert (answer.status_code, answer.elapsed.total_seconds() >= 0.3) == (200, True)
    assert booked(ekart) == before + 1


def test_the_state_counts_faults_and_unknown_outcomes(ekart: Ekart) -> None:
    before = ekart.sandbox.state()
    ekart.sandbox.set_faults((OPERATION, "error_before", 1))
    create(ekart)
    ekart.sandbox.set_faults((OPERATION, "rate_limited", 1))
    create(ekart)
    after = ekart.sandbox.state()
    assert after["injected_unknown"] - before["injected_unknown"] == 1
    name = f"{OPERATION}:rate_limited"
    assert after["faults"][name] - before["faults"].get(name, 0) == 1


def _statuses(*flags: str) -> list[Any]:
    with SandboxProcess(
        "ekart", "--hold", "--fault", f"{OPERATION}:error_before:0.3", *flags
    ) as own:
        ekart = Ekart(own)
        return [create(ekart).status_code for _ in range(40)]


def test_the_same_seed_fails_the_same_calls() -> None:
    first, again, other = (_statuses("--seed", seed) for seed in ("1", "1", "2"))
    assert first == again != other
    assert 4 <= sum(status != 200 for status in first) <= 20


@pytest.mark.parametrize(
    "fault", [("x", "nope", 1), ("x", "slow", 2), {"operation": "x"}, {"kind": 1, "rate": 1}]
)
def test_an_invalid_fault_is_refused(ekart: Ekart, fault: Any) -> None:
    if isinstance(fault, tuple):
        fault = dict(zip(("operation", "kind", "rate"), fault, strict=True))
    answer = requests.put(f"{ekart.url}/_sandbox/faults", json=[fault], timeout=5)
    assert answer.status_code == 400
    assert requests.get(f"{ekart.url}/_sandbox/faults", timeout=5).json() == []


# How an operation is called for a shipment; those about pincodes need none.
CALLS: dict[str, Callable[[str], tuple[str, str, Any]]] = {
    "set_dispatch_date": lambda name: (
        "POST", "/data/shipment/dispatch-date", {"ids": [name], "dispatchDate": str(day(1))}
    ),
    "label": lambda name: ("POST", "/api/v1/package/label", {"ids": [name]}),
    "manifest": lambda name: ("POST", "/data/v2/generate/manifest", {"ids": [name]}),
    "ndr": lambda name: (
        "POST", "/api/v2/package/ndr", {"action": "Re-Attempt", "wbn": name, "date": noon(1)}
    ),
    "raw_track": lambda name: ("GET", f"/data/v1/elite/track/{name}", None),
    "lane_serviceability": lambda _: ("POST", "/data/v3/serviceability", LANE),
    "bulk_serviceability": lambda _: ("GET", "/data/serviceability/bulk/LARGE", None),
}  # fmt: skip


def shipment_for(ekart: Ekart, operation: str) -> str:
    """The tracking id of a shipment that the operation can be called for."""
    tracking_id = ekart.book(delayed_dispatch=True)["id"]
    if operation == "ndr":
        ekart.advance(tracking_id, "Undelivered")
    return tracking_id


def work_done(ekart: Ekart, operation: str, tracking_id: str) -> bool:
    """Whether an operation that changes something has changed it."""
    summary = ekart.summary(tracking_id)
    return {
        "set_dispatch_date": bool(summary["dispatch_date"]),
        "manifest": any(
            tracking_id in m["ids"] for m in ekart.sandbox.list_all("/_sandbox/manifests")
        ),
        "ndr": bool(summary["ndr_actions"]),
    }[operation]


@pytest.mark.parametrize("kind", ["timeout", "reset", "error", "broken"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["set_dispatch_date", "manifest", "ndr"])
def test_a_change_fails_before_or_after_the_work(
    ekart: Ekart, operation: str, when: str, kind: str
) -> None:
    tracking_id = shipment_for(ekart, operation)
    method, path, body = CALLS[operation](tracking_id)
    ekart.sandbox.set_faults((operation, f"{kind}_{when}", 1))
    try:
        # Long enough for a busy machine, except where no answer comes at all.
        answer = ekart.call(method, path, body, timeout=0.5 if kind == "timeout" else 5)
    except requests.exceptions.RequestException:
        assert kind != "error"
    else:
        assert (answer.status_code >= 500) == (kind == "error")
        assert kind in ("error", "broken")
    assert work_done(ekart, operation, tracking_id) == (when == "after")


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_every_operation_can_fail(ekart: Ekart, operation: str) -> None:
    method, path, body = CALLS[operation](shipment_for(ekart, operation))
    statuses = []
    for kind in ("rate_limited", "unauthorized", "error_before", "slow"):
        ekart.sandbox.set_faults((operation, kind, 1))
        answer = ekart.call(method, path, body, timeout=5)
        statuses.append(answer.status_code)
    assert statuses[:2] == [429, 401]
    assert statuses[2] >= 500
    assert (statuses[3], answer.elapsed.total_seconds() >= 0.3) == (200, True)
    ekart.sandbox.set_faults((operation, "reset_before", 1))
    with pytest.raises(requests.exceptions.ConnectionError):
        ekart.call(method, path, body)


def test_every_operation_can_fail_from_the_start() -> None:
    flags = [flag for name in CALLS for flag in ("--fault", f"{name}:rate_limited:1")]
    with SandboxProcess("ekart", "--hold", *flags) as own:
        ekart = Ekart(own)
        calls = [call("unknown") for call in CALLS.values()]
        statuses = [ekart.call(method, path, body).status_code for method, path, body in calls]
    assert statuses == [429] * len(CALLS)


def test_a_broken_label_is_half_a_pdf_or_is_html(ekart: Ekart) -> None:
    method, path, body = CALLS["label"](shipment_for(ekart, "label"))
    ekart.sandbox.set_faults(("label", "broken_after", 1))
    seen = set()
    for _ in range(2):
        answer = requests.request(
            method, ekart.url + path, json=body, headers=ekart.headers, timeout=5, stream=True
        )
        seen.add((answer.status_code, answer.headers["Content-Type"].partition(";")[0]))
        answer.close()
    assert seen == {(200, "text/html"), (200, "application/octet-stream")}
