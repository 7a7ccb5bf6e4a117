"""The version is that of git's tag; a build without a tag or without git works too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import shipcrowd
from tests.support.wheels import PROJECTS, ROOT, HostVirtualenv, build, host_environment

# Every test starts several processes.
pytestmark = pytest.mark.slow

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FALLBACK = PYPROJECT["tool"]["hatch"]["version"]["raw-options"]["fallback_version"]
# With git, the number of commits stands in the place of 0.
COUNTED = FALLBACK.removesuffix("0")
each_project = pytest.mark.parametrize("project", list(PROJECTS))


def git(folder: Path, *arguments: str) -> None:
    """Run git in the folder, with an identity of its own and no configuration of the machine."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder, check=True, capture_output=True,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )  # fmt: skip


def version_of(project: str, checkout: Path) -> str:
    """The version that a build of the project in this checkout would have."""
    folder = checkout / PROJECTS[project].relative_to(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "version"],
        cwd=folder, env=host_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with all that the wheels are made of, and no git."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    for name in (
        "shipcrowd",
        "couriers",
        "couriers_ekart",
        "couriers_delhivery",
        "couriers_velocity",
        "webhooks",
        "sandbox",
    ):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def checkout(sources: Path) -> Path:
    """A git repository with one commit and no tag."""
    git(sources, "init", "--quiet", "--initial-branch", "main")
    git(sources, "add", ".")
    git(sources, "commit", "--quiet", "--message", "First")
    return sources


@each_project
def test_a_tagged_commit_makes_a_wheel_of_that_version(
    project: str, checkout: Path, tmp_path: Path
) -> None:
    git(checkout, "tag", "v9.9.9")
    build(checkout / PROJECTS[project].relative_to(ROOT), tmp_path / "dist")
    assert {path.name for path in (tmp_path / "dist").iterdir()} == {
        f"{project}-9.9.9-py3-none-any.whl",
        f"{project}-9.9.9.tar.gz",
    }


@each_project
def test_a_commit_after_a_tag_is_a_development_version_of_the_next_minor_release(
    project: str, checkout: Path
) -> None:
    git(checkout, "tag", "v9.9.9")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Second")
    assert version_of(project, checkout) == "9.10.0.dev1"


@each_project
def test_an_uncommitted_change_adds_no_local_part(project: str, checkout: Path) -> None:
    git(checkout, "tag", "v9.9.9")
    (checkout / "README.md").write_text("changed")
    assert version_of(project, checkout) == "9.10.0.dev0"


@each_project
def test_a_checkout_without_a_tag_has_the_fallback_version(project: str, checkout: Path) -> None:
    assert version_of(project, checkout).startswith(COUNTED)


@each_project
def test_a_shallow_clone_without_tags_has_the_fallback_version(
    project: str, checkout: Path, tmp_path: Path
) -> None:
    git(checkout, "tag", "v9.9.9")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Second")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", checkout.as_uri(), str(shallow))
    assert version_of(project, shallow).startswith(COUNTED)


@each_project
def test_a_folder_without_git_has_the_fallback_version(project: str, sources: Path) -> None:
    assert version_of(project, sources) == FALLBACK


def test_a_build_without_git_can_be_given_its_version(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the Dockerfile does; an empty value is none.
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "9.9.9")
    assert version_of("shipcrowd", sources) == "9.9.9"
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "")
    assert version_of("shipcrowd", sources) == FALLBACK


def test_the_package_knows_the_version_that_is_installed(
    host_virtualenv: HostVirtualenv, tmp_path: Path
) -> None:
    assert shipcrowd.__version__ == metadata.version("shipcrowd")
    program = (
        "import shipcrowd; from importlib import metadata;"
        "print(shipcrowd.__version__, metadata.version('shipcrowd'))"
    )
    here, installed = host_virtualenv.run("-c", program, cwd=tmp_path).stdout.split()
    (folder,) = host_virtualenv.site_packages.glob("shipcrowd-*.dist-info")
    assert here == installed == folder.name.removeprefix("shipcrowd-").removesuffix(".dist-info")


def test_a_folder_that_is_not_installed_says_so(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "shipcrowd", tmp_path / "shipcrowd")
    # -S leaves out site-packages.
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import shipcrowd; print(shipcrowd.__version__)"],
        cwd=tmp_path, env=host_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "0+unknown"
