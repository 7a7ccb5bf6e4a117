"""What the commands share: common arguments, a progress bar, the summary, errors in one line."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from couriers.booking.permission import account_of
from couriers.conf import MAX_THREADS
from couriers.contract.errors import InvalidRequest
from couriers.contract.platform_errors import UnknownCourier, UnreadableValue
from couriers.contract.registry import AUTO, CourierFactory
from couriers.models import Company, CourierAccount
from couriers.models.audit import Door, acting, record
from couriers.resilience.database import leave_connection, outage_of

EXIT_UNAVAILABLE = 3  # not everything is done, as of orders in doubt: run it again later


class PlatformCommand(BaseCommand):
    """Base of the commands: says in one line that PostgreSQL cannot serve, or a key is missing.

    What is done stays done, and a command can be run again without harm. What it records in the
    audit trail is the command's, with the system's user. A subclass sets `is_recorded` where a run
    that did its work is an entry of its own.
    """

    is_recorded: ClassVar[bool] = False

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with acting(Door.COMMAND, f"command {self.name} by {system_user()}".strip()):
                result = super().execute(*args, **options)
                if self.is_recorded:
                    self._record(options)
                return result
        except UnreadableValue as error:
            raise CommandError(str(error), returncode=EXIT_UNAVAILABLE) from None
        except (DatabaseError, InterfaceError) as error:
            if (outage := outage_of(error)) is None:
                raise
            leave_connection(error)
            raise CommandError(
                f"PostgreSQL cannot serve ({outage.value}): run it again when it can",
                returncode=EXIT_UNAVAILABLE,
            ) from None

    @property
    def name(self) -> str:
        """The command's name, which is that of its module."""
        return type(self).__module__.rpartition(".")[2]

    def _record(self, options: Mapping[str, Any]) -> None:
        """Write the run to the audit trail, with the company and the courier that it was for."""
        company = Company.objects.filter(slug=options.get("company") or "").first()
        details = {"command": self.name}
        if courier := options.get("courier"):
            details["courier"] = courier
        record(company, "run_command", details=details)


def system_user() -> str:
    """Return the name of the system's user, or "nobody" in a container where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"


def usage_error(message: str) -> CommandError:
    """Return the error for an argument or a file that cannot be used: one line, exit code 2."""
    return CommandError(message, returncode=2)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Show a progress bar on standard error, if that is a terminal.

    Yields a function that advances the bar by one step, or by the given number of steps. `total` is
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


def add_workers(parser: CommandParser, default: int) -> None:
    """Add the flag --workers, which `workers_from` reads."""
    parser.add_argument(
        "--workers",
        type=int,
        default=default,
        metavar="N",
        help=f"threads, 1 to {MAX_THREADS}; default: %(default)d",
    )


def workers_from(options: Mapping[str, Any]) -> int:
    """Return the number of threads. Raises CommandError outside 1 to MAX_THREADS."""
    workers: int = options["workers"]
    if not 1 <= workers <= MAX_THREADS:
        raise usage_error(f"--workers must be 1 to {MAX_THREADS}")
    return workers


def counts_text(counts: Mapping[str, int]) -> str:
    """Return counts by name as text for a summary line, like `2 booked, 1 in doubt`."""
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def finish(command: BaseCommand, summary: str, data: Mapping[str, Any], *, as_json: bool) -> None:
    """Write the summary line, or the data as JSON."""
    command.stdout.write(json.dumps(data) if as_json else summary)


def company_named(slug: str) -> Company:
    """Return the company with that slug. Raises CommandError, which lists the known slugs."""
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        known = list(Company.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise usage_error(f"unknown company {slug!r} (known: {', '.join(known) or 'none'})")
    return company


def courier_named(code: str) -> str:
    """Return the code of a registered courier. Raises CommandError, which lists the known codes."""
    try:
        CourierFactory.adapter_class(code)
    except UnknownCourier as error:
        raise usage_error(str(error)) from None
    return code


def courier_or_auto(company: Company, code: str, *, is_test: bool = False) -> str:
    """Return the code of a courier that the company has an account with, or AUTO.

    Raises CommandError for any other, and for AUTO where the company has no account at all.
    """
    if code == AUTO:
        if not company.accounts.filter(is_test=is_test).exists():
            kind = "test account" if is_test else "account"
            raise usage_error(f"{company.slug} has no {kind}: run seed_courier first")
        return code
    account_named(company, courier_named(code), is_test=is_test)
    return code


def add_test(parser: CommandParser, text: str) -> None:
    """Add the flag --test."""
    parser.add_argument("--test", action="store_true", help=text)


def account_named(company: Company, courier: str, *, is_test: bool = False) -> CourierAccount:
    """Return the company's account of a mode with a registered courier. Raises CommandError."""
    try:
        return account_of(company, courier, is_test=is_test)
    except InvalidRequest as error:
        others = company.accounts.filter(courier=courier, is_test=not is_test)
        if not is_test and others.exists():
            raise usage_error(f"{error}, but a test account: give --test") from None
        flag = " --test" if is_test else ""
        raise usage_error(f"{error}: run seed_courier {courier}{flag} first") from None
