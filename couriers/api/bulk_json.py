"""Reads the JSON of a bulk request order by order, so that 10,000 of them take little memory.

Parsed as a whole, a body of 32 MiB would take several times that.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from rest_framework.exceptions import ParseError, ValidationError

from couriers.api.parsers import DECODER, not_json, parse_error, refuse_unstorable

ORDERS = "orders"
READ_AT_ONCE = 256 * 1024  # bytes
MAX_VALUE = 1024 * 1024  # characters of one order: the largest that is valid has a tenth of it
_SPACE = re.compile(r"[ \t\n\r]*")


def read_orders(file: IO[bytes], fields: dict[str, Any]) -> Iterator[Any]:
    """Read an object with `orders`, and yield each of them. Its fields are put in `fields`.

    `orders` in `fields`, where they are a list, are as many None. Raises ParseError as
    BoundedJSONParser does, and ValidationError for a field that stands twice or a body that is no
    object.
    """
    text = _Text(file)
    if text.next_mark() != "{":
        text.value()
        text.end()
        raise ValidationError(["must be an object"])
    for _ in text.parts("{", "}"):
        name = text.name()
        if name in fields:
            raise ValidationError({name[:100]: ["stands twice in its object"]})
        if name == ORDERS and text.next_mark() == "[":
            fields[name] = []
            for _ in text.parts("[", "]"):
                fields[name].append(None)
                yield text.value()
        else:
            fields[name] = text.value()
    text.end()


class _Text:
    """The text of a body, of which a part is decoded at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._read = 0  # bytes that are decoded
        self._is_whole = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._line, self._column = 1, 1  # of the start of _text

    def next_mark(self) -> str:
        """Return the next character that is not white space, "" at the end. It is not taken."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def parts(self, begin: str, end: str) -> Iterator[None]:
        """Yield before each part of an object or a list, which the caller takes."""
        self.expect(begin)
        if self.next_mark() == end:
            self.expect(end)
            return
        while True:
            yield
            if self.expect(f",{end}") == end:
                return

    def expect(self, marks: str) -> str:
        """Take one of these characters and return it. Raises ParseError where none comes next."""
        found = self.next_mark()
        if not found or found not in marks:
            raise self._malformed(self._at)
        self._at += 1
        return found

    def name(self) -> str:
        """Take the name of a field and its colon."""
        if self.next_mark() != '"':
            raise self._malformed(self._at)
        name = str(self.value())
        self.expect(":")
        return name

    def end(self) -> None:
        """Raise ParseError where anything follows."""
        if self.next_mark():
            raise self._malformed(self._at)

    def value(self) -> Any:
        """Take a value of at most MAX_VALUE characters."""
        self.next_mark()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at < MAX_VALUE and self._more():
                    continue  # the value may go on
                raise self._malformed(error.pos) from None
            except (ValueError, RecursionError) as error:
                raise parse_error(error) from None
            if end > len(self._text) - 3 and self._more():
                continue  # a number may go on, as 1 does in 1e+2
            self._at = end
            refuse_unstorable(value)
            return value

    def _more(self) -> bool:
        """Decode the next part; return whether there was one. What was taken is dropped."""
        if self._is_whole:
            return False
        part = self._file.read(READ_AT_ONCE)
        self._read += len(part)
        self._is_whole = not part
        try:
            decoded = self._decoder.decode(part, final=self._is_whole)
        except UnicodeDecodeError as error:
            byte = self._read - len(error.object) + error.start
            raise ParseError(f"The body is not UTF-8 (byte {byte}).") from None
        if self._is_whole:
            return False
        self._line, self._column = self._place(self._at)
        self._text, self._at = self._text[self._at :] + decoded, 0
        return True

    def _place(self, at: int) -> tuple[int, int]:
        """Return the line and the column of a position in the text."""
        lines = self._text.count("\n", 0, at)
        if not lines:
            return self._line, self._column + at
        return self._line + lines, at - self._text.rindex("\n", 0, at)

    def _malformed(self, at: int) -> ParseError:
        return not_json(*self._place(at))
