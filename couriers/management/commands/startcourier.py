"""`manage.py startcourier NAME`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from couriers.contract.plugin_problems import CODE
from couriers.contract.registry import AUTO
from couriers.management import output

TEMPLATE = Path(__file__).resolve().parents[1] / "courier_template"
SUFFIX = "-tpl"
PRINTED = "pyproject.toml"  # whoever has one adds the entries by hand
NAMED_BY_CODE = "test_code.py"
FILL_IN = "Fill in: "


class Command(output.PlatformCommand):
    """Lays out the plug-in of a courier, which passes the static part of the conformance kit.

    Prints the entries of pyproject.toml, and every place that is to be filled in.
    """

    help = "Lay out a plug-in for a courier in the folder couriers_NAME."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the courier's code, such as acme")
        parser.add_argument("--title", default="", help="how people call it; default: from NAME")
        output.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code: str = options["name"]
        if not CODE.fullmatch(code) or code.endswith("_") or code == AUTO:
            raise output.usage_error(
                f"{code!r} is not a courier's code: small letters, digits and _, at most 30, "
                f"beginning with a letter, and not {AUTO!r}"
            )
        folder = Path.cwd() / f"couriers_{code}"
        names = names_of(code, options["title"])
        try:
            folder.mkdir()
        except FileExistsError:
            raise output.usage_error(f"{folder} exists already; nothing was changed") from None
        written = list(write_files(folder, names))
        if not options["json"]:
            self.stdout.write(f"# Entries for {PRINTED}\n{printed_entries(names)}")
            for path in written:
                for number, words in places_to_fill_in(path):
                    self.stdout.write(f"{path.relative_to(Path.cwd())}:{number}: {words}")
        output.finish(
            self,
            f"{len(written)} files in {folder.name}; next: pytest {folder.name}, which passes now",
            {"folder": str(folder), "files": len(written)},
            as_json=options["json"],
        )


def names_of(code: str, title: str = "") -> dict[str, str]:
    """Return what the template's variables stand for."""
    words = code.split("_")
    return {
        "code": code,
        "camel": "".join(word.capitalize() for word in words),
        "title": title or " ".join(word.capitalize() for word in words if word),
        "upper": code.upper(),
        "dashed": code.replace("_", "-"),
    }


def render(source: Path, names: dict[str, str]) -> str:
    """Return a template's text with the names in it."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: names[found[1]], source.read_text())


def write_files(folder: Path, names: dict[str, str]) -> Iterator[Path]:
    """Write every file of the template but the one that is printed; yield their paths."""
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        relative = source.relative_to(TEMPLATE)
        name = relative.name.removesuffix(SUFFIX)
        if name == PRINTED:
            continue
        target = folder / relative.with_name(name)
        if name == NAMED_BY_CODE:
            target = target.with_name(f"test_{names['code']}.py")
        target.parent.mkdir(exist_ok=True)
        target.write_text(render(source, names))
        yield target


def printed_entries(names: dict[str, str]) -> str:
    """Return the entries of pyproject.toml."""
    return render(TEMPLATE / f"{PRINTED}{SUFFIX}", names)


def places_to_fill_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line numbers and words of a file's places that its author fills in."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if FILL_IN in line:
            yield number, line.partition(FILL_IN)[2]
