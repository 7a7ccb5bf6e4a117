"""The distributions as they would be published, and a virtualenv with the wheels in it.

They are built once in a test run, whatever the number of workers, and without a network. A folder
of tests that needs them imports the two fixtures in its conftest.py.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# The folders that have a pyproject.toml, each of which makes one sdist and one wheel.
PROJECTS = {"shipcrowd": ROOT, "shipcrowd_sandbox": ROOT / "sandbox"}
# What would let a child process find the clone, or measure it.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


@dataclass(frozen=True, slots=True)
class Distributions:
    """A folder with the built sdists and wheels of both projects."""

    folder: Path

    def wheel(self, project: str) -> Path:
        """The wheel of `shipcrowd` or `shipcrowd_sandbox`."""
        (found,) = self.folder.glob(f"{project}-*.whl")
        return found

    def sdist(self, project: str) -> Path:
        """The source distribution of `shipcrowd` or `shipcrowd_sandbox`."""
        (found,) = self.folder.glob(f"{project}-*.tar.gz")
        return found

    def all(self) -> list[Path]:
        """Every wheel and sdist."""
        return [find(project) for project in PROJECTS for find in (self.sdist, self.wheel)]


@dataclass(frozen=True, slots=True)
class HostVirtualenv:
    """A virtualenv with both wheels, and with the third-party packages of the running one.

    It is shared by all tests of a run, which must not write to it.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """The folder in which the wheels are installed."""
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.folder)}))

    def run(
        self,
        *arguments: str,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        code: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        """Run its Python in a folder outside of the clone; it must end with the exit code.

        `environment` is added to that of this process, from which what leads to the clone is taken.
        """
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd,
            env=host_environment() | dict(environment or {}),
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    @contextmanager
    def talk(
        self, *arguments: str, cwd: Path, environment: Mapping[str, str]
    ) -> Iterator[Callable[[str], str]]:
        """Run its Python as `run` does, with a program that answers each line by one line.

        Yields a function that sends a line and returns the answer. The program ends with the block.
        """
        with subprocess.Popen(
            [str(self.python), *arguments],
            cwd=cwd,
            env=host_environment() | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            lines, answers = process.stdin, process.stdout

            def ask(line: str) -> str:
                print(line, file=lines, flush=True)
                return answers.readline()

            yield ask


def host_environment() -> dict[str, str]:
    """Return this process' environment without what leads to the clone or its settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in (*FOREIGN, "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER")
    }


def build(source: Path, folder: Path, *arguments: str) -> None:
    """Run `python -m build` on a project's folder, with the tools of this virtualenv.

    Without arguments it makes the sdist, and the wheel from the sdist.
    """
    _check(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, *arguments, source]
    )


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The distributions of the checkout, built on first use in the run."""

    def make(folder: Path) -> None:
        for source in PROJECTS.values():
            build(source, folder)

    return Distributions(_once_in_the_run(tmp_path_factory, "distributions", make))


@pytest.fixture(scope="session")
def host_virtualenv(
    tmp_path_factory: pytest.TempPathFactory, distributions: Distributions
) -> HostVirtualenv:
    """A virtualenv in which the wheels are installed, made on first use in the run."""

    def make(folder: Path) -> None:
        install_in_virtualenv(folder, [distributions.wheel(project) for project in PROJECTS])

    return HostVirtualenv(_once_in_the_run(tmp_path_factory, "host-virtualenv", make))


def install_in_virtualenv(folder: Path, wheels: list[Path]) -> HostVirtualenv:
    """Make a virtualenv with the wheels, which sees this one's third-party packages by a .pth file.

    Python does not read the .pth files of a folder that is itself named in one, so that the
    editable install of the clone is not seen.
    """
    _check([sys.executable, "-m", "venv", "--without-pip", folder])
    host = HostVirtualenv(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", host.python]
    install = ["install", "--quiet", "--no-deps", "--no-compile", "--no-index"]
    _check([*pip, *install, *wheels])
    third_party = "\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (host.site_packages / "third_party.pth").write_text(f"{third_party}\n")
    paths = host.run(
        "-c", "import couriers, sandbox; print(couriers.__file__); print(sandbox.__file__)",
        cwd=folder,
    ).stdout  # fmt: skip
    for path in paths.split():
        assert Path(path).is_relative_to(host.site_packages), path
    return host


def _once_in_the_run(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Return the folder that `make` fills, which the first of the parallel workers calls.

    A worker's folder for temporary files is in that of the run. A folder that `make` did not
    finish is made again.
    """
    base = factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, finished = run / name, run / f"{name}.finished"
    with open(run / f"{name}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            finished.touch()
    return folder


def _check(command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command], env=host_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
