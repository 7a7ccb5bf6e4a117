"""A disk of one megabyte that can be full: a real tmpfs, where the tests may mount one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 1024 * 1024  # bytes


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """Mount the disk at the folder, which every user may enter. Skips the test where it cannot."""
    for parent in folder.parents:
        if parent.stat().st_mode & 0o001 == 0 and parent.is_relative_to("/tmp"):
            parent.chmod(0o755)
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Fill the disk to its last block; return the file that fills it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler
