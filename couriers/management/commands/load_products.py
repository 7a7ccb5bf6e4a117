"""`manage.py load_products FILE.csv --company SLUG [--json]`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from couriers.booking.spreadsheet import FileUnusable
from couriers.booking.spreadsheet.table import read_content
from couriers.management import output
from couriers.operations.products import MAX_BYTES, FileRefused, load_products


class Command(output.PlatformCommand):
    """Loads the products of a company. Run again, it brings them up to date."""

    help = "Load the products of a company from a spreadsheet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--company", metavar="SLUG", required=True)
        output.add_test(parser, "products of test orders")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        company = output.company_named(options["company"])
        path: Path = options["file"]
        try:
            content = read_content(path, MAX_BYTES + 1)
            with output.progress("Loading", None) as advance:
                loaded = load_products(
                    company, str(path), content, advance, is_test=options["test"]
                )
        except FileUnusable as error:
            raise output.usage_error(str(error)) from None
        except FileRefused as refusal:
            for line in refusal.lines():
                self.stderr.write(line)
            raise output.usage_error(f"{path}: nothing was stored") from None
        counts = {"products": loaded.total} | dataclasses.asdict(loaded)
        output.finish(self, str(loaded), counts, as_json=options["json"])
