"""Django's `migrate`, by DATABASE_DIRECT_URL where that is set: locks and `SET` need a session."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from shipcrowd.pooler import past_the_pooler


class Command(migrate.Command):
    """Updates the schema past a pooler, and otherwise does what Django's command does."""

    def handle(self, *args: Any, **options: Any) -> None:
        with past_the_pooler(options["database"]):
            super().handle(*args, **options)
