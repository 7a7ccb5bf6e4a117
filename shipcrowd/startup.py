"""A process that would serve half-configured ends instead: web server, worker and beat.

Commands of manage.py run Django's checks by themselves. These processes do not.
"""

from __future__ import annotations

import sys

from django.core import checks

EXIT_CODE = 2


def refuse_to_start_with_errors() -> None:
    """End the process, naming each error of the system checks and its remedy.

    Checks of a database are left out: a process may be started before its database.
    """
    found = [one for one in checks.run_checks() if one.is_serious() and not one.is_silenced()]
    if not found:
        return
    for one in found:
        sys.stderr.write(f"{one}\n")
    sys.exit(EXIT_CODE)
