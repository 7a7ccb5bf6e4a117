"""`manage.py seed_courier COURIER --company SLUG`."""

import os
from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.models.addresses import NoAddress, callback_url
from couriers.operations.seeding import (
    BadInput,
    account_from,
    check_email,
    company_fields,
    limits_from,
    seed,
)


class Command(output.PlatformCommand):
    """Set up a company to ship with a courier; the login comes from the environment."""

    is_recorded = True
    help = "Set up a company, its account with a courier (from <COURIER>_…) and its warehouse."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("courier", help="the courier's code")
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--create", action="store_true", help="create the company, too")
        for name in ("name", "gstin", "address", "city", "state", "pincode", "phone"):
            parser.add_argument(f"--{name}", help="of the company, with --create")
        parser.add_argument(
            "--email", default="", help="of the default warehouse, which some couriers want"
        )
        parser.add_argument(
            "--limit",
            action="append",
            default=[],
            metavar="OP=N/Ns",
            help="a limit of this account, such as create_shipment=200/1s; may be repeated",
        )
        output.add_test(parser, "a test account: for the courier's staging system, or the sandbox")
        parser.add_argument("--new-key", action="store_true", help="create another API key")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        courier, slug = output.courier_named(options["courier"]), options["company"]
        try:
            callback_url(courier, "account")  # before an API key is made, which is shown once
            details = account_from(courier, os.environ)
            limits = limits_from(courier, options["limit"])
            fields = company_fields(options) if options["create"] else None
            check_email(options["email"])
            if fields is None:
                output.company_named(slug)
            seeded = seed(
                courier, slug, fields, details, limits,
                email=options["email"], is_test=options["test"], new_key=options["new_key"],
            )  # fmt: skip
        except (BadInput, NoAddress) as error:
            raise output.usage_error(str(error)) from None
        account = seeded.account
        url = account.webhook_url
        key = seeded.api_key or "unchanged (--new-key creates another)"
        kind = "test account" if account.is_test else "account"
        output.finish(
            self,
            f"{slug}: {kind} {account.pk}, callbacks at {url}, API key {key}",
            {
                "company": slug,
                "account_id": account.pk,
                "api_key": seeded.api_key,
                "webhook_url": url,
                "webhook_secret_set": bool(account.webhook_secret),
            },
            as_json=options["json"],
        )
