"""What the commands share: a progress bar, one summary line or JSON, errors in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from couriers.contract.platform_errors import UnknownCourier
from couriers.contract.registry import CourierFactory
from couriers.models import Company


def unusable(message: str) -> CommandError:
    """The error for an argument or a file that cannot be used: one line, exit code 2."""
    return CommandError(message, returncode=2)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Show a progress bar on standard error, if that is a terminal.

    Yields a function that advances the bar by one step, or by as many as it is given. `total` is
    None where the number of steps is not known beforehand.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda steps=1: bar.advance(task, steps)


def add_json(parser: CommandParser) -> None:
    """Add the flag --json."""
    parser.add_argument("--json", action="store_true", help="end with one JSON object, for scripts")


def finish(command: BaseCommand, summary: str, data: Mapping[str, Any], *, as_json: bool) -> None:
    """Write the summary line, or the data as JSON."""
    command.stdout.write(json.dumps(data) if as_json else summary)


def company_named(slug: str) -> Company:
    """The company with that slug. Raises CommandError, which lists the known slugs."""
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        known = list(Company.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise unusable(f"unknown company {slug!r} (known: {', '.join(known) or 'none'})")
    return company


def courier_named(code: str) -> str:
    """The code of a registered courier. Raises CommandError, which lists the known codes."""
    try:
        CourierFactory.adapter_class(code)
    except UnknownCourier as error:
        raise unusable(str(error)) from None
    return code


def exit_with(code: int) -> None:
    """End the process with this exit code; 0 lets the command end by itself."""
    if code:
        sys.exit(code)
