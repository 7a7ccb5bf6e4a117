"""What is read of an answer: how much of it, and as what. Pure.

A decoder takes the bytes of an answer and returns what JSON can hold (objects, lists, texts,
numbers), so that the client can mask in it what the call sent. It raises ValueError for what it
cannot read. A plug-in may pass a decoder of its own to a call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from couriers.contract.json_limits import MAX_DEPTH, nesting_depth

Decoder = Callable[[bytes], Any]

KIB, MIB = 1024, 1024 * 1024
PDF = b"%PDF-"
SHORT = 200  # characters of a text that is words for people


@dataclass(frozen=True, slots=True)
class AnswerSize:
    """The largest answer of an operation that is read, in bytes after decompression.

    Python takes up to 35 times as much memory for parsed JSON. A PDF stays one piece of memory.
    """

    json: int = 64 * KIB
    pdf: int = 0

    def of(self, beginning: bytes) -> int:
        """Return the largest size of an answer that begins with these bytes."""
        return max(self.pdf, self.json) if beginning.startswith(PDF) else self.json


def decode_json(body: bytes) -> Any:
    """Return JSON as Python's values. Raises ValueError where it is broken or too deep."""
    try:
        decoded = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(decoded, (dict, list)) and nesting_depth(decoded) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return decoded


def decode_text(body: bytes) -> str:
    """Return UTF-8 text without blanks at its ends. Raises ValueError (UnicodeDecodeError)."""
    return body.decode().strip()


def decode_xml(body: bytes) -> Any:
    """Return what the root element of XML holds.

    An element with children is an object, without any a text; children of one name are a list.
    Attributes are left out. A document type is refused, and with it every entity of its own. Raises
    ValueError where the XML is refused, broken or too deep.
    """
    builder = _XmlBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.StartElementHandler = builder.start
    parser.CharacterDataHandler = builder.text
    parser.EndElementHandler = builder.end
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ValueError("broken XML") from error
    return builder.root


def decode_json_or_xml(body: bytes) -> Any:
    """Return JSON or XML, by the answer's first character. Raises ValueError."""
    return decode_xml(body) if body.lstrip().startswith(b"<") else decode_json(body)


def decode_any(body: bytes) -> Any:
    """Return JSON, XML, or else a short text; a text is the `message` of an object.

    For couriers that answer words for people where an object is expected. Raises ValueError for a
    text that is long, or the beginning of something else.
    """
    try:
        decoded = decode_json_or_xml(body)
    except ValueError:
        decoded = decode_text(body)
        if not 0 < len(decoded) <= SHORT or decoded[0] in '{["<':
            raise
    return {"message": decoded} if isinstance(decoded, str) else decoded


class _XmlBuilder:
    """Builds the value of the root element while the parser reads."""

    def __init__(self) -> None:
        self.root: Any = None
        # Of each open element: its children by name, and its text.
        self._open: list[tuple[dict[str, list[Any]], list[str]]] = []

    def refuse(self, *_: Any) -> None:
        raise ValueError("a document type is refused")

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise ValueError("nested too deeply")
        self._open.append(({}, []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, name: str) -> None:
        children, texts = self._open.pop()
        value: Any = "".join(texts).strip()
        if children:
            value = {key: found if found[1:] else found[0] for key, found in children.items()}
        if self._open:
            self._open[-1][0].setdefault(name, []).append(value)
        else:
            self.root = value
