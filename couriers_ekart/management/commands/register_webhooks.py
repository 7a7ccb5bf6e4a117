"""`manage.py register_webhooks --company SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from couriers.errors import CourierError
from couriers.management import output
from couriers.models import CourierAccount
from couriers.resilience import rate_limit
from couriers_ekart.callbacks import register


class Command(BaseCommand):
    """Has Ekart call back for every topic; run again, it changes nothing."""

    help = "Register the account's callback with Ekart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        company = output.company_named(options["company"])
        account = CourierAccount.objects.filter(company=company, courier_id="ekart").first()
        if account is None:
            raise output.unusable(f"{company.slug} has no account with ekart: run seed_ekart first")
        if not account.webhook_secret:
            raise output.unusable("the account has no webhook secret: set EKART_WEBHOOK_SECRET")
        try:
            with rate_limit.patience():
                done = register(account)
        except CourierError as error:
            raise CommandError(str(error)) from None
        output.finish(
            self,
            f"{done.url}: {'registered' if done.is_new else 'brought up to date'} ({done.id})",
            {"id": done.id, "url": done.url, "created": done.is_new},
            as_json=options["json"],
        )
