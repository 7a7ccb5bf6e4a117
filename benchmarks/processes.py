"""Running a function in several forked processes that start it at the same moment."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from django.db import connections


def run_in_processes(count: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in `count` forked processes and return their results, which must be JSON data.

    Raises RuntimeError if a process fails.
    """
    connections.close_all()
    begin = time.monotonic() + 0.5
    pipes = []
    children = []
    for _ in range(count):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(reader)
                time.sleep(max(0.0, begin - time.monotonic()))
                with os.fdopen(writer, "w") as file:
                    json.dump(work(), file)
                code = 0
            finally:
                os._exit(code)
        os.close(writer)
        pipes.append(reader)
        children.append(child)
    answers = []
    for reader in pipes:
        with os.fdopen(reader) as file:
            answers.append(file.read())
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        raise RuntimeError(f"{sum(map(bool, codes))} of {count} processes failed")
    return [json.loads(answer) for answer in answers]
