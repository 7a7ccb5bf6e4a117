"""Removing the exact values that a request carried from what comes back. Pure.

A courier's error may repeat the request, whole, cut or in another writing. The rules, in letters
and digits (blanks, punctuation, case and escapes do not count):

- Of a phone every run of 7 digits is masked, of every other private value every run of 10
  characters, so that a cut value is found. A shorter fragment stays.
- A value of 3 to 9 characters, and each word of 4 or more in a person's name, is masked as a whole
  word. Shorter values stay: they would blank half of a sentence. So do the COMMON words.
- A secret of 6 to 9 characters is masked inside words, too. One that is next to no letters is
  looked for as it is written.
- An open value stays as a whole word, even where it equals a private one.
- Base64 is read, too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from couriers.contract.masking.letters import Letters, fold, letters_of
from couriers.contract.masking.patterns import MASK, mask_text
from couriers.contract.masking.sent import MIN_PRIVATE_DIGITS, SentValues

RUN = 10  # characters of a private value that are found inside a longer text
DIGIT_RUN = 7  # digits of a phone
SHORTEST = 3  # characters of a value that is masked as a whole word
SHORTEST_NAME = 4  # letters of a word of a name
SHORTEST_INSIDE = 6  # characters of a secret that is found inside a word
# Words of refusals. As somebody's name they stay, because without them no refusal can be read.
_COMMON_WORDS = (
    "account address allowed already amount awb bad booked booking cancelled city cod code country"
    " courier customer date delivered delivery duplicate empty error exists failed field for found"
    " invalid item items limit location main max may min missing name not number only open order"
    " package parcel payment phone pickup pin pincode please prepaid product quantity rejected"
    " required return seller service shipment state status the token tracking unknown user value"
    " wallet waybill weight wrong"
)
COMMON = frozenset(_COMMON_WORDS.split())
# Neither an escape nor a word goes over it.
_BETWEEN_TEXTS = "\n\n"
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{14,}")


@dataclass(frozen=True, slots=True)
class _Walk:
    """One walk through parsed JSON: what is done with its texts, and with words for people."""

    scrub: Callable[[str], str]
    scrub_words: Callable[[str], str]
    word_fields: Collection[str]
    kept: Collection[str]

    def value(self, value: Any) -> Any:
        """Return a value, scrubbed; a number that has to be masked becomes a text."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {self.scrub(name): self._field(name, inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        if _is_long_number(value):
            return value if self.scrub(repr(value)) == repr(value) else MASK
        return value

    def _field(self, name: str, value: Any) -> Any:
        if name in self.kept:
            return value
        if name in self.word_fields:
            if isinstance(value, str):
                return self.scrub_words(value)
            if isinstance(value, list):
                return [self._field(name, inner) for inner in value]
        return self.value(value)


class Scrubber:
    """Masks the values of one request."""

    def __init__(self, sent: SentValues) -> None:
        self._sent = sent

    def scrub(self, text: str) -> str:
        """Return the text with the sent values masked."""
        places = list(self._places(text))
        places += [
            found.span()
            for found in _BASE64.finditer(text)
            if any(next(self._places(inner), None) for inner in _decodings(found[0]))
        ]
        return _mask_places(text, places) if places else text

    def scrub_words(self, text: str) -> str:
        """Return words for people: scrubbed, and without what looks like a phone or an e-mail."""
        return self._mask_words(self.scrub(text))

    def scrub_json(
        self, data: Any, *, word_fields: Collection[str] = (), kept: Collection[str] = ()
    ) -> Any:
        """Return parsed JSON with the sent values masked in its texts, numbers and field names.

        The fields `word_fields` have words for people, or lists of them. The fields `kept` stay as
        they are.
        """
        # Most answers repeat nothing. One look at all their texts together finds that out quickly.
        together = _BETWEEN_TEXTS.join(_texts_in(data))
        if self.scrub(together) == together:
            return _Walk(str, self._mask_words, word_fields, ()).value(data)
        return _Walk(self.scrub, self.scrub_words, word_fields, kept).value(data)

    def _mask_words(self, text: str) -> str:
        return mask_text(text, keep=self._sent.open)

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places in the text, start and end, that hold a part of a sent value."""
        for secret in self._bare_secrets:
            yield from (found.span() for found in re.finditer(re.escape(secret), text))
        folded = fold(text)
        inside = [
            *_runs_in(folded, RUN, self._runs),
            *_runs_in(folded, DIGIT_RUN, self._digit_runs),
            *_occurrences(folded, self._short_secrets),
        ]
        words = list(_occurrences(folded, self._words))
        if inside or words:
            letters = letters_of(text)
            open_places = self._open_places(letters)
            inside += [place for place in words if letters.is_word(*place)]
            hidden = {place for start, end in inside for place in range(start, end)}
            for start, end in _ranges(hidden - open_places):
                yield letters.starts[start], letters.ends[end]

    def _open_places(self, letters: Letters) -> set[int]:
        return {
            place
            for start, end in _occurrences(letters.folded, self._open)
            if letters.is_word(start, end)
            for place in range(start, end)
        }

    @cached_property
    def _open(self) -> frozenset[str]:
        return frozenset(one for one in map(fold, self._sent.open) if len(one) >= SHORTEST)

    @cached_property
    def _folded_texts(self) -> list[str]:
        return [fold(text) for text in (*self._sent.names, *self._sent.texts)]

    @cached_property
    def _runs(self) -> frozenset[str]:
        values = [*self._folded_texts, *map(fold, self._sent.secrets)]
        return frozenset(_parts(values, RUN))

    @cached_property
    def _digit_runs(self) -> frozenset[str]:
        phones = (one[-10:] for one in self._folded_texts if _is_phone(one))
        return frozenset(_parts(phones, DIGIT_RUN))

    @cached_property
    def _words(self) -> frozenset[str]:
        values = [*self._folded_texts, *map(fold, self._sent.secrets)]
        short = {one for one in values if SHORTEST <= len(one) < RUN}
        of_names = {
            word
            for name in self._sent.names
            for word in map(fold, name.split())
            if len(word) >= SHORTEST_NAME
        }
        return frozenset((short | of_names) - COMMON - self._open)

    @cached_property
    def _short_secrets(self) -> frozenset[str]:
        folded = map(fold, self._sent.secrets)
        return frozenset(one for one in folded if SHORTEST_INSIDE <= len(one) < RUN)

    @cached_property
    def _bare_secrets(self) -> tuple[str, ...]:
        """The secrets with next to no letters, which are looked for as they are."""
        return tuple(one for one in self._sent.secrets if len(one) >= SHORTEST > len(fold(one)))


def _texts_in(data: Any) -> Iterator[str]:
    """Yield every text of parsed JSON, its field names and its long numbers."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from data
        for inner in data.values():
            yield from _texts_in(inner)
    elif isinstance(data, list):
        for inner in data:
            yield from _texts_in(inner)
    elif _is_long_number(data):
        yield repr(data)


def _is_long_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) >= 10 ** (DIGIT_RUN - 1)


def _runs_in(folded: str, length: int, runs: Collection[str]) -> list[tuple[int, int]]:
    """Return the places of all runs of this length that are among `runs`."""
    if not runs:
        return []
    starts = range(len(folded) - length + 1)
    return [(one, one + length) for one in starts if folded[one : one + length] in runs]


def _is_phone(folded: str) -> bool:
    return len(folded) >= MIN_PRIVATE_DIGITS and folded.isdecimal()


def _parts(values: Iterable[str], length: int) -> Iterator[str]:
    """Yield every part of this length of every value."""
    for value in values:
        for start in range(len(value) - length + 1):
            yield value[start : start + length]


def _occurrences(folded: str, values: Iterable[str]) -> Iterator[tuple[int, int]]:
    for value in values:
        start = folded.find(value)
        while start >= 0:
            yield start, start + len(value)
            start = folded.find(value, start + 1)


def _ranges(numbers: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of numbers that follow each other without a gap."""
    first = last = None
    for number in sorted(numbers):
        if first is not None and last is not None and number > last + 1:
            yield first, last
            first = number
        first, last = number if first is None else first, number
    if first is not None and last is not None:
        yield first, last


def _decodings(text: str) -> Iterator[str]:
    """Yield what the text says if it is base64 that begins at one of its first four characters."""
    plain = text.translate({ord("-"): "+", ord("_"): "/"})
    for start in range(4):
        whole = plain[start:]
        # A cut end is dropped: base64 stands in groups of four.
        cut = whole[: len(whole) // 4 * 4]
        padded = cut + whole[len(cut) :].ljust(4, "=") if len(whole) % 4 > 1 else cut
        try:
            yield base64.b64decode(padded).decode("utf-8", "ignore")
        except binascii.Error:
            continue


def _mask_places(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Return the text with a mask in these places, one where they touch or overlap."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(places):
        if start > done or not parts:
            parts += [text[done:start], MASK]
        done = max(done, end)
    return "".join(parts) + text[done:]
