#!/usr/bin/env python
"""Django's command line for Shipcrowd."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")
    from django.core.management import execute_from_command_line

    from shipcrowd.embedded import EmbeddedError

    try:
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        # The settings name no servers, and none can be started here.
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
