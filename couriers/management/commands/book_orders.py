"""`manage.py book_orders FILE.csv --company SLUG --courier COURIER`."""

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from couriers.booking.spreadsheet import (
    FORMAT_NAMES,
    FileUnusable,
    ReportRow,
    book_orders,
    check_report,
    read_defaults,
    read_file,
    template_text,
    write_report,
    write_template,
)
from couriers.management import output
from couriers.models.job import ENDED, OrderOutcome

EXIT_UNSETTLED = 3


class Command(output.PlatformCommand):
    """Books every order of a file once. Run again, it reports the orders as already booked."""

    is_recorded = True
    help = "Book the orders of a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", metavar="FILE.csv")
        parser.add_argument("--company", metavar="SLUG")
        parser.add_argument(
            "--courier",
            metavar="CODE|auto",
            help="who carries orders whose rows name none; auto: the company's rules choose",
        )
        parser.add_argument(
            "--format",
            choices=["auto", *FORMAT_NAMES],
            default="auto",
            help="the shop that wrote the file; default: as its headings show",
        )
        parser.add_argument(
            "--default",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="what neither the file nor the company's products tell, like gst_rate=5",
        )
        parser.add_argument(
            "--ignore-columns",
            action="append",
            default=[],
            metavar="A,B",
            help="columns of the file that are not to be read",
        )
        parser.add_argument(
            "--rebook",
            action="store_true",
            help="book each order once more whose shipment has ended, as by a cancellation",
        )
        parser.add_argument(
            "--template",
            action="store_true",
            help="write an empty file with an example to FILE.csv or the standard output, and end",
        )
        parser.add_argument(
            "--report", type=Path, metavar="OUT.csv", help="write a row for each order"
        )
        output.add_test(parser, "book with the company's test account, for no parcel")
        output.add_workers(parser, default=8)
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["template"]:
            self._write_template(options["file"])
            return
        _require(options, "file", "--company", "--courier")
        workers = output.workers_from(options)
        company = output.company_named(options["company"])
        report: Path | None = options["report"]
        courier = output.courier_or_auto(company, options["courier"], is_test=options["test"])
        try:
            defaults = read_defaults(options["default"])
            orders = read_file(
                options["file"],
                format_name=options["format"],
                ignored=_names(options["ignore_columns"]),
                filled=defaults,
                note=self.stderr.write,
            )
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
                book_orders(
                    company,
                    courier,
                    orders,
                    workers=workers,
                    done=done,
                    defaults=defaults,
                    is_test=options["test"],
                    rebook=options["rebook"],
                )
            finally:
                if report:
                    write_report(report, sorted(rows, key=lambda row: row.row))
        self._finish(rows, as_json=options["json"])

    def _write_template(self, path: Path | None) -> None:
        if path is None:
            self.stdout.write(template_text(), ending="")
            return
        try:
            write_template(path)
        except FileUnusable as error:
            raise output.usage_error(str(error)) from None

    def _finish(self, rows: list[ReportRow], *, as_json: bool) -> None:
        counts = Counter(row.outcome for row in rows)
        by_outcome = {outcome.value: counts[outcome] for outcome in ENDED}
        output.finish(
            self,
            f"{len(rows)} orders: {output.counts_text(by_outcome)}",
            {"orders": len(rows)} | by_outcome,
            as_json=as_json,
        )
        if counts[OrderOutcome.IN_DOUBT] or counts[OrderOutcome.FAILED]:
            sys.exit(EXIT_UNSETTLED)


def _require(options: Mapping[str, Any], *names: str) -> None:
    """Raise CommandError, naming the arguments that are missing and are not for a template."""
    missing = [name for name in names if options[name.removeprefix("--")] is None]
    if missing:
        raise output.usage_error(f"missing: {', '.join(missing)} (or --template)")


def _names(lists: list[str]) -> list[str]:
    """Return the headings of comma-separated lists."""
    return [name.strip() for text in lists for name in text.split(",") if name.strip()]
