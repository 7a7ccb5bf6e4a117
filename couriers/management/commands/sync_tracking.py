"""`manage.py sync_tracking [--company SLUG] [--minutes N] [--workers N]`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from couriers.conf import tunables
from couriers.management import output
from couriers.tracking import polling
from couriers.tracking.polling import Polled

EXIT_FAILED = 3


class Command(BaseCommand):
    """Polls couriers about shipments without news, at the permitted rate.

    Run again, it leaves out the shipments that had news or were polled within `--minutes`.
    """

    help = "Ask couriers about shipments without news."

    def add_arguments(self, parser: CommandParser) -> None:
        defaults = tunables()
        parser.add_argument("--company", metavar="SLUG")
        parser.add_argument(
            "--minutes",
            type=float,
            default=defaults.TRACKING_SILENCE / 60,
            metavar="N",
            help="poll what had no news for so long; default: %(default)g",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=defaults.TRACKING_THREADS,
            metavar="N",
            help="threads, 1 to 64; default: %(default)d",
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["workers"] <= 64:
            raise output.unusable("--workers must be 1 to 64")
        if not 0 <= options["minutes"] <= 525_600:
            raise output.unusable("--minutes must be 0 to 525600")
        cutoff = polling.poll_cutoff(options["minutes"] * 60)
        accounts, due = polling.accounts_to_poll(cutoff), polling.due_for_poll(cutoff)
        if options["company"]:
            company = output.company_named(options["company"])
            accounts, due = accounts.filter(company=company), due.filter(company=company)
        counts: Counter[Polled] = Counter()
        with output.progress("Polling", due.count()) as advance:

            def done(outcome: Polled) -> None:
                counts[outcome] += 1
                advance()

            for account in accounts:
                polling.poll(account, cutoff=cutoff, threads=options["workers"], done=done)
        data = {"shipments": counts.total()} | {kind.value: counts[kind] for kind in Polled}
        summary = f"{data['shipments']} shipments: " + ", ".join(
            f"{data[kind.value]} {kind.value.replace('_', ' ')}" for kind in Polled
        )
        output.finish(self, summary, data, as_json=options["json"])
        if counts[Polled.FAILED]:
            output.exit_with(EXIT_FAILED)
