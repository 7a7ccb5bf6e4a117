"""`manage.py demo`: everything at once, on this machine, with a stand-in Ekart."""

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
        try:
            Demo(pace=options["pace"]).run(once=options["once"])
        except StackError as error:
            raise CommandError(str(error)) from None
