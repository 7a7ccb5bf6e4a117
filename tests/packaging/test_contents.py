"""The wheels hold what the apps need to run, and nothing that only the repository needs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.wheels import PROJECTS, ROOT, Distributions, build

PACKAGES = {
    "shipcrowd": (
        "shipcrowd",
        "couriers",
        "couriers_ekart",
        "couriers_delhivery",
        "couriers_velocity",
        "webhooks",
    ),
    "shipcrowd_sandbox": ("sandbox",),
}
# What describes a distribution and is not a part of the package.
NOT_INSTALLED = {"sandbox/LICENSE", "sandbox/README.md", "sandbox/pyproject.toml"}
# pyproject.toml moves the file, so that couriers/ holds rooms alone.
MOVED = {"shipcrowd/couriers.typed": "couriers/py.typed"}

each_project = pytest.mark.parametrize("project", list(PROJECTS))


def source_files(*folders: str) -> set[str]:
    """The files of a checkout that are committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not in a checkout")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


def files_in(wheel: Path) -> set[str]:
    """The files of the wheel that are installed, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@each_project
def test_the_wheel_has_every_file_of_its_packages_and_no_other(
    project: str, distributions: Distributions
) -> None:
    files = source_files(*PACKAGES[project]) - NOT_INSTALLED
    expected = {MOVED.get(name, name) for name in files}
    assert files_in(distributions.wheel(project)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "couriers/management/courier_template/adapter.py-tpl",
        "couriers/locale/hi/LC_MESSAGES/django.mo",
        "couriers/management/courier_template/tests/test_code.py-tpl",
        "couriers/migrations/0001_initial.py",
        "couriers/py.typed",
        "couriers/testing/toy/sandbox.py",
        "couriers/templates/admin/shipcrowd_couriers/settle_doubt.html",
        "couriers/api/examples/operations/book_shipment.json",
        "couriers/templates/couriers/pages.css",
        "couriers/templates/couriers/reference_operation.html",
        "couriers_ekart/py.typed",
        "couriers_delhivery/py.typed",
        "couriers_velocity/py.typed",
        "shipcrowd/py.typed",
        "shipcrowd/templates/admin/index.html",
        "webhooks/migrations/0001_initial.py",
        "webhooks/py.typed",
        "webhooks/templates/admin/shipcrowd_webhooks/replay.html",
    ],
)
def test_the_wheel_has_files_of_every_kind(name: str, distributions: Distributions) -> None:
    assert name in files_in(distributions.wheel("shipcrowd"))


@each_project
def test_the_wheel_has_no_folder_that_only_the_repository_needs(
    project: str, distributions: Distributions
) -> None:
    top = {name.split("/")[0] for name in files_in(distributions.wheel(project))}
    assert top == set(PACKAGES[project])
    assert not top & {"tests", "fixtures", "benchmarks", "docs"}


@each_project
def test_the_sdist_makes_the_wheel_that_the_checkout_makes(
    project: str, distributions: Distributions, tmp_path: Path
) -> None:
    build(PROJECTS[project], tmp_path, "--wheel")
    (direct,) = tmp_path.glob("*.whl")
    # `python -m build` without arguments makes the wheel from the sdist.
    from_sdist = distributions.wheel(project)
    assert direct.name == from_sdist.name
    assert direct.read_bytes() == from_sdist.read_bytes()


@each_project
def test_the_sdist_has_only_what_the_wheel_is_made_of(
    project: str, distributions: Distributions
) -> None:
    with tarfile.open(distributions.sdist(project)) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    made_of = {f"{package}/" for package in PACKAGES[project]}
    if project == "shipcrowd_sandbox":
        names = {f"sandbox/{name}" for name in names}
    rest = {name for name in names if not any(name.startswith(folder) for folder in made_of)}
    assert rest <= {
        ".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml",
    }  # fmt: skip


def test_twine_accepts_every_distribution(distributions: Distributions) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *distributions.all()],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 4
