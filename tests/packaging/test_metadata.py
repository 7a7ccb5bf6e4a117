"""What the distributions say of themselves, and that their parts say the same."""

from __future__ import annotations

import re
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support.wheels import PROJECTS, ROOT, Distributions

PYTHONS = ("3.11", "3.12", "3.13")


def metadata_of(project: str, distributions: Distributions) -> Message:
    """The METADATA file of the project's wheel."""
    with zipfile.ZipFile(distributions.wheel(project)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def pyproject(project: str) -> dict[str, Any]:
    """The project's pyproject.toml."""
    return tomllib.loads((PROJECTS[project] / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    """The distributions that are required, in the spelling that indexes use."""
    return {re.sub(r"[-_.]+", "-", Requirement(line).name).lower() for line in requirements}


@pytest.mark.parametrize("project", list(PROJECTS))
def test_the_metadata_name_pythons_licence_and_description(
    project: str, distributions: Distributions
) -> None:
    metadata = metadata_of(project, distributions)
    classifiers = metadata.get_all("Classifier", [])
    assert metadata["Requires-Python"] == ">=3.11"
    for version in PYTHONS:
        assert f"Programming Language :: Python :: {version}" in classifiers
    assert "Typing :: Typed" in classifiers
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (PROJECTS[project] / "README.md").read_text()
    assert metadata["Summary"]


def test_the_platform_names_its_django_and_its_extras(distributions: Distributions) -> None:
    metadata = metadata_of("shipcrowd", distributions)
    assert "Framework :: Django :: 5.2" in metadata.get_all("Classifier", [])
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "dev", "embedded", "otel", "sandbox", "sentry", "testing",
    }  # fmt: skip
    required = metadata.get_all("Requires-Dist", [])
    assert "shipcrowd-sandbox; extra == 'sandbox'" in required
    assert not any("aiohttp" in line or "reportlab" in line for line in required if ";" not in line)


def test_both_distributions_have_one_version(distributions: Distributions) -> None:
    versions = {metadata_of(project, distributions)["Version"] for project in PROJECTS}
    assert len(versions) == 1
    assert "+" not in versions.pop()


def test_a_clone_installs_what_the_sandbox_needs() -> None:
    dev = pyproject("shipcrowd")["project"]["optional-dependencies"]["dev"]
    assert set(pyproject("shipcrowd_sandbox")["project"]["dependencies"]) <= set(dev)


def test_a_clone_installs_what_a_build_without_isolation_needs() -> None:
    dev = pyproject("shipcrowd")["project"]["optional-dependencies"]["dev"]
    for project in PROJECTS:
        assert set(pyproject(project)["build-system"]["requires"]) <= set(dev)


def test_both_projects_count_versions_alike() -> None:
    platform, sandbox = (
        pyproject(project)["tool"]["hatch"]["version"]["raw-options"] for project in PROJECTS
    )
    assert sandbox == platform | {"search_parent_directories": True}


def test_both_projects_have_the_same_licence() -> None:
    assert (ROOT / "sandbox" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_constraints_are_plain_pins_that_the_ranges_allow() -> None:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line), line
        name, _, version = line.partition("==")
        pins[names([name]).pop()] = version
    project = pyproject("shipcrowd")["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["embedded"]]
    for line in [*ranges, *project["optional-dependencies"]["dev"]]:
        assert Requirement(line).specifier.contains(pins[names([line]).pop()]), line


def test_make_matrix_runs_the_pythons_of_the_classifiers() -> None:
    (given,) = re.findall(r"^PYTHONS \?= (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert given.split() == [f"python{version}" for version in PYTHONS]


def test_the_container_copies_what_the_wheel_is_made_of() -> None:
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    packages = pyproject("shipcrowd")["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert copied == packages
