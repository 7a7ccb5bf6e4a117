"""`manage.py demo`: everything at once, on this machine, with a stand-in Ekart."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shipcrowd.demo import Demo
from shipcrowd.stack import StackError


class Command(BaseCommand):
    """Books the sample orders through the API and waits for their callbacks."""

    help = "Run the whole thing: servers, sandbox, sample orders, callbacks; then keep serving."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="exit when the table is printed")
        parser.add_argument("--pace", type=float, default=0.3, help="seconds between two statuses")

    def handle(self, *args: Any, **options: Any) -> None:
        # Told to end, it ends as by Ctrl-C: with all that it started.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            Demo(pace=options["pace"]).run(once=options["once"])
        except KeyboardInterrupt:
            raise CommandError("stopped before the end", returncode=130) from None
        except StackError as error:
            raise CommandError(str(error)) from None
