"""`manage.py courier_rollout COURIER --percentage N|--company SLUG …|--all|--off --reason …`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from couriers.contract.errors import InvalidRequest
from couriers.management import output
from couriers.models import Courier
from couriers.models.rollout import CourierRollout
from couriers.operations.rollouts import RolloutChange, change_rollout, count_enabled


class Command(output.PlatformCommand):
    """Sets which companies may book with a courier. Run again, it changes nothing."""

    help = "Set which companies may book with a courier. Shipments that exist are served as before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("courier", help="the courier's code")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument(
            "--percentage",
            type=int,
            metavar="N",
            help="the named companies and N per cent of all; 0: no company, named or not",
        )
        who.add_argument(
            "--company",
            nargs="+",
            action="extend",
            metavar="SLUG",
            help="these companies and no other; may be repeated",
        )
        who.add_argument("--all", action="store_true", help="all companies")
        who.add_argument("--off", action="store_true", help="no company")
        parser.add_argument("--reason", required=True, help="for the audit log")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = output.courier_named(options["courier"])
        try:
            change = change_rollout(
                code,
                _rollout_of(options),
                percentage=options["percentage"] or 0,
                companies=options["company"],
                actor=None,
                reason=options["reason"],
                given_by={"command": "courier_rollout", "system_user": output.system_user()},
            )
        except Courier.DoesNotExist:
            raise output.usage_error(f"{code} has no row: run seed_couriers first") from None
        except InvalidRequest as error:
            raise output.usage_error(str(error)) from None
        enabled, accounts = count_enabled(code)
        output.finish(
            self,
            _summary(code, change, enabled, accounts),
            {
                "courier": code,
                "changed": change.changed,
                "before": change.before.as_details(),
                "after": change.after.as_details(),
                "enabled_companies": enabled,
                "companies_with_account": accounts,
            },
            as_json=options["json"],
        )


def _rollout_of(options: dict[str, Any]) -> CourierRollout:
    if options["company"]:
        return CourierRollout.COMPANIES
    if options["percentage"] is not None:
        return CourierRollout.PERCENTAGE
    return CourierRollout.ALL if options["all"] else CourierRollout.OFF


def _summary(code: str, change: RolloutChange, enabled: int, accounts: int) -> str:
    reach = f"{enabled} of {accounts} companies with an account may book with {code}"
    if not change.changed:
        return f"unchanged, {change.after}; {reach}"
    return f"{change.after} (before: {change.before}); {reach}"
