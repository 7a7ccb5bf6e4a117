"""The options that only Ekart's stand-in has, and their flags."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.options import Options, number


@dataclass(frozen=True)
class EkartOptions(Options):
    """How Ekart's stand-in behaves.

    `pincodes` is how many the bulk list of pincodes has, `token_life` how long a token is valid, in
    seconds. With `as_errors` cancellations and addresses are refused by error answers, without it
    by HTTP 200 with `status` false: the document allows either.
    """

    client_id: str = "sandbox"
    username: str = "sandbox"
    password: str = "sandbox"  # noqa: S105 - the stand-in's, known to all
    pincodes: int = 2000
    token_life: float = 24 * 3600
    as_errors: bool = False

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, fault_kinds: Sequence[str]) -> None:
        super().add_flags(parser, fault_kinds)
        parser.add_argument(
            "--client-id",
            default=cls.client_id,
            help="the client id that is taken, also with @ and any text at its end (%(default)s)",
        )
        parser.add_argument("--username", default=cls.username)
        parser.add_argument("--password", default=cls.password)
        parser.add_argument(
            "--pincodes",
            type=number(int, 1, 100_000),
            default=cls.pincodes,
            metavar="NUMBER",
            help="how many pincodes the bulk list has (%(default)s)",
        )
        parser.add_argument(
            "--token-life",
            type=number(float, 1, 86_400),
            default=cls.token_life,
            metavar="SECONDS",
            help="how long a token is valid (%(default)s)",
        )
        parser.add_argument(
            "--as-errors",
            action="store_true",
            help="refuse cancellations and addresses by HTTP errors, not by 200 with a remark",
        )
