"""`manage.py rotate_keys`."""

import dataclasses
import sys
from typing import Any

from django.core.management.base import CommandParser

from couriers.management import output
from couriers.operations import key_rotation

EXIT_UNREADABLE = 3


class Command(output.PlatformCommand):
    """Re-encrypts all secrets with the first of FERNET_KEYS. Run again, it changes nothing."""

    is_recorded = True
    help = "Re-encrypt all secrets with the first of FERNET_KEYS, so that others can be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with output.progress("Re-encrypting", key_rotation.count_rows()) as advance:
            done = key_rotation.rotate(progress=advance)
        output.finish(
            self,
            f"{done.values} encrypted values: {done.rotated} rotated, {done.unreadable} unreadable",
            dataclasses.asdict(done),
            as_json=options["json"],
        )
        if done.unreadable:
            sys.exit(EXIT_UNREADABLE)
