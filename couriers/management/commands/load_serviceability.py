"""`manage.py load_serviceability --courier CODE [--company SLUG]`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from couriers.contract.adapter import Capability
from couriers.contract.errors import CourierError
from couriers.contract.registry import CourierFactory
from couriers.management import output
from couriers.models import CourierAccount
from couriers.models.account import Rollout
from couriers.rates import serviceability
from couriers.resilience import waits

EXIT_FAILED = 3


class Command(output.PlatformCommand):
    """Loads a courier's list of pincodes. Run again, it brings the list up to date."""

    is_recorded = True
    help = "Load a courier's list of pincodes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--courier", required=True)
        parser.add_argument(
            "--company", metavar="SLUG", help="the company whose account is used; default: any"
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        courier = output.courier_named(options["courier"])
        adapter = CourierFactory.adapter_class(courier)
        if Capability.BULK_SERVICEABILITY not in adapter.capabilities:
            raise output.usage_error(f"{adapter.name} has no list of pincodes")
        account = _account(courier, options["company"])
        try:
            with output.progress("Loading", None) as advance, waits.allow_long_waits():
                loaded = serviceability.load_pincodes(account, advance)
        except CourierError as error:
            self.stderr.write(f"The list broke off. The rest of the old list is kept: {error}")
            sys.exit(EXIT_FAILED)
        output.finish(
            self,
            f"{loaded.pincodes} pincodes loaded, {loaded.dropped} dropped, "
            f"{loaded.unreadable} lines without a pincode",
            {
                "courier": courier,
                "pincodes": loaded.pincodes,
                "dropped": loaded.dropped,
                "unreadable": loaded.unreadable,
            },
            as_json=options["json"],
        )


def _account(courier: str, slug: str | None) -> CourierAccount:
    if slug:
        return output.account_named(output.company_named(slug), courier)
    account = (
        CourierAccount.objects.filter(courier=courier)
        .exclude(rollout=Rollout.OFF)
        .order_by("is_test", "pk")  # a staging system's list is taken only where there is no other
        .first()
    )
    if account is None:
        raise output.usage_error(
            f"no company has an account with {courier}: run seed_{courier} first"
        )
    return account
