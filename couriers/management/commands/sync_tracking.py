"""`manage.py sync_tracking [--company SLUG] [--minutes N] [--workers N]`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from couriers.conf import tunables
from couriers.management import output
from couriers.tracking import polling
from couriers.tracking.polling import Polled

EXIT_FAILED = 3
MAX_MINUTES = 525_600  # a year


class Command(output.PlatformCommand):
    """Polls shipments without news, within the couriers' rate limits.

    Run again, it leaves out shipments that had news or were polled within `--minutes`.
    """

    help = "Poll shipments without news."

    def add_arguments(self, parser: CommandParser) -> None:
        defaults = tunables()
        parser.add_argument("--company", metavar="SLUG")
        parser.add_argument(
            "--minutes",
            type=float,
            default=defaults.TRACKING_SILENCE / 60,
            metavar="N",
            help="poll shipments without news for N minutes; default: %(default)g",
        )
        output.add_workers(parser, default=defaults.TRACKING_THREADS)
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        workers = output.workers_from(options)
        if not 0 <= options["minutes"] <= MAX_MINUTES:
            raise output.usage_error(f"--minutes must be 0 to {MAX_MINUTES}")
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
                polling.poll(account, cutoff=cutoff, threads=workers, done=done)
        by_outcome = {outcome.value: counts[outcome] for outcome in Polled}
        output.finish(
            self,
            f"{counts.total()} shipments: {output.counts_text(by_outcome)}",
            {"shipments": counts.total()} | by_outcome,
            as_json=options["json"],
        )
        if counts[Polled.FAILED]:
            sys.exit(EXIT_FAILED)
