"""The sandbox's command line: `manage.py ekart_sandbox`, or `python -m sandbox.ekart`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from typing import Any

from aiohttp import web

from sandbox.ekart.app import Options, Sandbox
from sandbox.faults import Fault
from sandbox.lifecycle import Shares

ALL_TOPICS = ["track_updated", "shipment_created", "shipment_recreated"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags, for both ways of starting it."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--client-id", default="sandbox")
    parser.add_argument("--username", default="sandbox")
    parser.add_argument("--password", default="sandbox")
    parser.add_argument(
        "--pace",
        type=_seconds,
        default=0.2,
        help="seconds between two statuses; 0 is as fast as it can",
    )
    parser.add_argument("--hold", action="store_true", help="no life cycle: shipments stay placed")
    parser.add_argument(
        "--brief", action="store_true", help="a life is its first and its last status alone"
    )
    parser.add_argument(
        "--outcomes",
        type=_shares,
        default=Shares(),
        metavar="delivered=85,undelivered=5,rto=10",
        help="how many of a hundred shipments end how",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="keep requests at /_sandbox/requests")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="OPERATION:KIND:RATE",
        help="fail so often, such as create_shipment:reset_after:0.1; * means every one",
    )
    parser.add_argument(
        "--slow-seconds", type=_seconds, default=1.0, help="how long the fault `slow` takes"
    )
    parser.add_argument(
        "--pincodes", type=_pincodes, default=2000, help="how many the list of pincodes has"
    )
    parser.add_argument(
        "--token-life",
        type=_token_life,
        default=24 * 3600,
        metavar="SECONDS",
        help="how long a token holds",
    )
    parser.add_argument(
        "--as-errors", action="store_true", help="refuse by HTTP errors, not by 200 with a remark"
    )
    parser.add_argument(
        "--webhook", nargs=2, metavar=("URL", "SECRET"), help="a callback without registration"
    )
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="stop when standard input is closed"
    )


def run(options: dict[str, Any]) -> None:
    """Serve until interrupted."""
    shares: Shares = options["outcomes"]
    sandbox = Sandbox(
        Options(
            client_id=options["client_id"],
            username=options["username"],
            password=options["password"],
            pace=options["pace"],
            hold=options["hold"],
            brief=options["brief"],
            record=options["record"],
            faults=tuple(options["fault"]),
            seed=options["seed"],
            slow_seconds=options["slow_seconds"],
            pincodes=options["pincodes"],
            token_life=options["token_life"],
            as_errors=options["as_errors"],
            shares=Shares(shares.delivered, shares.undelivered, shares.rto, options["seed"]),
        )
    )
    if options["webhook"]:
        url, secret = options["webhook"]
        sandbox.registrations.register(url, secret, ALL_TOPICS)
    asyncio.run(
        _serve(sandbox, options["host"], options["port"], with_stdin=options["stop_with_stdin"])
    )


async def _serve(sandbox: Sandbox, host: str, port: int, *, with_stdin: bool) -> None:
    runner = web.AppRunner(sandbox.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    await site.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if with_stdin:
        # The parent's death closes the pipe, however it died.
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, stop)
    real_port = runner.addresses[0][1]
    print(f"Ekart sandbox listening on http://{host}:{real_port}", flush=True)
    await stop.wait()
    await runner.cleanup()


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stop.set()


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError("0 to 3600 seconds")
    return value


def _token_life(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86_400:
        raise argparse.ArgumentTypeError("1 to 86400 seconds")
    return value


def _pincodes(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 100_000:
        raise argparse.ArgumentTypeError("1 to 100000 pincodes")
    return value


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"like create_shipment:reset_after:0.1 ({error})"
        ) from None


def _shares(text: str) -> Shares:
    try:
        given = {key.strip(): int(value) for key, value in (p.split("=") for p in text.split(","))}
        shares = Shares(**{"delivered": 0, "undelivered": 0, "rto": 0, **given})
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError("like delivered=85,undelivered=5,rto=10") from None
    parts = (shares.delivered, shares.undelivered, shares.rto)
    if min(parts) < 0 or sum(parts) == 0:
        raise argparse.ArgumentTypeError("shares of 0 or more, not all 0")
    return shares
