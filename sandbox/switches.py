"""The oddities of a courier that can be switched, by flag and while its stand-in runs.

A courier's subclass of `Switches` is a dataclass: each field is a switch, with its usual value and,
by `switch()`, what it means. Values are numbers, true or false, and texts from a list.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self


def switch(usual: Any, meaning: str, *, choices: Sequence[str] = (), most: float = 86_400) -> Any:
    """A field of a subclass of Switches.

    `choices` are the texts that it may have, `most` is the highest number.
    """
    kept = {"meaning": meaning, "choices": tuple(choices), "most": most}
    return field(default=usual, metadata=kept)


@dataclass
class Switches:
    """The oddities of a stand-in, as they are now."""

    def change(self, values: Mapping[str, Any]) -> None:
        """Set some switches. Raises ValueError for an unknown one and for a wrong value."""
        known = {one.name: one for one in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"{name!r} is not a switch: one of {', '.join(known)}")
            _check(name, value, known[name].default, known[name].metadata)
        for name, value in values.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The usual switches with these changes. Raises ValueError as `change` does."""
        switches = cls()
        switches.change(values)
        return switches

    @classmethod
    def add_flag(cls, parser: argparse.ArgumentParser) -> None:
        """Add the flag --switch NAME=VALUE, whose help lists the switches."""
        listed = "; ".join(
            f"{one.name}: {one.metadata['meaning']} ({_shown(one.default)})" for one in fields(cls)
        )
        parser.add_argument(
            "--switch",
            dest="switched",
            type=cls._reader(),
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"change an oddity of the courier. {listed}",
        )

    @classmethod
    def _reader(cls) -> Callable[[str], tuple[str, Any]]:
        def read(text: str) -> tuple[str, Any]:
            name, _, written = text.partition("=")
            value = _value_of(written)
            try:
                cls.of({name: value})
            except ValueError as error:
                raise argparse.ArgumentTypeError(str(error)) from None
            return name, value

        return read


def _check(name: str, value: Any, usual: Any, about: Mapping[str, Any]) -> None:
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name} is true or false")
    elif isinstance(usual, str):
        if value not in about["choices"]:
            raise ValueError(f"{name} is one of {', '.join(about['choices'])}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} is a number")
    elif not 0 <= value <= about["most"]:
        raise ValueError(f"{name} is from 0 to {about['most']}")


def _value_of(written: str) -> Any:
    if written in ("true", "false"):
        return written == "true"
    try:
        return float(written)
    except ValueError:
        return written


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
