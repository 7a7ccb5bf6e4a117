"""Checks and cleaning of the characters in texts from outside. Pure functions.

A text from outside is one line. Line breaks and tabs become blanks, and invisible marks at its ends
are dropped. Inside, what hides or reorders characters is refused. The joiners U+200C and U+200D are
part of the spelling of Indian scripts and of emoji, and are kept there.
"""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls, zero-width characters, marks of writing direction, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_BLANKS = " \u00a0\u2007\u202f"
_JOINERS = "\u200c\u200d"
# Marks without a look of their own. The overrides U+202D and U+202E are not among them: they show
# the characters after them in another order.
_MARKS = (
    "\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff"
)
_PHONE_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
_SPACES = {ord(blank): " " for blank in _BLANKS}
_PLAIN: dict[int, str | None] = {
    **{ord(c): "-" for c in _PHONE_DASHES},
    **{ord(c): " " for c in _BLANKS},
    **{ord(c): None for c in _MARKS + _JOINERS},
}
# Blocks of the scripts of India that are written with joiners, Arabic (Urdu) among them.
_INDIAN_SCRIPTS = re.compile(
    "[\u0600-\u06ff\u0750-\u077f\u0900-\u0dff\u1cd0-\u1cff\ua8e0-\ua8ff\uaae0-\uaaff\uabc0-\uabff]"
)
_MARKS_AT_ENDS = _BLANKS + _MARKS + "".join(chr(n) for n in (0x2000, 0x2009, 0x200A, 0x3000))


def clean_line(text: str) -> str:
    """Return the text as one line, without blanks and invisible marks at its ends.

    Line breaks and tabs become one blank, and so do no-break spaces.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    parts = (part.strip() for part in _BREAKS.split(text))
    line = " ".join(part for part in parts if part)
    return _trim_marks(line).translate(_SPACES)


def plain_digits(text: str) -> str:
    """Return the text of a phone or a pincode without invisible marks, in ASCII where it can be.

    Digits of any script become ASCII digits, no-break spaces blanks, dashes hyphens.
    """
    if text.isascii():
        return text.strip()
    plain = text.translate(_PLAIN)
    return "".join(str(unicodedata.decimal(c, c)) for c in plain).strip()


def without_characters(text: str, unwanted: str) -> str:
    """Return the text with one blank where a courier does not take the characters."""
    return " ".join(text.translate(dict.fromkeys(map(ord, unwanted), " ")).split())


def compact(text: str) -> str:
    """Return `plain_digits` without any blanks, for numbers such as pincodes."""
    return plain_digits(text).replace(" ", "")


def character_problem(text: str) -> str | None:
    """Return the problem of a text with a character that hides or reorders others, or None."""
    if text.isascii() and text.isprintable():
        return None
    for found in _UNPRINTABLE.finditer(text):
        if not _is_spelling(text, found.start()):
            return f"contains {_description(found[0])}, which cannot be seen: remove it"
    return None


def latin_problem(text: str) -> str | None:
    """Return what is wrong with a text of more than Latin letters and the signs beside them."""
    if text.isascii():
        return None
    for one in text:
        kind = unicodedata.category(one)
        is_sign = one <= "\u00ff" or kind[0] in "PZ" or kind == "Sc"
        if not is_sign and not unicodedata.name(one, "").startswith("LATIN "):
            return "has an emoji or a letter that is not Latin, which the courier does not take"
    return None


def has_control_characters(text: str) -> bool:
    """Whether a text has invisible characters, or characters that hide or reorder others."""
    return character_problem(text) is not None


def make_storable(text: str) -> str:
    """Remove NUL and replace lone surrogates by `?`, because PostgreSQL can store neither."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can store the text as it is."""
    return make_storable(text) == text


def _trim_marks(text: str) -> str:
    """Drop blanks and marks at both ends, and joiners there that join nothing."""
    text = text.lstrip(_MARKS_AT_ENDS + _JOINERS)
    while True:
        text = text.rstrip(_MARKS_AT_ENDS)
        if not text or text[-1] not in _JOINERS or _is_spelling(text, len(text) - 1):
            return text
        text = text[:-1]


def without_formula(text: str) -> str:
    """Return the text, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _is_spelling(text: str, place: int) -> bool:
    """Whether the character at `place` is a joiner after an Indian letter, or between emoji."""
    if text[place] not in _JOINERS or not place:
        return False
    before, after = text[place - 1], text[place + 1 : place + 2]
    if _INDIAN_SCRIPTS.match(before):
        return unicodedata.category(before)[0] in "LM"
    return text[place] == "\u200d" and _is_emoji(before) and _is_emoji(after)


def _is_emoji(character: str) -> bool:
    if not character:
        return False
    # U+FE0F asks for the colourful form of the symbol before it. Skin tones are modifiers (Sk).
    return character == "\ufe0f" or unicodedata.category(character) in ("So", "Sk")


def _description(character: str) -> str:
    """Return a character as U+202E (right-to-left override)."""
    name = unicodedata.name(character, "a control character").lower()
    return f"U+{ord(character):04X} ({name})"
