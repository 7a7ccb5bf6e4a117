"""Public ids sort by time and cannot be guessed from each other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from ulid import ULID

from couriers.models import ids
from couriers.models.ids import new_shipment_id


def number(public_id: str) -> ULID:
    return ULID.from_str(public_id.removeprefix("shp_").upper())


def test_ids_of_one_millisecond_have_independent_random_bits() -> None:
    made = [number(new_shipment_id()) for _ in range(500)]
    assert len({ulid.milliseconds for ulid in made}) < len(made)
    assert len({ulid.bytes[6:14] for ulid in made}) == len(made)


def test_an_id_sorts_after_those_of_earlier_milliseconds() -> None:
    made = []
    for _ in range(5):
        made.append(new_shipment_id())
        time.sleep(0.002)
    assert made == sorted(made)


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (ids.new_account_id, "acc"), (ids.new_warehouse_id, "whs"), (ids.new_shipment_id, "shp"),
        (ids.new_manifest_id, "mft"), (ids.new_job_id, "job"),
    ],
)  # fmt: skip
def test_an_id_has_the_prefix_of_its_kind_of_row(make: Callable[[], str], prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}_[0-9a-z]{{26}}", make())
