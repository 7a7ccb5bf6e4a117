"""Which shipments somebody has to decide or to do something about, by the work lists' definitions.

A storefront's filter takes them from here. The work lists of operators have more: what failed on
the platform concerns no single shipment.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from couriers.models import Shipment, ShipmentFlag
from couriers.operations.worklists import worklist

OF_SHIPMENTS = ("doubts", "ndr", "not-picked")


def needing_action(shipments: QuerySet[Shipment]) -> QuerySet[Shipment, str]:
    """Return the ids of those of the shipments that need somebody.

    They are a union: with an OR across two tables PostgreSQL would read all of the shipments.
    """
    status = Q()
    for name in OF_SHIPMENTS:
        status |= worklist(name).select()
    rows = shipments.order_by()
    open_flags = ShipmentFlag.objects.filter(worklist("flags").select())
    flagged = rows.filter(pk__in=open_flags.order_by().values("shipment_id"))
    return (
        rows.filter(status).values_list("pk", flat=True).union(flagged.values_list("pk", flat=True))
    )
