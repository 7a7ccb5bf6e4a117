"""seed_courier, register_webhooks and book_orders, run against a real sandbox."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from couriers.booking import bulk, protocol
from couriers.booking.spreadsheet import (
    ReportRow,
    book_orders,
    draft_of,
    read_file,
    write_report,
)
from couriers.booking.spreadsheet.formats.shipcrowd import COLUMNS
from couriers.contract.errors import RateLimited, Unknown
from couriers.models import Company, CompanyApiKey, CourierAccount, Shipment
from couriers.models.job import OrderOutcome
from sandbox.process import SandboxProcess
from shipcrowd.embedded.processes import wait_until
from tests.support.commands import run_command, run_json
from tests.support.drafts import raising
from tests.support.sandboxes import sandbox_fixture
from tests.support.spreadsheets import write_orders
from tests.support.threads import open_sessions

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent


sandbox = sandbox_fixture("--pace", "0", scope="module")


@pytest.fixture
def seeded(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in {
        "BASE_URL": sandbox.url, "CLIENT_ID": "sandbox", "USERNAME": "sandbox",
        "PASSWORD": "sandbox", "WEBHOOK_SECRET": "a-secret-of-tests",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"EKART_{name}", value)
    return seed()


SEED = (
    "seed_courier", "ekart", "--company", "acme", "--create", "--name", "Acme",
    "--gstin", "29AAGCR4375J1ZU",
    "--address", "1 Example Road", "--state", "KA", "--pincode", "560001", "--phone", "9845012345",
    "--limit", "create_shipment=500/1s",
)  # fmt: skip


def seed(*more: str) -> dict[str, Any]:
    return run_json(*SEED, *more)


def book(path: Path, *more: str) -> dict[str, Any]:
    flags = ["--company", "acme", "--courier", "ekart", "--workers", "3", *more]
    return run_json("book_orders", str(path), *flags)


def test_seeding_twice_creates_one_account_and_one_key(seeded: dict[str, Any]) -> None:
    assert set(seeded) == {
        "company", "account_id", "api_key", "webhook_url", "webhook_secret_set",
    }  # fmt: skip
    assert seeded["api_key"]
    again = seed()
    assert (again["account_id"], again["api_key"]) == (seeded["account_id"], None)
    assert seed("--new-key")["api_key"]
    assert CompanyApiKey.objects.count() == 2
    account = CourierAccount.objects.get()
    assert account.limits == {"create_shipment": {"count": 500, "window": 1}}
    assert seeded["webhook_url"].endswith(f"/webhooks/ekart/{account.pk}/")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--gstin", "29AAGCR4375J1ZX"], "--gstin has a wrong check digit"),
        (["--pincode", "1"], "--pincode"),
        (["--phone", "12"], "--phone"),
        (["--state", "Atlantis"], "--state"),
        (["--limit", "create_shipment=0/1s"], "--limit must be like"),
        (["--limit", "fly=1/1s"], "known: add_address"),
        (["--name", ""], "--create needs --name"),
        (["--name", "A" * 201], "--name: .* at most 200"),
        (["--company", "a/b c"], "--company: .* valid .slug."),
        (["--company", "a" * 51], "--company: .* at most 50"),
    ],
)
def test_a_bad_flag_is_named(seeded: dict[str, Any], flags: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        seed(*flags)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    assert Company.objects.count() == 1


def test_a_missing_or_wrong_environment_variable_is_named(
    seeded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKART_BASE_URL", "http://ekart.example")
    with pytest.raises(CommandError, match="https"):
        seed()
    monkeypatch.setenv("EKART_BASE_URL", f"https://{'e' * 300}.example")
    with pytest.raises(CommandError, match="EKART_BASE_URL must have the name"):
        seed()
    monkeypatch.delenv("EKART_USERNAME")
    with pytest.raises(CommandError, match="EKART_USERNAME"):
        seed()


def test_the_callback_is_registered_once(seeded: dict[str, Any], sandbox: SandboxProcess) -> None:
    CourierAccount.objects.update(limits={"list_webhooks": {"count": 9, "window": 1}})
    first = run_json("register_webhooks", "ekart", "--company", "acme")
    again = run_json("register_webhooks", "ekart", "--company", "acme")
    assert (first["created"], again["created"]) == (True, False)
    assert first["id"] == again["id"]


def test_orders_are_booked_once_and_each_is_reported(
    seeded: dict[str, Any], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    before = sandbox.state()["booked"]
    path = write_orders(
        tmp_path / "orders.csv",
        {},
        {"order_number": "A-2", "quantity": "0", "order_value": ""},
        {"order_number": "A-3", "pincode": ""},
        {"order_number": "A-4", "consignee_phone": "98765ABCDE"},
        {"order_number": "A-1", "product": "Socks", "order_value": "249.50", "quantity": "2"},
        {"order_number": "A-5", "payment_mode": "PREPAID", "order_value": ""},
        {"order_number": "A-6", "payment_mode": "BARTER"},
        {"order_number": "A-7", "order_date": "yesterday"},
        {"order_number": "A-8", "pincode": "400062", "city": "", "state": ""},
        {"order_number": "A-9"},
        {"order_number": "A-9", "pincode": "110001"},
        {"order_number": "A-10", "unit_weight_g": "40000"},
        {"order_number": "A-11", "order_value": "60000"},
        {"order_number": "A-12", "order_value": "10.005"},
    )
    report = tmp_path / "report.csv"
    counts = book(path, "--report", str(report))
    assert counts == {
        "orders": 12, "booked": 2, "already_booked": 0, "skipped": 1, "rejected": 9,
        "in_doubt": 0, "failed": 0,
    }  # fmt: skip
    rows = {row["order_number"]: row for row in csv.DictReader(report.open())}
    assert list(rows) == [f"A-{n}" for n in range(1, 13)]
    assert rows["A-1"]["courier"] == "ekart"
    assert rows["A-3"]["reason"] == 'row 4, column "pincode": is missing'
    assert rows["A-5"]["reason"] == 'row 7, column "order_value": is missing'
    assert rows["A-9"]["reason"].startswith(
        'row 12, column "pincode": read "110001", but row 11 of this order has "560034"'
    )
    assert 'column "unit_weight_g": read "40000", ' in rows["A-10"]["reason"]
    assert rows["A-12"]["reason"] == (
        'row 15, column "order_value": read "10.005", has more than two decimals'
    )
    shipment = Shipment.objects.get(order_number="A-1")
    assert (str(shipment.total_amount), shipment.weight_g) == ("1398.50", 960)
    assert shipment.consignee_city == "Bengaluru Urban"
    assert Shipment.objects.get(order_number="A-8").consignee_state == "Maharashtra"
    again = book(path)
    assert (again["booked"], again["already_booked"]) == (0, 2)
    assert sandbox.state()["booked"] - before == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"order_number\nA-1\n", "lacks the columns"),
        (b"\xff\xfe\x00", "is not UTF-16"),
        (",".join(COLUMNS).encode() + b"\n", "has no orders"),
        (b"a,b,c," + ",".join(COLUMNS).encode() + b"\n" + b"x," * 21, 'columns "a", "b", "c"'),
        (",".join(COLUMNS).encode() + b'\n"a', "row 2 is not CSV"),
    ],
)
def test_an_unusable_file_ends_with_a_one_line_error_and_exit_2(
    seeded: dict[str, Any], tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "orders.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words) as caught:
        book(path)
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    assert not Shipment.objects.exists()


@pytest.mark.parametrize(
    ("report", "words"),
    [("folder", "is not a file"), ("nowhere/r.csv", "no folder"), ("/proc/r.csv", "be written")],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_first_booking(
    seeded: dict[str, Any], tmp_path: Path, report: str, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CommandError, match=words) as caught:
        book(write_orders(tmp_path / "o.csv", {}), "--report", str(tmp_path / report))
    assert caught.value.returncode == 2
    assert not Shipment.objects.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "o.csv"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_report_has_no_formulas(tmp_path: Path, text: str) -> None:
    report = tmp_path / "report.csv"
    written = [
        ReportRow(text, OrderOutcome.REJECTED, reason=text),
        ReportRow("A-1", OrderOutcome.BOOKED, "toy", "T-1", "shp_1", "a = b"),
    ]
    write_report(report, written)
    with report.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows[0] == [f"'{text}", "rejected", "", "", "", f"'{text}"]
    assert rows[1] == ["A-1", "booked", "toy", "T-1", "shp_1", "a = b"]


def test_a_report_that_fails_leaves_the_earlier_report(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("the last one")
    with pytest.raises(AttributeError):
        write_report(tmp_path / "report.csv", [ReportRow("A-1", OrderOutcome.BOOKED), None])  # type: ignore[list-item]
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the last one"]


def test_an_unknown_company_or_courier_is_refused_with_the_known_ones(
    seeded: dict[str, Any], tmp_path: Path
) -> None:
    path = str(write_orders(tmp_path / "o.csv", {}))
    with pytest.raises(CommandError, match="known: acme"):
        run_command("book_orders", path, "--company", "x", "--courier", "ekart")
    with pytest.raises(CommandError, match=r"known: .*ekart"):
        run_command("book_orders", path, "--company", "acme", "--courier", "dhl")
    Company.objects.create(slug="bare", name="Bare")
    with pytest.raises(CommandError, match="seed_courier ekart first"):
        run_command("book_orders", path, "--company", "bare", "--courier", "ekart")


def test_a_lost_answer_ends_in_doubt_and_exit_3(
    seeded: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from couriers_ekart.adapter import EkartAdapter

    def lose_answer(*_: Any) -> None:
        raise Unknown("read time-out")

    monkeypatch.setattr(EkartAdapter, "create_shipment", lose_answer)
    path = write_orders(tmp_path / "o.csv", {})
    with pytest.raises(SystemExit) as caught:
        book(path)
    assert caught.value.code == 3
    assert run_json("reconcile_bookings") == {
        "newly_in_doubt": 0, "asked": 0, "booked": 0, "not_booked": 0, "in_doubt": 1,
    }  # fmt: skip
    assert run_json("seed_couriers") == {"added": [], "known": ["delhivery", "ekart", "velocity"]}


def test_an_order_that_is_in_doubt_already_is_reported_in_doubt(
    account: Any, toy: Any, tmp_path: Path
) -> None:
    toy.on_create = raising(Unknown("lost"))
    path = write_orders(tmp_path / "orders.csv", {})
    draft = draft_of(read_file(path)[0], "toy")
    assert draft
    doubtful = protocol.book(account.company, draft, key="by hand").shipment
    done: list[Any] = []
    book_orders(account.company, "toy", read_file(path), workers=1, done=done.append)
    assert [(r.outcome, r.shipment_id) for r in done] == [("in_doubt", doubtful.pk)]


def test_the_rate_limiter_is_waited_for_as_long_as_it_takes(
    account: Any, toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LONGEST_PAUSE", 0.0)
    toy.on_create = raising(RateLimited("used up", retry_after=30), times=25)
    path = write_orders(tmp_path / "orders.csv", {})
    done: list[Any] = []
    book_orders(account.company, "toy", read_file(path), workers=1, done=done.append)
    assert [r.outcome for r in done] == ["booked"]


@pytest.mark.own_session
def test_an_interrupted_run_leaves_no_connection_open(account: Any, tmp_path: Path) -> None:
    lines = [{"order_number": f"A-{n}"} for n in range(40)]
    orders = read_file(write_orders(tmp_path / "orders.csv", *lines))

    def stop(_: ReportRow) -> None:
        raise KeyboardInterrupt

    before = open_sessions()
    with pytest.raises(KeyboardInterrupt):
        book_orders(account.company, "toy", orders, workers=8, done=stop)
    assert wait_until(lambda: open_sessions() <= before, 5)
    assert Shipment.objects.count() < 40
