"""`manage.py demo`: the whole platform on this machine, against the sandbox of Ekart."""

import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shipcrowd.stack import StackError

# What a clone has after `make setup`, and an installed wheel has not: files and modules.
FILES = ("manage.py", "fixtures/orders_sample.csv")
MODULES = ("sandbox", "aiohttp", "reportlab")


class Command(BaseCommand):
    """Runs the demo (shipcrowd.demo)."""

    help = (
        "Start the platform and a sandbox, book the sample orders, wait for their callbacks, serve."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="exit once the results are printed")
        parser.add_argument(
            "--pace", type=float, default=0.3, help="seconds between two statuses of a parcel"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [name for name in FILES if not (Path(settings.BASE_DIR) / name).is_file()]
        missing += [name for name in MODULES if find_spec(name) is None]
        if missing:
            raise CommandError(
                f"the demo needs a clone of the repository, and lacks {', '.join(missing)}: "
                "run `git clone` and in the clone `make demo`, which installs all of it",
                returncode=2,
            )
        from shipcrowd.demo import Demo  # imports the sandbox

        # SIGTERM stops the demo as Ctrl-C does, together with the processes that it started.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            Demo(pace=options["pace"]).run(once=options["once"])
        except KeyboardInterrupt:
            raise CommandError("interrupted before the demo had finished", returncode=130) from None
        except StackError as error:
            raise CommandError(str(error)) from None
