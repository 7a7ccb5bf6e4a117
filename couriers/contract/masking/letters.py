"""The letters and digits of a text, whatever its writing, each with its place in the text. Pure.

Case, blanks, punctuation and the usual escapes do not count: `98765.43210`, `98765%2043210` and
`9876&#53;43210` have the same digits.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

# URL encoding, HTML and XML entities, escapes of JSON and of Python.
_ESCAPE = re.compile(
    r"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f])+"
    r"|&#?\w{1,31};"
    r"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[0-9A-Fa-f]{4}|\\u[0-9A-Fa-f]{4}"
    r"|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\[^uUx]"
)
_NO_LETTERS = re.compile(r"[^0-9A-Za-z]+")
_MAX_ROUNDS = 4  # an escape may be escaped again: %2541, &amp;#65;, \\u0041


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters and digits of a text in lower case, and where each stands in the text."""

    folded: str
    starts: Sequence[int]
    ends: Sequence[int]

    def is_word(self, start: int, end: int) -> bool:
        """Whether these letters are whole words: no letter of the text adjoins them."""
        begins = start == 0 or self.starts[start] > self.ends[start - 1]
        return begins and (end == len(self.folded) or self.starts[end] > self.ends[end - 1])


def letters_of(text: str) -> Letters:
    """Return the letters and digits of a text after its escapes are resolved."""
    starts: Sequence[int] = range(len(text))
    ends: Sequence[int] = range(1, len(text) + 1)
    for _ in range(_MAX_ROUNDS):
        if not _ESCAPE.search(text):
            break
        text, starts, ends = _unescape_once(text, starts, ends)
    if text.isascii():
        places = [place for place, character in enumerate(text) if character.isalnum()]
        folded = "".join([text[place] for place in places]).lower()
    else:
        pairs = [(place, c) for place, character in enumerate(text) for c in _fold(character)]
        places = [place for place, _ in pairs]
        folded = "".join([c for _, c in pairs])
    return Letters(folded, [starts[place] for place in places], [ends[place] for place in places])


def fold(text: str) -> str:
    """Return `letters_of(text).folded`, and quickly where the text has no escapes."""
    if text.isascii() and not _ESCAPE.search(text):
        return _NO_LETTERS.sub("", text).lower()
    return letters_of(text).folded


def _fold(character: str) -> Iterator[str]:
    """Yield a character as it is compared: digits of every script are ASCII digits."""
    if character.isascii():
        if character.isalnum():
            yield character.lower()
        return
    for part in unicodedata.normalize("NFKD", character).casefold():
        if part.isalnum() or unicodedata.category(part)[0] == "M":
            yield str(unicodedata.decimal(part, part))


def _unescape_once(
    text: str, starts: Sequence[int], ends: Sequence[int]
) -> tuple[str, list[int], list[int]]:
    """Return the text with its escapes resolved; each character keeps the place of its escape."""
    parts: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    done = 0
    for escape in _ESCAPE.finditer(text):
        first, last = escape.span()
        meant = _meaning(escape[0])
        parts += [text[done:first], meant]
        new_starts += [*starts[done:first], *[starts[first]] * len(meant)]
        new_ends += [*ends[done:first], *[ends[last - 1]] * len(meant)]
        done = last
    parts.append(text[done:])
    return "".join(parts), [*new_starts, *starts[done:]], [*new_ends, *ends[done:]]


def _meaning(escape: str) -> str:
    if escape[0] == "%":
        return unquote(escape)
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[1] in "uUx":
        return _code_points(escape)
    return escape[1] if escape[1] in "\\&%" else " "


def _code_points(escape: str) -> str:
    r"""Return the character of \\u0041, of a pair of surrogates, of \\U0001f600 or of \\x41."""
    codes = [int(code, 16) for code in re.split(r"\\[uUx]", escape)[1:]]
    if len(codes) == 2 and 0xDC00 <= codes[1] < 0xE000:
        return chr(0x10000 + ((codes[0] - 0xD800) << 10) + codes[1] - 0xDC00)
    return "".join(chr(code) if code <= 0x10FFFF else " " for code in codes)
