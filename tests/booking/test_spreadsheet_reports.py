"""The report of a spreadsheet: in the file's own words, and the same when the file is run again."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from couriers.booking import bulk
from couriers.booking.bulk import OrderResult
from couriers.booking.spreadsheet import book_orders, read_file
from couriers.contract.errors import FieldProblem, Rejected
from couriers.contract.types import ShipmentDraft
from couriers.models import Shipment
from couriers.models.job import OrderOutcome
from tests.support.commands import run_command, run_json
from tests.support.drafts import raising
from tests.support.spreadsheets import DEFAULTS, ROW, book_file, drafts_of, write_orders

pytestmark = pytest.mark.django_db(transaction=True)

EXPORTS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "exports"


def test_a_problem_that_the_booking_finds_names_the_cell(account: Any, tmp_path: Path) -> None:
    path = write_orders(
        tmp_path / "orders.csv",
        {},
        {"product": "K" * 201},
        {"order_number": "A-2", "length_cm": "0"},
        {"order_number": "A-3", "pincode": "5600"},
        {"order_number": "A-4", "consignee_name": ""},
    )
    reasons = {number: row.reason for number, row in book_file(account.company, path).items()}
    assert reasons["A-1"].startswith('row 3, column "product": read "KKKK')
    assert "longer than 200" in reasons["A-1"]
    assert reasons["A-2"].startswith('row 4, column "length_cm": read "0", ')
    assert reasons["A-3"].startswith('row 5, column "pincode": read "5600", ')
    assert reasons["A-4"] == 'row 6, column "consignee_name": is missing'


def test_a_couriers_refusal_keeps_its_words(account: Any, toy: Any, tmp_path: Path) -> None:
    toy.on_create = raising(Rejected("no", courier_message="Wallet is empty"))
    row = book_file(account.company, write_orders(tmp_path / "orders.csv", {}))["A-1"]
    assert row.outcome == "rejected"
    assert "Wallet is empty" in row.reason


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("consignee.address", 'row 2, column "address": read "1 Example Street", differs'),
        ("cod_amount", 'row 2, column "order_value": read "1149", differs'),
        ("items[1].quantity", 'row 3, column "quantity": read "1", differs'),
        ("items", 'rows 2, 3, column "order_value": differs'),
        ("parcel.weight_g", 'row 2, column "unit_weight_g": read "320", differs'),
        ("consignee", "row 2: differs"),
        ("items[1].colour", "row 3: differs"),
        ("courier", "courier: differs"),
    ],
)
def test_the_fields_of_the_engine_are_the_cells_of_the_file(
    account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, reason: str
) -> None:
    def refuse(company: Any, number: str, read: Any, **_: Any) -> OrderResult:
        assert isinstance(read(), ShipmentDraft)
        return OrderResult(OrderOutcome.REJECTED, problems=(FieldProblem(field, "differs"),))

    monkeypatch.setattr(bulk, "book_order", refuse)
    path = write_orders(tmp_path / "orders.csv", {}, {"product": "Socks"})
    assert book_file(account.company, path)["A-1"].reason == reason


def test_the_warnings_of_a_booked_order_are_in_its_reason(account: Any, tmp_path: Path) -> None:
    path = write_orders(tmp_path / "orders.csv", {})
    book_file(account.company, path)
    warning = {"field": "consignee.pincode", "code": "unknown", "message": "is not known"}
    Shipment.objects.update(warnings=[warning])
    row = book_file(account.company, path)["A-1"]
    assert row.outcome == "already_booked"
    assert row.reason == 'booked; row 2, column "pincode": read "560034", is not known'


def test_an_ended_order_is_rejected_with_the_remedy_and_booked_once_more_with_it(
    account: Any, toy: Any, tmp_path: Path
) -> None:
    path = write_orders(tmp_path / "orders.csv", {})
    report = tmp_path / "report.csv"
    flags = (
        "book_orders", str(path), "--company", account.company.slug, "--courier", "toy",
        "--report", str(report),
    )  # fmt: skip
    assert run_json(*flags)["booked"] == 1
    ended = Shipment.objects.get()
    Shipment.objects.update(status="cancelled")
    assert run_json(*flags)["rejected"] == 1
    with report.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["reason"] == (
        f"the order's shipment {ended.pk} has ended (cancelled); book it once more with --rebook"
    )
    assert run_json(*flags, "--rebook")["booked"] == 1
    assert run_json(*flags, "--rebook")["already_booked"] == 1
    assert toy.booked == ["A-1", "A-1"]


def test_an_order_with_other_content_is_rejected_by_the_columns_of_the_file(
    account: Any, toy: Any, tmp_path: Path
) -> None:
    path = write_orders(tmp_path / "orders.csv", {})
    assert book_file(account.company, path)["A-1"].outcome == "booked"
    path = write_orders(tmp_path / "orders.csv", {"address": "2 Other Street", "order_value": "9"})
    row = book_file(account.company, path)["A-1"]
    assert row.outcome == "rejected"
    for column in ("address", "order_value"):
        assert f'row 2, column "{column}": ' in row.reason
    assert toy.booked == ["A-1"]


def test_an_interrupted_run_is_ended_by_the_next_also_under_another_name(
    account: Any, toy: Any, tmp_path: Path
) -> None:
    lines = [{"order_number": f"A-{n}", "pincode": "5600" if n == 7 else "560034"}
             for n in range(20)]  # fmt: skip
    path = write_orders(tmp_path / "orders.csv", *lines)
    done: list[Any] = []

    def interrupt(row: Any) -> None:
        done.append(row)
        if len(done) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        book_orders(account.company, "toy", read_file(path), workers=2, done=interrupt)
    booked = Shipment.objects.count()
    assert 0 < booked < 19
    reports = []
    for name in ("again.csv", "renamed.csv"):
        path = path.rename(tmp_path / name)
        reports.append(book_file(account.company, path))
    assert len(toy.booked) == len(set(toy.booked)) == 19
    first, second = reports
    assert [row.outcome for row in first.values()].count("already_booked") == booked
    for number, row in second.items():
        assert row.outcome == ("rejected" if number == "A-7" else "already_booked")
        assert row.shipment_id == first[number].shipment_id
    assert second["A-7"] == first["A-7"]


def test_the_command_reports_in_the_order_of_the_file(account: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    flags = ["--company", account.company.slug, "--courier", "toy", "--report", str(report)]
    defaults = [word for value in DEFAULTS for word in ("--default", value)]
    counts = run_json("book_orders", str(EXPORTS / "shopify-mixed.csv"), *flags, *defaults)
    assert (counts["orders"], counts["booked"], counts["skipped"]) == (5, 3, 2)
    with report.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["order_number", "outcome", "courier", "tracking_id", "shipment_id",
                             "reason"]  # fmt: skip
    assert [row["order_number"] for row in rows] == [f"#300{n}" for n in range(1, 6)]
    assert {row["courier"] for row in rows if row["outcome"] == "booked"} == {"toy"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--ignore-columns", "nothing"], 'has no column "nothing"'),
        (["--default", "colour=red"], "default colour: must be one of"),
        (["--format", "amazon"], "Amazon's report of orders does not have"),
    ],
)
def test_an_argument_that_cannot_be_used_ends_with_exit_2(
    account: Any, tmp_path: Path, flags: list[str], words: str
) -> None:
    path = str(write_orders(tmp_path / "orders.csv", {}))
    with pytest.raises(CommandError) as caught:
        run_command("book_orders", path, "--company", account.company.slug, "--courier", "toy",
                    *flags)  # fmt: skip
    assert caught.value.returncode == 2
    assert words in str(caught.value)


def test_the_template_needs_no_company_and_overwrites_nothing(account: Any, tmp_path: Path) -> None:
    text = run_command("book_orders", "--template")
    path = tmp_path / "template.csv"
    run_command("book_orders", str(path), "--template")
    run_command("book_orders", str(path), "--template")
    assert path.read_text() == text
    flags = ("--company", account.company.slug, "--courier", "toy")
    with pytest.raises(CommandError, match="has no orders") as caught:
        run_command("book_orders", str(path), *flags)
    assert caught.value.returncode == 2
    path.write_text("my orders")
    with pytest.raises(CommandError, match="is there already, and is not overwritten") as caught:
        run_command("book_orders", str(path), "--template")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="missing: file, --courier"):
        run_command("book_orders", "--company", "x")


def test_another_order_under_a_booked_number_is_rejected(account: Any, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    book_file(account.company, write_orders(path, {}))
    other = {"consignee_name": "Ravi Specimen", "pincode": "570001", "order_value": "2499"}
    row = book_file(account.company, write_orders(path, other))["A-1"]
    assert row.outcome == "rejected"
    assert "consignee" in row.reason
    assert Shipment.objects.get().consignee_name == "Asha Sample"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text_in_any_cell_gives_a_row_and_never_an_exception(
    tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["own", *sorted(path.name for path in EXPORTS.iterdir())]))
    source = EXPORTS / name
    if name == "own":
        source = write_orders(tmp_path / "own.csv", {}, ROW | {"order_number": "A-2"})
    content = source.read_bytes()
    text = content.decode("utf-16" if content[:2] == b"\xff\xfe" else "utf-8-sig")
    separator = "\t" if name.endswith(".txt") else ";" if text.startswith("sep=;") else ","
    rows = list(csv.reader(text.removeprefix("sep=;\n").splitlines(), delimiter=separator))
    row = data.draw(st.sampled_from(rows[1:]))
    for _ in range(data.draw(st.integers(1, 3))):
        row[data.draw(st.integers(0, len(row) - 1))] = (
            data.draw(st.text(st.characters(codec="utf-8")) | st.from_regex(r"-?[0-9.,e+]{1,12}%?"))
            .replace("\r", "")
            .replace("\n", " ")
        )
    path = tmp_path / "any.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = drafts_of(path, defaults=DEFAULTS)
    assert found
    assert all(isinstance(outcome, ShipmentDraft) or outcome for outcome in found.values())
