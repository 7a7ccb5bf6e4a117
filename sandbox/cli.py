"""The command line: `python -m sandbox COURIER [flags]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import NoReturn

from sandbox.couriers import COURIERS, load
from sandbox.faults import all_kinds
from sandbox.options import number
from sandbox.server import serve

PROGRAM = "python -m sandbox"


class _Parser(argparse.ArgumentParser):
    """Refuses what it does not understand in one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a courier's stand-in and serve until it is interrupted."""
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COURIER [flags]",
        description="Run a courier's stand-in as a real HTTP server.",
        epilog=f"Couriers: {', '.join(COURIERS)}. `{PROGRAM} COURIER --help` lists the flags.",
        allow_abbrev=False,
    )
    parser.add_argument("courier", choices=COURIERS, metavar="COURIER", help="whose stand-in")
    given = sys.argv[1:] if arguments is None else arguments
    courier = parser.parse_args(given[:1]).courier
    _run(courier, given[1:])


def _run(courier: str, arguments: Sequence[str]) -> None:
    sandbox_class = load(courier)
    parser = _Parser(
        prog=f"{PROGRAM} {courier}",
        description=f"Run a stand-in for {sandbox_class.title} as a real HTTP server.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=number(int, 0, 65_535), default=8900, help="0 takes a free one"
    )
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="stop when standard input is closed"
    )
    options_class = sandbox_class.options_class
    options_class.add_flags(parser, all_kinds(sandbox_class.all_fault_answers()))
    flags = parser.parse_args(arguments)
    sandbox = sandbox_class(options_class.from_flags(flags))
    try:
        asyncio.run(serve(sandbox, flags.host, flags.port, stop_with_stdin=flags.stop_with_stdin))
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
