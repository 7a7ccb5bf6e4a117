"""`manage.py count_performance`."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.operations import performance
from couriers.rates.performance import last_months

MAX_MONTHS = 120


class Command(output.PlatformCommand):
    """Counts the performance of couriers in the last months again. Run twice, it does no harm."""

    help = "Count what became of the shipments of each of the last months, by courier and lane."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--months",
            type=int,
            default=performance.MONTHS,
            help=f"how many months, this one included (default {performance.MONTHS})",
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        months = last_months(max(1, min(options["months"], MAX_MONTHS)))
        accounts = list(performance.live_accounts().order_by("pk"))
        with output.progress("Counting", len(accounts)) as advance:
            counted = 0
            for account in accounts:
                counted += performance.count_months([account], months)
                advance(1)
        output.finish(
            self,
            f"counted {len(months)} months of {len(accounts)} accounts",
            {"months": len(months), "accounts": len(accounts), "counted": counted},
            as_json=options["json"],
        )
