"""`manage.py purge_expired`."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.operations import retention


class Command(output.PlatformCommand):
    """Deletes and erases what has been kept long enough. Run again, it does so with the rest."""

    help = (
        "Delete expired idempotency keys, callbacks, calls, pickups and secrets, and erase the "
        "consignees of shipments that ended long ago, and delete test shipments, in small batches."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        total = sum(kind.expired().order_by().count() for kind in retention.rules())
        with output.progress("Deleting", total) as advance:
            purged = retention.purge(progress=advance)
        output.finish(
            self,
            f"deleted or erased: {output.counts_text(purged.counts)}",
            purged.counts,
            as_json=options["json"],
        )
