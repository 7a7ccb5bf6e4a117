"""`manage.py erase_consignee`."""

import dataclasses
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from couriers.contract import india
from couriers.management import output
from couriers.operations.erasure_requests import (
    Erased,
    ErasureRequest,
    FoundBy,
    erase_requested,
)

EXIT_LEFT = 3


class Command(BaseCommand):
    """Erases a consignee at once. Run again, it erases what has ended since."""

    help = (
        "Erase the personal data of an order's or a phone's shipments that have ended. Those under "
        "way are named and left (exit code 3): run it again after their end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--order", metavar="NUMBER", help="an order number, with its returns")
        chosen.add_argument("--phone", metavar="NUMBER", help="a phone, in any usual notation")
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would be erased"
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        request = _request(options)
        found = request.shipments().count()
        if request.found_by is FoundBy.ORDER and not (
            found or request.pending_orders() or request.ended_orders().exists()
        ):
            raise output.usage_error(f"{request.company.slug} has no order {request.value}")
        with output.progress("Erasing", found) as advance:
            done = erase_requested(request, dry_run=options["dry_run"], progress=advance)
        output.finish(
            self,
            _summary(done, dry_run=options["dry_run"]),
            _data(done),
            as_json=options["json"],
        )
        if (done.live or done.unsearchable) and not options["dry_run"]:
            sys.exit(EXIT_LEFT)


def _request(options: dict[str, Any]) -> ErasureRequest:
    company = output.company_named(options["company"])
    if options["order"] is not None:
        return ErasureRequest(company, FoundBy.ORDER, options["order"].strip())
    if problem := india.single_phone_problem(options["phone"]):
        raise output.usage_error(f"--phone {problem}")
    return ErasureRequest(company, FoundBy.PHONE, india.parse_phone(options["phone"]) or "")


def _data(done: Erased) -> dict[str, Any]:
    data = dataclasses.asdict(done)
    return data | data.pop("elsewhere")


def _summary(done: Erased, *, dry_run: bool) -> str:
    erased = "to be erased" if dry_run else "erased"
    parts = [
        f"{done.shipments} shipments: {done.erased} {erased}, {done.already_erased} erased before",
        *(f"{count} {name.replace('_', ' ')}" for name, count in done.elsewhere.items()),
    ]
    if done.bulk_orders:
        parts.append(f"{done.bulk_orders} orders of bulk jobs")
    if done.live:
        names = ", ".join(f"{one['order_number']} ({one['status']})" for one in done.live)
        parts.append(f"{len(done.live)} left, being under way: {names}")
    if done.unsearchable:
        parts.append(
            f"{done.unsearchable} whose phone cannot be read, and may be this one: run rotate_keys"
        )
    return "; ".join(parts)
