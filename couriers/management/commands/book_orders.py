"""`manage.py book_orders FILE.csv --company SLUG --courier COURIER`."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from couriers.booking.spreadsheet import (
    FileUnusable,
    OrderLines,
    ReportRow,
    book_orders,
    check_report,
    read_file,
    write_report,
)
from couriers.management import output
from couriers.models.job import ENDED, OrderOutcome

EXIT_UNSETTLED = 3


class Command(BaseCommand):
    """Books every order of a file once. Run again, it reports the orders as already booked."""

    help = "Book the orders of a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--courier", required=True)
        parser.add_argument(
            "--report", type=Path, metavar="OUT.csv", help="write a row for each order"
        )
        output.add_workers(parser, default=8)
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        workers = output.workers_from(options)
        company = output.company_named(options["company"])
        courier = output.courier_named(options["courier"])
        report: Path | None = options["report"]
        output.account_named(company, courier)
        try:
            orders = read_file(options["file"])
            if report:
                check_report(report)
        except FileUnusable as error:
            raise output.usage_error(str(error)) from None

        rows: list[ReportRow] = []
        with output.progress("Booking", len(orders)) as advance:

            def done(row: ReportRow) -> None:
                rows.append(row)
                advance()

            try:
                book_orders(company, courier, orders, workers=workers, done=done)
            finally:
                if report:
                    write_report(report, _in_order_of_file(rows, orders))
        counts = Counter(row.outcome for row in rows)
        by_outcome = {outcome.value: counts[outcome] for outcome in ENDED}
        output.finish(
            self,
            f"{len(rows)} orders: {output.counts_text(by_outcome)}",
            {"orders": len(rows)} | by_outcome,
            as_json=options["json"],
        )
        if counts[OrderOutcome.IN_DOUBT] or counts[OrderOutcome.FAILED]:
            sys.exit(EXIT_UNSETTLED)


def _in_order_of_file(rows: list[ReportRow], orders: list[OrderLines]) -> list[ReportRow]:
    position = {order.order_number: number for number, order in enumerate(orders)}
    return sorted(rows, key=lambda row: position[row.order_number])
