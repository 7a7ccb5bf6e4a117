"""`manage.py count_day_figures`."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.operations import day_figures

MAX_DAYS = 3660


class Command(output.PlatformCommand):
    """Counts the figures of the last days again. Run twice, it does no harm."""

    help = "Count the figures that the first page of the admin draws, for each of the last days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=int,
            default=day_figures.DAYS,
            help=f"how many days, today included (default {day_figures.DAYS})",
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        days = day_figures.last_days(max(1, min(options["days"], MAX_DAYS)))
        with output.progress("Counting", len(days)) as advance:
            counted = 0
            for day in days:
                counted += day_figures.count_day(day)
                advance(1)
        output.finish(self, f"counted {counted} days", {"days": counted}, as_json=options["json"])
