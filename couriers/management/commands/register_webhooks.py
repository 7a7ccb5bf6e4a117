"""`manage.py register_webhooks COURIER --company SLUG [--rotate-secret | --forget-previous]`."""

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.formats import date_format
from django.utils.timezone import localtime

from couriers.contract.errors import CourierError, LoginUnreadable
from couriers.contract.logins import Webhook
from couriers.management import output
from couriers.models import CourierAccount
from couriers.models.addresses import NoAddress
from couriers.operations.seeding import variable
from couriers.operations.webhook_registration import (
    ByHand,
    NoReceiver,
    SecretStillChanging,
    drop_previous_secret,
    is_by_hand,
    is_seeded_secret,
    register,
    rotate_by_hand,
    rotate_secret,
    to_ask_for,
)
from couriers.resilience import waits
from couriers.resilience.lock import LockTimeout


class Command(output.PlatformCommand):
    """Register the account's callback URLs with its courier. Running it again changes nothing.

    After --rotate-secret the courier uses a new secret. The old one stays valid for
    WEBHOOK_PREVIOUS_SECRET_SECONDS, or until the next rotation or --forget-previous. Where the
    courier has no call for it, the command says what a person must ask the courier for.
    """

    is_recorded = True
    help = "Register an account's callback URLs with its courier, or rotate the webhook secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("courier", help="the courier's code")
        parser.add_argument("--company", required=True, metavar="SLUG")
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument(
            "--rotate-secret", action="store_true", help="have the courier use a new secret"
        )
        secret.add_argument(
            "--forget-previous", action="store_true", help="accept the current secret only"
        )
        output.add_test(parser, "for the company's test account")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        courier = output.courier_named(options["courier"])
        company = output.company_named(options["company"])
        account = output.account_named(company, courier, is_test=options["test"])
        if not account.webhook_secret:
            name = variable(courier, "webhook_secret")
            raise output.usage_error(
                f"the account has no webhook secret: set {name} and run seed_courier again"
            )
        carry_out = self._by_hand if is_by_hand(account) else self._by_call
        try:
            with waits.allow_long_waits():
                carry_out(account, options)
        except LockTimeout:
            raise CommandError("another rotation of the secret is running") from None
        except (NoAddress, NoReceiver) as error:
            raise output.usage_error(str(error)) from None
        except LoginUnreadable as error:
            raise CommandError(str(error), returncode=output.EXIT_UNAVAILABLE) from None
        except CourierError as error:
            raise CommandError(str(error)) from None

    def _by_call(self, account: CourierAccount, options: dict[str, Any]) -> None:
        """Have the plug-in register the URLs."""
        if options["rotate_secret"]:
            done = rotate_secret(account, settle=time.sleep)
        else:
            done = register(account)
        if options["forget_previous"]:
            drop_previous_secret(account)
        how = "registered" if done.is_new else "updated"
        also = ", with a new secret" if options["rotate_secret"] else ""
        self._finish(
            account,
            options,
            f"{done.url}: {how}{also} ({done.id})",
            {"id": done.id, "url": done.url, "created": done.is_new, "ask_courier": []},
        )

    def _by_hand(self, account: CourierAccount, options: dict[str, Any]) -> None:
        """Say what a person must ask the courier for."""
        secrets: Sequence[Webhook] = ()
        if options["rotate_secret"]:
            try:
                secrets = rotate_by_hand(account, settle=time.sleep)
            except SecretStillChanging:
                raise output.usage_error(
                    "the previous secret is still valid: once the courier has the present one, "
                    "run --forget-previous, then rotate"
                ) from None
        if options["forget_previous"]:
            drop_previous_secret(account)
        account.refresh_from_db()
        shown = {webhook.url: webhook.secret for webhook in secrets}
        asked = [
            {
                "url": one.url,
                "topics": [topic.value for topic in one.topics],
                "header": one.header,
                "secret": shown.get(one.url, ""),
                "secret_from": "" if shown else _where_to_read(account, one),
            }
            for one in to_ask_for(account)
        ]
        self._finish(
            account,
            options,
            _words(account, asked),
            {"id": "", "url": asked[0]["url"], "created": False, "ask_courier": asked},
        )

    def _finish(
        self, account: CourierAccount, options: dict[str, Any], summary: str, data: dict[str, Any]
    ) -> None:
        account.refresh_from_db()
        data |= {
            "secret_rotated": options["rotate_secret"],
            "previous_secret_valid": len(account.webhook_secrets) > 1,
        }
        output.finish(self, summary, data, as_json=options["json"])


def _where_to_read(account: CourierAccount, asked: ByHand) -> str:
    """Return where a person finds the secret, which is never shown again by the platform."""
    if asked.url == account.webhook_url and is_seeded_secret(account):
        return variable(account.courier_id, "webhook_secret")
    return "whoever typed or rotated it; --rotate-secret makes and shows another"


def _words(account: CourierAccount, asked: Sequence[dict[str, Any]]) -> str:
    """Return what to ask the courier for, a line for each URL, and what becomes of the secret."""
    name = account.courier.name
    lines = [f"{name} has no call to register callbacks. Ask {name} to call:"]
    for one in asked:
        header = f"in the header {one['header']}" if one["header"] else "as the secret"
        value = one["secret"] or f"the value of: {one['secret_from']}"
        lines.append(f"  {one['url']} ({', '.join(one['topics'])}), {header}: {value}")
    until = account.previous_webhook_secret_until
    if until is not None and len(account.webhook_secrets) > 1:
        time_of_end = f"{date_format(localtime(until), 'j M Y, H:i')} {localtime(until).tzname()}"
        lines.append(
            f"The previous secret is valid until {time_of_end}. Run --forget-previous once {name} "
            "uses the present one."
        )
    return "\n".join(lines)
