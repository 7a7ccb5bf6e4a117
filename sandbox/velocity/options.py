"""The options that only Velocity's stand-in has, and their flags."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.options import Options, number
from sandbox.velocity.switches import VelocitySwitches


@dataclass(frozen=True)
class VelocityOptions(Options):
    """How Velocity's stand-in behaves.

    `token_life` is how long a token of the older login is valid, in seconds; `wallet` is what the
    account has to spend at first, in rupees.
    """

    switches_class = VelocitySwitches

    api_key: str = "sandbox"
    username: str = "+919876543210"
    password: str = "sandbox"  # noqa: S105 - the stand-in's, known to all
    token_life: float = 24 * 3600
    wallet: float = 10_000_000

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, fault_kinds: Sequence[str]) -> None:
        super().add_flags(parser, fault_kinds)
        parser.add_argument(
            "--api-key",
            default=cls.api_key,
            help="the key that is taken, also with @ and any text at its end (%(default)s)",
        )
        parser.add_argument("--username", default=cls.username, help="of the older login")
        parser.add_argument("--password", default=cls.password, help="of the older login")
        parser.add_argument(
            "--token-life",
            type=number(float, 1, 86_400),
            default=cls.token_life,
            metavar="SECONDS",
            help="how long a token of the older login is valid (%(default)s)",
        )
        parser.add_argument(
            "--wallet",
            type=number(float, 0, 10**9),
            default=cls.wallet,
            metavar="RUPEES",
            help="what the wallet has at first (%(default)s)",
        )
