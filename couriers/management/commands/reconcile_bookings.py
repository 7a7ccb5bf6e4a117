"""`manage.py reconcile_bookings`."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.booking.going_on import go_on_due
from couriers.booking.inquiries import ask_about_doubts
from couriers.booking.leases import expire_leases
from couriers.contract.statuses import Status
from couriers.management import output
from couriers.models import Shipment

MAX_SECONDS = 600.0  # for asking couriers


class Command(output.PlatformCommand):
    """Puts bookings whose lease has run out in doubt, asks couriers about doubts, and goes on."""

    help = (
        "Put in doubt every booking whose lease has run out, and ask the couriers that can be "
        "asked about the doubts that are due. Then ask the next courier where a rule says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        newly = expire_leases()
        doubts = Shipment.objects.filter(status=Status.IN_DOUBT)
        with output.progress("Asking couriers", doubts.count()) as advance:
            asked = ask_about_doubts(MAX_SECONDS, advance)
        go_on_due(MAX_SECONDS)
        in_doubt = doubts.count()
        output.finish(
            self,
            f"{newly} newly in doubt, {asked.asked} asked about, {asked.booked} found booked, "
            f"{asked.not_booked} found not booked, {in_doubt} in doubt in all",
            {
                "newly_in_doubt": newly,
                "asked": asked.asked,
                "booked": asked.booked,
                "not_booked": asked.not_booked,
                "in_doubt": in_doubt,
            },
            as_json=options["json"],
        )
