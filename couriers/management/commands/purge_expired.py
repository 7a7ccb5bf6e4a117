"""`manage.py purge_expired`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from couriers.management import output
from couriers.operations import retention


class Command(BaseCommand):
    """Deletes rows whose retention time is over. Run again, it deletes what expired since."""

    help = "Delete expired idempotency keys, callbacks, calls and secrets, in small batches."

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        total = sum(kind.expired().order_by().count() for kind in retention.rules())
        with output.progress("Deleting", total) as advance:
            purged = retention.purge(progress=advance)
        output.finish(
            self,
            f"deleted: {output.counts_text(purged.counts)}",
            purged.counts,
            as_json=options["json"],
        )
