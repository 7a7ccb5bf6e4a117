"""`manage.py reconcile_bookings`."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.booking.leases import expire_leases
from couriers.contract.statuses import Status
from couriers.management import output
from couriers.models import Shipment


class Command(output.PlatformCommand):
    """Puts bookings whose lease has run out in doubt. It books and releases nothing."""

    help = "Put in doubt every booking whose lease has run out."

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        newly = expire_leases()
        in_doubt = Shipment.objects.filter(status=Status.IN_DOUBT).count()
        output.finish(
            self,
            f"{newly} newly in doubt, {in_doubt} in doubt in all",
            {"newly_in_doubt": newly, "in_doubt": in_doubt},
            as_json=options["json"],
        )
