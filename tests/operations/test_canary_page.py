"""The page on canaries: its commands run in its order, and its thresholds are the code's."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from couriers.models import AuditEntry, Courier
from couriers.operations.canary_thresholds import Thresholds
from tests.support.canaries import make_good_canary
from tests.support.factories import CompanyFactory, CourierAccountFactory, WarehouseFactory

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "canary.md").read_text()


def commands() -> list[list[str]]:
    """The arguments of each command of the page after `manage.py`."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[3:] for line in lines if line.startswith("$ ")]


@pytest.fixture
def pilots(db: None) -> list[Any]:
    """The accounts of the two companies of the page, after a good day with enough in each hour."""
    accounts = []
    for slug in ("acme", "bharat"):
        account = CourierAccountFactory(company=CompanyFactory(slug=slug))
        WarehouseFactory(company=account.company)
        make_good_canary(account, bookings=180, callbacks=180)
        accounts.append(account)
    return accounts


def test_the_commands_of_the_page_run_in_its_order(pilots: list[Any]) -> None:
    states = []
    reports = 0
    for arguments in commands():
        call_command(*arguments)
        reports += arguments[0] == "canary_report"
        courier = Courier.objects.get()
        states.append((courier.rollout, courier.rollout_percentage))
    assert reports == 3
    assert list(dict.fromkeys(states)) == [
        ("off", 0), ("companies", 0), ("percentage", 5), ("percentage", 20), ("percentage", 50),
        ("all", 0), ("percentage", 0),
    ]  # fmt: skip
    assert AuditEntry.objects.filter(action="change_rollout").count() == 9
    named = Courier.objects.get().rollout_companies.values_list("slug", flat=True)
    assert set(named) == {"acme", "bharat"}


def test_the_report_of_a_bad_day_stops_the_plan(pilots: list[Any]) -> None:
    (report,) = [a for a in commands() if a[0] == "canary_report" and a[-1] == "--json"]
    for account in pilots:
        account.shipments.update(status="failed", tracking_id="")
    with pytest.raises(SystemExit) as caught:
        call_command(*report)
    assert caught.value.code == 1


def test_the_table_has_every_threshold_with_its_default() -> None:
    table = PAGE[PAGE.index("| figure | go |") : PAGE.index("The alerts are those")]
    rows = re.findall(r"\| ([^|]+) \| `(\w+)` \|", table)
    written = {name: float(re.findall(r"[\d.]+", go)[0]) for go, name in rows}
    assert written == {f.name: f.default for f in dataclasses.fields(Thresholds)}
