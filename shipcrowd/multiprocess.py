"""The files in which prometheus_client keeps each process' metrics (PROMETHEUS_MULTIPROC_DIR).

prometheus_client reads the variable when it is imported, so nothing here may import it before
`prepare_folder` has been called.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ADDED_UP = ("counter", "histogram", "summary")  # the kinds whose values of ended processes count

_problem = ""


def prepare_folder() -> str:
    """Make the folder of the metrics; return why it cannot be used, "" where it can or is not set.

    A folder that cannot be used is named on stderr and left out of the environment, so that this
    process counts by itself, and works.
    """
    global _problem
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        # Even an empty one would have prometheus_client write files, to the working directory.
        os.environ.pop(VARIABLE, None)
        return _problem
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        _problem = f"{VARIABLE} is {folder}, which cannot be written: {error.strerror}"
        sys.stderr.write(f"{_problem}. This process shows its own metrics alone\n")
        del os.environ[VARIABLE]
    return _problem


def fold_ended_processes(folder: Path) -> int:
    """Add up the files of processes that have ended, in one of each kind; return how many.

    Call it before a web server starts; several may start at once. The counts of processes that
    ended still belong to the totals: a total that falls looks like a restart of all. Where no
    process is left, everything starts from 0.
    """
    with open(folder / "fold.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fold(folder)


def _fold(folder: Path) -> int:
    owners = {file: _owner(file) for file in folder.glob("*.db")}
    ended = [file for file, owner in owners.items() if owner and not _is_alive(owner)]
    if not any(owner and _is_alive(owner) for owner in owners.values()):
        for file in owners:
            file.unlink(missing_ok=True)
        return len(ended)
    for kind in ADDED_UP:
        _add_up([file for file in ended if file.name.startswith(f"{kind}_")], kind, folder)
    for file in ended:
        file.unlink(missing_ok=True)
    return len(ended)


def _add_up(files: Iterable[Path], kind: str, folder: Path) -> None:
    from prometheus_client.mmap_dict import MmapedDict

    totals: defaultdict[str, float] = defaultdict(float)
    for file in files:
        try:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
                totals[key] += value
        except (OSError, RuntimeError, ValueError, struct.error) as error:
            sys.stderr.write(f"{file} cannot be read, so its counts are lost: {error}\n")
    if not totals:
        return
    kept = MmapedDict(str(folder / f"{kind}_ended.db"))
    for key, value in totals.items():
        kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
    kept.close()


def _owner(file: Path) -> int:
    """Return the process id in the file's name; 0 for the file of ended processes."""
    found = re.search(r"_(\d+)\.db$", file.name)
    return int(found[1]) if found else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
