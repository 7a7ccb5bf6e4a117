"""What is likely, but not surely, wrong with a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """A reason for a warning: a stable `code`, and a message without the consignee's data."""

    code: str
    message: str
