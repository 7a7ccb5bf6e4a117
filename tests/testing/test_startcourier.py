"""`manage.py startcourier NAME` lays out a plug-in. test_guide.py runs the tests that it makes."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def startcourier(*arguments: str) -> str:
    output = StringIO()
    call_command("startcourier", *arguments, stdout=output)
    return output.getvalue()


def test_the_folder_has_a_plug_in_with_tests_and_notes() -> None:
    startcourier("acme")
    assert {str(path) for path in Path("couriers_acme").rglob("*") if path.is_file()} == {
        f"couriers_acme/{name}"
        for name in (
            "README.md", "__init__.py", "adapter.py", "apps.py", "client.py",
            "py.typed", "receiver.py", "statuses.py", "tests/__init__.py",
            "tests/settings.py", "tests/test_acme.py",
        )
    }  # fmt: skip


def test_no_variable_of_the_template_is_left_and_every_module_can_be_compiled() -> None:
    startcourier("blue_dart2", "--title", "Blue Dart")
    for path in Path("couriers_blue_dart2").rglob("*.*"):
        text = path.read_text()
        assert "{{" not in text, path
        if path.suffix == ".py":
            compile(text, path, "exec")
    adapter = Path("couriers_blue_dart2/adapter.py").read_text()
    assert "class BlueDart2Adapter(HttpAdapter):" in adapter
    assert 'name = "Blue Dart"' in adapter


def test_every_place_to_fill_in_and_the_entries_of_pyproject_are_printed() -> None:
    printed = startcourier("acme")
    assert 'packages = ["couriers_acme"]' in printed
    places = [
        f"{path}:{number}:"
        for path in Path("couriers_acme").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "Fill in: " in line
    ]
    assert len(places) > 10
    assert all(place in printed for place in places)
    assert printed.splitlines()[-1].startswith("11 files in couriers_acme")


def test_the_summary_can_be_json() -> None:
    summary = json.loads(startcourier("acme", "--json"))
    assert summary == {"folder": str(Path.cwd() / "couriers_acme"), "files": 11}


def test_an_existing_folder_is_refused_and_left_alone() -> None:
    folder = Path("couriers_acme")
    folder.mkdir()
    with pytest.raises(CommandError, match="exists already") as caught:
        startcourier("acme")
    assert caught.value.returncode == 2
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "auto", "Acme", "acme-express", "2acme", "acme_", "../acme", "a" * 31, "é"]
)
def test_a_name_that_is_no_code_is_refused(name: Any) -> None:
    with pytest.raises(CommandError, match="is not a courier's code"):
        startcourier(name)
    assert list(Path().iterdir()) == []
