"""Collects log lines as the project writes them."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings


class Lines(list[dict[str, Any]]):
    """Log lines, in their order."""

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of an event."""
        return [line for line in self if line["event"] == event]


@contextmanager
def collected_lines() -> Iterator[Lines]:
    """Collect what the block logs, formatted by the formatter of the settings."""
    collected = Lines()
    formatter = logging.config.DictConfigurator({}).configure_formatter(
        dict(settings.LOGGING["formatters"]["json"])
    )

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            collected.append(json.loads(formatter.format(record)))

    handler = Collect()
    logging.getLogger().addHandler(handler)
    try:
        yield collected
    finally:
        logging.getLogger().removeHandler(handler)
