"""Public ids: they sort by time, and nobody guesses one from another."""

from __future__ import annotations

import time

from ulid import ULID

from couriers.models.ids import new_shipment_id


def number(public_id: str) -> ULID:
    return ULID.from_str(public_id.removeprefix("shp_").upper())


def test_ids_of_one_millisecond_cannot_be_counted_on() -> None:
    made = [number(new_shipment_id()) for _ in range(500)]
    assert len({ulid.milliseconds for ulid in made}) < len(made)
    assert len({ulid.bytes[6:14] for ulid in made}) == len(made)


def test_an_id_sorts_after_those_of_earlier_milliseconds() -> None:
    made = []
    for _ in range(5):
        made.append(new_shipment_id())
        time.sleep(0.002)
    assert made == sorted(made)
