"""A courier's operations as data: how each is called, how often, and what it answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote

from couriers.contract.types import Limit
from couriers.http.answers import AnswerSize, Decoder

USUAL_SIZE = AnswerSize()
_NO_SEGMENT = {"", ".", ".."}


@dataclass(frozen=True, slots=True)
class Operation:
    """One of a courier's operations: where it is called, and what holds for each of its calls.

    `path` may name values in braces, as `/parcels/{number}` does. A call without `needs_login` is
    sent without token and key. `read_timeout` is for an operation that takes longer than others: in
    seconds where READ_TIMEOUT has its default, and in proportion where it has not. `decode` reads
    the answers, None: the client's decoder.
    """

    method: str
    path: str
    limit: Limit
    answer_size: AnswerSize = USUAL_SIZE
    needs_login: bool = True
    read_timeout: float | None = None
    decode: Decoder | None = None

    @property
    def path_names(self) -> frozenset[str]:
        """The names of the values in the path."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.path) if name)

    def path_with(self, values: Mapping[str, str]) -> str:
        """Return the path with its values, each quoted as one segment.

        Raises ValueError for other names than the path's, and for a value that is no segment.
        """
        if values.keys() != self.path_names:
            raise ValueError(f"the path takes {sorted(self.path_names)}, not {sorted(values)}")
        if unusable := [name for name, value in values.items() if value in _NO_SEGMENT]:
            raise ValueError(f"not a part of a path: {unusable}")
        return self.path.format_map({name: quote(value, safe="") for name, value in values.items()})
