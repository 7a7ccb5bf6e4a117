"""`manage.py register_webhooks --company SLUG [--rotate-secret | --forget-previous]`."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from couriers.contract.errors import CourierError
from couriers.management import output
from couriers.models import CourierAccount
from couriers.resilience import waits
from couriers.resilience.lock import LockTimeout
from couriers_ekart.callbacks.registration import drop_previous_secret, register, rotate_secret


class Command(output.PlatformCommand):
    """Register the account's callback URLs with Ekart. Running it again changes nothing.

    After --rotate-secret Ekart signs with a new secret. The old one stays valid for
    WEBHOOK_PREVIOUS_SECRET_SECONDS, or until the next rotation or --forget-previous.
    """

    help = "Register the account's callback URLs with Ekart, or rotate the webhook secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument(
            "--rotate-secret", action="store_true", help="have Ekart sign with a new secret"
        )
        secret.add_argument(
            "--forget-previous", action="store_true", help="accept the current secret only"
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        company = output.company_named(options["company"])
        account = CourierAccount.objects.filter(company=company, courier_id="ekart").first()
        if account is None:
            raise output.usage_error(
                f"{company.slug} has no account with ekart: run seed_ekart first"
            )
        if not account.webhook_secret:
            raise output.usage_error("the account has no webhook secret: set EKART_WEBHOOK_SECRET")
        try:
            with waits.allow_long_waits():
                if options["rotate_secret"]:
                    done = rotate_secret(account, settle=time.sleep)
                else:
                    done = register(account)
        except LockTimeout:
            raise CommandError("another rotation of the secret is running") from None
        except CourierError as error:
            raise CommandError(str(error)) from None
        if options["forget_previous"]:
            drop_previous_secret(account)
        account.refresh_from_db()
        how = "registered" if done.is_new else "updated"
        also = ", with a new secret" if options["rotate_secret"] else ""
        output.finish(
            self,
            f"{done.url}: {how}{also} ({done.id})",
            {
                "id": done.id,
                "url": done.url,
                "created": done.is_new,
                "secret_rotated": options["rotate_secret"],
                "previous_secret_valid": len(account.webhook_secrets) > 1,
            },
            as_json=options["json"],
        )
