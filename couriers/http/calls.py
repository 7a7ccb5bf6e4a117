"""One call to a courier: what is sent, and which of it may come back in its words. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from couriers.contract.masking import SentValues, sent_values
from couriers.http.operations import Operation

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class SentFields:
    """Which fields of a courier's requests may come back in its words.

    Those of `open` are ids, places, dates and plain words. `names` are names of persons, each word
    of which is private. Every field that is not listed is private as a whole.
    """

    open: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One HTTP call of an operation, without the login. Its repr hides what is sent.

    `json` is a JSON body. `form` is an urlencoded one; a field that is no text is sent as JSON.
    `ids` may come back: those in the path, and those in private fields. `cost` is that of the
    operation's limit where it is None.
    """

    operation: str
    declared: Operation
    path: str
    json: Any = None
    form: Mapping[str, Any] | None = None
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    cost: int | None = None

    def __repr__(self) -> str:
        return f"Call({self.operation!r}, {self.declared.method!r})"

    def body(self) -> tuple[bytes | None, str]:
        """Return the encoded body and its content type; None and "" where there is none.

        Raises ValueError or TypeError for what JSON cannot hold.
        """
        if self.form is not None:
            texts = {
                name: value if isinstance(value, str) else _to_json(value)
                for name, value in self.form.items()
            }
            # %20 for a space, which every server reads, and not only those that read forms.
            return urlencode(texts, quote_via=quote, safe="").encode("ascii"), FORM
        if self.json is not None:
            return _to_json(self.json).encode(), JSON
        return None, ""

    def sent(self, fields: SentFields, secrets: tuple[str, ...], login: Any = None) -> SentValues:
        """Return the values that the call sends, and those of the login that it does not."""
        everything = [login, self.json, self.form, self.params]
        return sent_values(
            everything,
            open_fields=fields.open,
            name_fields=fields.names,
            secrets=secrets,
            ids=self.ids,
        )


def _to_json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
