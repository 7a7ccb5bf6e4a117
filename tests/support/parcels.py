"""Many booked shipments, inserted by one statement."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from django.db import connection

from couriers.models import CourierAccount, Shipment
from couriers.models.ids import new_shipment_id
from tests.support.factories import ShipmentFactory

BOOKED_AT = dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC)
_numbers = itertools.count()


def make_shipments(account: CourierAccount, count: int, **fields: Any) -> list[str]:
    """Insert booked shipments as copies of one; return their ids."""
    numbers = [f"M-{next(_numbers)}" for _ in range(count)]
    own = {"booked_at": BOOKED_AT, "order_number": numbers[0], "tracking_id": f"T{numbers[0]}"}
    one = ShipmentFactory.build(
        account=account, company=account.company, warehouse=account.company.warehouses.first(),
        courier_id=account.courier_id, **own | fields,
    )  # fmt: skip
    one.save(force_insert=True)
    ids = [one.pk, *(new_shipment_id() for _ in range(count - 1))]
    new = {"id": "new.id", "order_number": "new.number", "tracking_id": "'T' || new.number"}
    columns = [field.column for field in Shipment._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Shipment._meta.db_table} ({', '.join(columns)})"
            f" SELECT {', '.join(new.get(name, f'one.{name}') for name in columns)}"
            f" FROM {Shipment._meta.db_table} AS one,"
            " unnest(%s::text[], %s::text[]) AS new (id, number) WHERE one.id = %s",
            [ids[1:], numbers[1:], one.pk],
        )
    return ids


def make_parcels(account: CourierAccount, count: int) -> list[str]:
    """Insert booked shipments; return their tracking ids."""
    ids = make_shipments(account, count)
    return list(
        Shipment.objects.filter(pk__in=ids).order_by("id").values_list("tracking_id", flat=True)
    )
