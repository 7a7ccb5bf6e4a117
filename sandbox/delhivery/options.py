"""The options that only Delhivery's stand-in has, and their flags."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.options import Options
from sandbox.switches import Switches


@dataclass(frozen=True)
class DelhiveryOptions(Options):
    """How Delhivery's stand-in behaves.

    `key` is the key of the account that is called `client_name`, `accounts` are further pairs of
    both, and `other_key` is the key of the other environment. `webhook_header` is the header in
    which callbacks carry their secret.
    """

    switches_class: ClassVar[type[Switches]] = DelhiverySwitches

    key: str = "sandbox"
    client_name: str = "SANDBOX SURFACE"
    other_key: str = "other-environment"
    accounts: Sequence[tuple[str, str]] = ()
    webhook_header: str = "x-delhivery-token"

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, fault_kinds: Sequence[str]) -> None:
        super().add_flags(parser, fault_kinds)
        parser.add_argument("--key", default=cls.key, help="the key that is taken (%(default)s)")
        parser.add_argument(
            "--client-name", default=cls.client_name, help="the account's name (%(default)s)"
        )
        parser.add_argument(
            "--other-key",
            default=cls.other_key,
            help="the key of the other environment (%(default)s)",
        )
        parser.add_argument(
            "--account",
            dest="accounts",
            nargs=2,
            action="append",
            default=[],
            metavar=("KEY", "CLIENT_NAME"),
            help="another account, with waybills, warehouses and shipments of its own",
        )
        parser.add_argument(
            "--webhook-header",
            default=cls.webhook_header,
            metavar="NAME",
            help="the header in which callbacks carry their secret (%(default)s)",
        )
