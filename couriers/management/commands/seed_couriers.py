"""`manage.py seed_couriers`: the catalogue of couriers."""

from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.operations.catalogue import seed_catalogue


class Command(output.PlatformCommand):
    """Adds a row for every courier that a plug-in registered. Existing rows are not changed."""

    is_recorded = True
    help = "Enter every installed courier in the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        added, known = seed_catalogue()
        output.finish(
            self,
            f"{len(added) + len(known)} couriers: {len(added)} added, {len(known)} known already",
            {"added": added, "known": known},
            as_json=options["json"],
        )
