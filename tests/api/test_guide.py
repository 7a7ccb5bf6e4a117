"""The guide's commands run word for word against a server, and its code verifies signatures."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook

from couriers.contract import india
from couriers.models import Shipment, ShipmentAction
from couriers.models.asked import AskedState
from tests.support.example_world import ORDER
from tests.support.factories import CourierAccountFactory, WarehouseFactory, make_api_key
from tests.support.sandboxes import sandbox_fixture

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "api-guide.md").read_text()
SECRET = "whsec_" + "QUJD" * 8  # of 24 bytes
BODY = b'{"type": "ping", "timestamp": "2026-11-25T09:12:44.000Z", "data": {"a": "\xe2\x82\xb9"}}'
sandbox = sandbox_fixture("--hold")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """The code blocks of a language, each with the heading above it."""
    heading = ""
    for found in re.finditer(rf"^##+ ([^\n]+)$|^```{language}\n(.*?)^```", GUIDE, re.M | re.S):
        heading = found[1] or heading
        if found[2]:
            yield heading, found[2]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_commands_run_word_for_word(
    live_server: Any, sandbox: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    account = CourierAccountFactory(base_url=sandbox.url)
    WarehouseFactory(company=account.company)
    order = ORDER | {"order_number": "1002", "order_date": india.today().isoformat()}
    (tmp_path / "order.json").write_text(json.dumps(order))
    key = make_api_key(account.company)
    CourierAccountFactory(company=account.company, base_url=sandbox.url, is_test=True)
    WarehouseFactory(company=account.company, is_test=True)
    test_key = make_api_key(account.company, is_test=True)
    client = Client(headers={"Authorization": f"Bearer {key}"})

    def bring_to(status: str) -> None:
        shipment = Shipment.objects.get(order_number="1001", direction="forward")
        at = {"tracking_id": shipment.tracking_id, "status": status}
        sandbox.post("/_sandbox/advance", at)
        assert client.post(f"/api/v1/shipments/{shipment.pk}/track/").status_code == 200

    before = {
        "A parcel that was not delivered (NDR)": lambda: bring_to("Undelivered"),
        "Returns": lambda: bring_to("Delivered"),
    }
    (tmp_path / "vars").write_text("")  # what one block leaves to the next, as in one shell
    said: dict[str, str] = {}
    for heading, block in blocks("console"):
        before.get(heading, lambda: None)()
        script = re.sub(r"^\$ ", "", block, flags=re.M)
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail; . ./vars\n{script}\ndeclare -p ID >vars || true"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
            env={
                "SHIPCROWD": live_server.url, "KEY": key, "TEST_KEY": test_key,
                "PATH": "/usr/bin:/bin",
            },
        )  # fmt: skip
        assert done.returncode == 0, f"{heading}:\n{done.stdout}\n{done.stderr}"
        said[heading] = said.get(heading, "") + done.stdout
    assert (tmp_path / "label.pdf").read_bytes().startswith(b"%PDF")
    assert '"serviceable":true' in said["Five minutes with curl"]
    assert "idempotent-replayed" in said["Safe retries"].lower()
    assert said["Test mode"].split() == ["202", "422"]
    live = Shipment.objects.filter(is_test=False)
    booked = live.filter(direction="forward").values_list("order_number", "status")
    assert sorted(booked) == [("1001", "delivered"), ("1002", "booked"), ("1002", "cancelled")]
    assert Shipment.objects.get(direction="reverse").order_number == "1001-R1"
    assert ShipmentAction.objects.get(kind="reattempt").state != AskedState.REFUSED
    assert "shipment.booked" in (tmp_path / "events.json").read_text()
    assert len(list(sandbox.shipments())) == 5


def signed(body: bytes = BODY, *, age: int = 0, secret: str = SECRET) -> dict[str, str]:
    """The headers of an event that `standardwebhooks` signs."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("evt_1", at, body.decode()),
    }


def in_python(body: bytes, headers: dict[str, str], secret: str) -> Any:
    names: dict[str, Any] = {}
    ((_, code),) = blocks("python")
    exec(code, names)
    try:
        return names["read_event"](body, headers, secret)
    except ValueError:
        return None


def in_node(body: bytes, headers: dict[str, str], secret: str) -> Any:
    ((_, code),) = blocks("js")
    call = (
        'const [h, s, b] = JSON.parse(require("fs").readFileSync(0));'
        'console.log(JSON.stringify(readEvent(Buffer.from(b, "base64"), h, s)));'
    )
    return _run(["node", "-e", code + call], body, headers, secret)


def in_php(body: bytes, headers: dict[str, str], secret: str) -> Any:
    ((_, code),) = blocks("php")
    call = (
        "[$h, $s, $b] = json_decode(file_get_contents('php://stdin'), true);"
        "echo json_encode(read_event(base64_decode($b), $h['webhook-id'], $h['webhook-timestamp'],"
        "$h['webhook-signature'], $s));"
    )
    return _run(["php", "-r", code + call], body, headers, secret)


def _run(command: list[str], body: bytes, headers: dict[str, str], secret: str) -> Any:
    given = json.dumps([headers, secret, base64.b64encode(body).decode()])
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=30)
    if done.returncode:
        assert "too old" in done.stderr + done.stdout or "not signed" in done.stderr + done.stdout
        return None
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("interpreter", "read"), [("python3", in_python), ("node", in_node), ("php", in_php)]
)
def test_the_code_takes_what_is_signed_and_nothing_else(
    interpreter: str, read: Callable[..., Any]
) -> None:
    if shutil.which(interpreter) is None:
        pytest.skip(f"there is no {interpreter} on the PATH")
    event = json.loads(BODY)
    assert read(BODY, signed(), SECRET) == event
    both = signed()
    other = Webhook("whsec_" + "REVG" * 8)
    now = dt.datetime.fromtimestamp(int(both["webhook-timestamp"]), dt.UTC)
    both["webhook-signature"] += f" {other.sign('evt_1', now, BODY.decode())}"
    both["webhook-signature"] = " ".join(reversed(both["webhook-signature"].split()))
    assert read(BODY, both, SECRET) == event
    wrong = [
        (BODY + b" ", signed()),
        (BODY, signed(age=400)),
        (BODY, signed(age=-400)),
        (BODY, signed(secret="whsec_" + "REVG" * 8)),
        (BODY, signed() | {"webhook-id": "evt_2"}),
        (BODY, signed() | {"webhook-timestamp": "soon"}),
        (BODY, signed() | {"webhook-signature": "v1,"}),
        (BODY, signed() | {"webhook-signature": "v2," + signed()["webhook-signature"][3:]}),
        (BODY, signed() | {"webhook-signature": "nonsense"}),
    ]
    for body, headers in wrong:
        assert read(body, headers, SECRET) is None, headers


def test_every_language_of_the_guide_is_run() -> None:
    languages = set(re.findall(r"^```(\w+)$", GUIDE, re.M))
    assert languages == {"console", "json", "python", "js", "php"}
    assert len(list(blocks("console"))) >= 7
