"""Compares the couriers' own lists of shipments with what is stored and what was answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sandbox.process import SandboxProcess
from tests.chaos.report import BookingReport

# Statuses of a booking of which it is not yet known how it ended.
OPEN = ("booking", "in_doubt")
_STORED = """
SELECT shipment.order_number, shipment.courier_id, shipment.status, shipment.tracking_id,
    (SELECT string_agg(kind, ', ') FROM shipcrowd_couriers_shipmentflag
     WHERE shipment_id = shipment.id AND cleared_at IS NULL)
FROM shipcrowd_couriers_shipment AS shipment
"""
Parcel = tuple[str, str]  # the courier's code and the tracking id


@dataclass(frozen=True, slots=True)
class Stored:
    """An order's shipment in the platform's database. An order without one is `missing`."""

    courier: str = ""
    status: str = "missing"
    tracking_id: str = ""
    flags: str | None = None


def at_couriers(sandboxes: Mapping[str, SandboxProcess]) -> dict[str, list[Parcel]]:
    """Return what each order really has at all couriers."""
    parcels: dict[str, list[Parcel]] = defaultdict(list)
    for code, sandbox in sandboxes.items():
        for shipment in sandbox.shipments():
            parcels[shipment["order_number"]].append((code, shipment["tracking_id"]))
    return parcels


def stored_bookings(database: str) -> dict[str, Stored]:
    """Return the platform's shipments by order number."""
    with psycopg.connect(database) as connection:
        return {number: Stored(*columns) for number, *columns in connection.execute(_STORED)}


class Comparison:
    """The orders of a run, and what each side knows of them."""

    def __init__(
        self,
        parcels: Mapping[str, Sequence[Parcel]],
        stored: Mapping[str, Stored],
        results: Sequence[Mapping[str, Any]],
    ) -> None:
        self._parcels = parcels
        self._stored = stored
        self._answered = {n: given for one in results for n, given in one["booked"].items()}
        self._refused = {n: given for one in results for n, given in one["refused"].items()}

    def fill(self, report: BookingReport, order_numbers: Iterable[str]) -> None:
        """Count in the report, and name in its `wrong`, what the sides do not agree about."""
        for parcels in self._parcels.values():
            report.duplicates += len(parcels) - 1
            report.at_two_couriers += len({courier for courier, _ in parcels}) > 1
        report.refused = len(self._refused)
        for number in order_numbers:
            self._compare(report, number)

    def _compare(self, report: BookingReport, number: str) -> None:
        stored, parcels = self._stored.get(number, Stored()), self._parcels.get(number, ())
        told_so = number in self._refused
        if stored.status in OPEN:
            report.unsettled += 1
        elif told_so and not parcels and stored.status in ("failed", "missing"):
            pass  # nowhere, and the storefront knows it
        elif stored.status != "booked" or not parcels:
            report.lost += 1
            report.wrong.append(f"{number} is {stored}, and at couriers {parcels}")
        else:
            report.booked += 1
            report.booked_by[stored.courier] += 1
        if stored.status == "booked" and (stored.courier, stored.tracking_id) not in parcels:
            report.unknown_to_courier += 1
        if stored.flags:
            report.wrong.append(f"{number} is flagged: {stored.flags}")
        if self._answered.get(number, "") != stored.tracking_id:
            report.wrong.append(
                f"{number}: the storefront was answered {self._answered.get(number)}, "
                f"stored is {stored.tracking_id}"
            )
