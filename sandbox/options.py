"""The options that every stand-in has, and the flags of the command line that set them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self

from sandbox.faults import Fault, check_kind
from sandbox.lifecycle import Outcomes
from sandbox.switches import Switches


@dataclass(frozen=True)
class Options:
    """How a stand-in behaves.

    `pace` is the time between two statuses of a life cycle, `slow_seconds` the one that the fault
    `slow` takes, both in seconds. With `hold` no life cycle starts by itself. `webhook` is the URL
    and the secret of a callback that nobody registered. `switched` are the courier's oddities
    that are not as usual, by their names. `callback_loss` and `callback_repeats` are shares from 0
    to 1.
    """

    switches_class: ClassVar[type[Switches]] = Switches

    pace: float = 0.2
    hold: bool = False
    brief: bool = False
    outcomes: Outcomes = field(default_factory=Outcomes)
    seed: int = 0
    record: bool = False
    faults: Sequence[Fault] = ()
    slow_seconds: float = 1.0
    webhook: tuple[str, str] | None = None
    callback_loss: float = 0.0
    callback_repeats: float = 0.0
    switched: Sequence[tuple[str, Any]] = ()

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, fault_kinds: Sequence[str]) -> None:
        """Add a flag for each option; a courier adds its own after these."""
        parser.add_argument(
            "--pace",
            type=number(float, 0, 3600),
            default=cls.pace,
            metavar="SECONDS",
            help="seconds between two statuses; 0 is as fast as possible (%(default)s)",
        )
        parser.add_argument(
            "--hold",
            action="store_true",
            help="start no life cycle: a shipment keeps its first status until it is advanced",
        )
        parser.add_argument(
            "--brief",
            action="store_true",
            help="shorten a life cycle to its first and its last status",
        )
        parser.add_argument(
            "--outcomes",
            type=_outcomes,
            default=Outcomes(),
            metavar="delivered=85,undelivered=5,rto=10",
            help="how many of a hundred shipments end how",
        )
        parser.add_argument(
            "--seed", type=int, default=cls.seed, help="another one draws other outcomes and faults"
        )
        parser.add_argument(
            "--record", action="store_true", help="keep the requests at /_sandbox/requests"
        )
        parser.add_argument(
            "--fault",
            dest="faults",
            type=_fault_of(fault_kinds),
            action="append",
            default=[],
            metavar="OPERATION:KIND:RATE",
            help="let calls fail, such as create_shipment:reset_after:0.1; * means every operation "
            f"or kind; kinds: {', '.join(fault_kinds)}",
        )
        parser.add_argument(
            "--slow-seconds",
            type=number(float, 0, 3600),
            default=cls.slow_seconds,
            metavar="SECONDS",
            help="how long the fault `slow` takes (%(default)s)",
        )
        parser.add_argument(
            "--webhook", nargs=2, metavar=("URL", "SECRET"), help="a callback without registration"
        )
        parser.add_argument(
            "--callback-loss",
            type=number(float, 0, 1),
            default=cls.callback_loss,
            metavar="RATE",
            help="how many of the callbacks are never sent (%(default)s)",
        )
        parser.add_argument(
            "--callback-repeats",
            type=number(float, 0, 1),
            default=cls.callback_repeats,
            metavar="RATE",
            help="how many of the callbacks are sent twice (%(default)s)",
        )
        if fields(cls.switches_class):
            cls.switches_class.add_flag(parser)

    @classmethod
    def from_flags(cls, flags: argparse.Namespace) -> Self:
        given = {option.name for option in fields(cls)} & set(vars(flags))
        return cls(**{name: getattr(flags, name) for name in given})


def number(kind: Callable[[str], Any], lowest: float, highest: float) -> Callable[[str], Any]:
    """A reader of numbers from `lowest` to `highest`, for the `type` of a flag."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"a number from {lowest} to {highest}")
        return value

    return read


def _fault_of(kinds: Sequence[str]) -> Callable[[str], Fault]:
    def read(text: str) -> Fault:
        try:
            return check_kind(Fault.parse(text), kinds)
        except ValueError as error:
            raise argparse.ArgumentTypeError(
                f"{error}; write it like create_shipment:reset_after:0.1"
            ) from None

    return read


def _outcomes(text: str) -> Outcomes:
    try:
        given = {key.strip(): int(value) for key, value in (p.split("=") for p in text.split(","))}
        outcomes = Outcomes(**{"delivered": 0, "undelivered": 0, "rto": 0, **given})
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError(
            "write it like delivered=85,undelivered=5,rto=10"
        ) from None
    numbers = asdict(outcomes).values()
    if min(numbers) < 0 or sum(numbers) == 0:
        raise argparse.ArgumentTypeError("numbers of 0 or more, not all 0")
    return outcomes
