"""The translations of the tracking pages: complete, compiled, and with the same placeholders."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2] / "couriers"
FOLDER = ROOT / "locale" / "hi" / "LC_MESSAGES"
Message = tuple[str, str]  # the context and the English words
CALLS = ("pgettext", "pgettext_lazy")
_PLACE = re.compile(r"%\(\w+\)[sd]|<[^>]+>")


def of_modules() -> Iterator[Message]:
    """What the modules translate. Each call has plain texts, as a tool that reads them needs."""
    for path in (ROOT / "tracking").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                context, words = (ast.literal_eval(one) for one in node.args)
                yield context, words


def of_templates() -> Iterator[Message]:
    """What the templates translate, as `makemessages` finds it."""
    for path in (ROOT / "templates" / "couriers").glob("*.html"):
        source = templatize(path.read_text(), origin=str(path))
        # Django's own reader turns the tags into calls, and everything else into rows of X.
        for call in re.findall(
            r"pgettext\(((?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[u, ])+)", source
        ):
            context, words = ast.literal_eval(f"({call})")
            yield context, words


def po_entries() -> dict[Message, str]:
    """The translations of django.po by message. It has one text a line."""
    found = {}
    entry = re.compile(r'msgctxt (".*")\nmsgid (".*")\nmsgstr (".*")')
    for parts in entry.findall((FOLDER / "django.po").read_text()):
        context, words, translated = map(ast.literal_eval, parts)
        found[context, words] = translated
    return found


def test_every_word_of_the_pages_has_its_hindi_and_no_other_is_translated() -> None:
    entries = po_entries()
    used = {*of_modules(), *of_templates()}
    assert len(used) > 140
    assert used - entries.keys() == set(), "run makemessages (CONTRIBUTING.md)"
    assert entries.keys() - used == set(), "no page says this any more"


def test_every_translation_is_in_hindi_and_keeps_the_placeholders() -> None:
    for (_, words), translated in po_entries().items():
        assert sorted(_PLACE.findall(words)) == sorted(_PLACE.findall(translated)), words
        rest = _PLACE.sub("", translated)
        assert re.search("[\u0900-\u097f]", rest) or not re.search("[A-Za-z]", rest), words
    assert "fuzzy" not in (FOLDER / "django.po").read_text()


def test_the_compiled_file_is_that_of_the_readable_one() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    compiled = {tuple(key.split("\x04")): text for key, text in catalogue.items() if key}
    assert compiled == po_entries(), "run compilemessages (CONTRIBUTING.md)"
