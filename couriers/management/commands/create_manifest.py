"""`manage.py create_manifest --company SLUG [--courier CODE] [--date DAY | --shipments FILE]`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from couriers.contract import india
from couriers.contract.errors import InvalidRequest, NotSupported
from couriers.contract.platform_errors import ActionNotAllowed
from couriers.contract.registry import CourierFactory
from couriers.fulfilment import manifests
from couriers.fulfilment.manifest_progress import documents_and_failures, progress_of
from couriers.management import output
from couriers.models import CourierAccount, Manifest
from couriers.models.manifest import ManifestState

EXIT_UNFINISHED = 3
MAX_FILE_SIZE = 1024 * 1024  # bytes
PAUSE = 0.2  # seconds between two looks, while Celery workers have all remaining chunks


class Command(output.PlatformCommand):
    """Makes a manifest in this process, while Celery workers may help.

    Run again, it makes no second manifest of the same shipments, and makes the remaining chunks.
    """

    is_recorded = True
    help = "Make a manifest of the shipments that await pickup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--courier", help="not needed where the company has only one account")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--date", metavar="YYYY-MM-DD", help="the shipments booked on that day; default: today"
        )
        what.add_argument(
            "--shipments", type=Path, metavar="FILE", help="one shipment id in each line"
        )
        parser.add_argument(
            "--again", action="store_true", help="also shipments that are in a manifest already"
        )
        parser.add_argument(
            "--timeout",
            type=float,
            default=3600.0,
            metavar="SECONDS",
            help="end with exit code 3 after this time",
        )
        output.add_test(parser, "of the company's test account")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        account = _account(options["company"], options["courier"], is_test=options["test"])
        try:
            if options["shipments"]:
                ids = _read_ids(options["shipments"])
                created = manifests.create_for_shipments(account, ids, again=options["again"])
            else:
                day = _day(options["date"])
                created = manifests.create_for_day(account, day, again=options["again"])
        except (InvalidRequest, NotSupported) as error:
            raise output.usage_error(str(error)) from None
        except ActionNotAllowed as error:
            if error.name != "nothing-to-manifest":
                raise output.usage_error(str(error)) from None
            data = _report(None, is_new=False, left_out=0)
            output.finish(self, str(error), data, as_json=options["json"])
            return
        manifest = created.manifest
        _make_chunks(manifest, deadline=time.monotonic() + options["timeout"])
        manifest.refresh_from_db()
        data = _report(manifest, is_new=created.is_new, left_out=created.left_out)
        summary = (
            f"{manifest.pk}: {manifest.get_state_display().lower()}, {data['shipments_done']} of "
            f"{data['shipments']} shipments in {data['chunks_done']} of {data['chunks']} documents"
        )
        output.finish(self, summary, data, as_json=options["json"])
        if manifest.state != ManifestState.DONE:
            sys.exit(EXIT_UNFINISHED)


def _account(slug: str, courier: str | None, *, is_test: bool) -> CourierAccount:
    company = output.company_named(slug)
    if courier:
        return output.account_named(company, output.courier_named(courier), is_test=is_test)
    known = company.accounts.filter(courier__in=CourierFactory.codes(), is_test=is_test)
    accounts = list(known[:2])
    if len(accounts) != 1:
        kind = "test account" if is_test else "account"
        found = f"several {kind}s: name one with --courier" if accounts else f"no {kind}"
        raise output.usage_error(f"{slug} has {found}")
    return accounts[0]


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else india.today()
    except ValueError:
        raise output.usage_error(f"--date must be like 2026-11-23, not {text!r}") from None


def _read_ids(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_FILE_SIZE:
            raise output.usage_error(f"--shipments: {path} is larger than {MAX_FILE_SIZE} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise output.usage_error(f"--shipments: {path} cannot be read: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _make_chunks(manifest: Manifest, deadline: float) -> None:
    """Make each chunk that no worker has claimed, until the manifest or the time ends."""
    chunks = manifest.chunks.count()
    with output.progress("Manifest", chunks) as advance:
        shown = 0
        while not manifests.finish(manifest.pk) and time.monotonic() < deadline:
            due = manifests.due_chunks(manifest.pk).values_list("pk", flat=True).first()
            if due is None:
                time.sleep(PAUSE)
            else:
                manifests.make_chunk(due)
            ended = manifest.chunks.exclude(state=ManifestState.PENDING).count()
            for _ in range(ended - shown):
                advance()
            shown = ended


def _report(manifest: Manifest | None, *, is_new: bool, left_out: int) -> dict[str, Any]:
    chunks = list(manifest.chunks.all()) if manifest else []
    progress = progress_of(chunks)
    return {
        "manifest": manifest.pk if manifest else None,
        "state": str(manifest.state) if manifest else None,
        "created": is_new,
        "already_in_manifest": left_out,
        **dataclasses.asdict(progress),
        **documents_and_failures(chunks),
    }
