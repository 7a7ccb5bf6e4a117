"""`manage.py ekart_sandbox`: a stand-in Ekart on loopback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sandbox import cli


class Command(BaseCommand):
    """Serves until interrupted."""

    help = "Run a stand-in Ekart as a real HTTP server."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        cli.run(options)
