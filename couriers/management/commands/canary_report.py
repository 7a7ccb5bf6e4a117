"""`manage.py canary_report --company SLUG … --since 24h`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from psycopg.errors import QueryCanceled

from couriers.conf import tunables
from couriers.management import output
from couriers.models import CourierAccount
from couriers.operations import canary
from couriers.operations.canary import Check, Report, Verdict
from couriers.operations.canary_figures import Window
from couriers.operations.canary_thresholds import Thresholds, UnusableThreshold, thresholds_from

EXIT_NO_GO = 1
STATEMENT_SECONDS = 20  # of each statement; there are a few for each thousand bookings
_DURATION = re.compile(r"(\d{1,5})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Command(output.PlatformCommand):
    """Judges a canary by what the tables know of it. Changes nothing."""

    help = (
        "Say whether a canary may go on: exit code 0 go, 1 no-go, 2 wrong use. Too little data is "
        "a no-go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--company",
            nargs="+",
            action="extend",
            required=True,
            metavar="SLUG",
            help="the companies of the canary; may be repeated",
        )
        parser.add_argument("--courier", metavar="CODE", help="default: all of the companies'")
        parser.add_argument(
            "--since",
            required=True,
            metavar="TIME",
            help="24h, 90m or 2d ago, or a time like 2026-11-28T10:00+05:30 (in TIME_ZONE where no "
            "offset is given)",
        )
        parser.add_argument(
            "--thresholds",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME=VALUE",
            help=", ".join(
                f"{field.name} ({field.default:g})" for field in dataclasses.fields(Thresholds)
            ),
        )
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            thresholds = thresholds_from(options["thresholds"])
        except UnusableThreshold as error:
            raise output.usage_error(str(error)) from None
        now = timezone.now()
        since = _since(options["since"], now)
        accounts = _accounts(options["company"], options["courier"])
        report = _bounded_report(Window(accounts, since, now), thresholds)
        companies = sorted(set(options["company"]))
        if not options["json"]:
            for line in _lines(report):
                self.stdout.write(line)
        output.finish(
            self,
            _summary(report, companies),
            {
                "verdict": report.verdict.value,
                "companies": companies,
                "courier": options["courier"],
                "since": since.isoformat(),
                "until": now.isoformat(),
                "checks": [dataclasses.asdict(check) for check in report.checks],
                "alerts": list(report.alerts),
                "alerts_not_judged": list(canary.NOT_JUDGED),
                **report.facts,
            },
            as_json=options["json"],
        )
        if report.verdict is not Verdict.GO:
            sys.exit(EXIT_NO_GO)


def _since(text: str, now: dt.datetime) -> dt.datetime:
    """Return the time that the text means. Raises CommandError for one that cannot be used."""
    oldest = now - dt.timedelta(days=tunables().RETENTION_CALLS_DAYS)
    if match := _DURATION.fullmatch(text):
        since = now - dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
    else:
        since = _time(text)
    if since >= now:
        raise output.usage_error(f"--since {text} is not in the past")
    if since < oldest:
        days = tunables().RETENTION_CALLS_DAYS
        raise output.usage_error(
            f"--since {text} is too long ago: calls are kept for {days} days (RETENTION_CALLS_DAYS)"
        )
    return since


def _time(text: str) -> dt.datetime:
    problem = f"--since {text!r} is neither like 24h, 90m or 2d nor like 2026-11-28T10:00+05:30"
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise output.usage_error(problem)
    return found if found.tzinfo else timezone.make_aware(found)


def _accounts(slugs: Sequence[str], courier: str | None) -> list[CourierAccount]:
    """Return the companies' accounts. Raises CommandError where one of them has none."""
    if courier is not None:
        output.courier_named(courier)
    found = []
    for slug in sorted(set(slugs)):
        company = output.company_named(slug)
        accounts = CourierAccount.objects.filter(company=company).only(
            "company", "courier", "is_test"
        )
        if courier is not None:
            accounts = accounts.filter(courier=courier)
        both = list(accounts.order_by("pk"))
        # Test accounts count where there is no other: on a staging system.
        mine = [one for one in both if not one.is_test] or both
        if not mine:
            whom = courier or "any courier"
            raise output.usage_error(f"{slug} has no account with {whom}: run seed_courier first")
        found += mine
    return found


def _bounded_report(window: Window, thresholds: Thresholds) -> Report:
    """Make the report, by indexes alone and with an end to each statement.

    Raises CommandError where a statement takes longer than STATEMENT_SECONDS.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
            return canary.report(window, thresholds)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise CommandError(
            f"PostgreSQL took longer than {STATEMENT_SECONDS} s: choose a later --since",
            returncode=output.EXIT_UNAVAILABLE,
        ) from None


def _lines(report: Report) -> list[str]:
    facts = report.facts | {"statuses": output.counts_text(report.facts["statuses"])}
    return [
        *(_line(check) for check in report.checks),
        *(f"{name:<28} {_text(value)}" for name, value in facts.items()),
    ]


def _text(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _line(check: Check) -> str:
    value = "-" if check.value is None else f"{check.value:g}"
    verdict = check.verdict.value.replace("_", " ")
    needed = f" ({check.needed})" if check.needed else ""
    return f"{check.name:<28} {value:>10}   {check.threshold}={check.limit:g}: {verdict}{needed}"


def _summary(report: Report, companies: Sequence[str]) -> str:
    who = ", ".join(companies)
    if report.verdict is Verdict.GO:
        return f"GO: {who}"
    failed = [check.name for check in report.checks if check.verdict is not Verdict.GO]
    alerts = f"; alerts: {', '.join(report.alerts)}" if report.alerts else ""
    return f"NO-GO: {who}: {', '.join(failed)}{alerts}"
