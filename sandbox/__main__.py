"""`python -m sandbox`: start a courier's stand-in."""

import sys
from importlib.util import find_spec

if missing := [name for name in ("aiohttp", "reportlab") if find_spec(name) is None]:
    sys.stderr.write(
        f"python -m sandbox needs {' and '.join(missing)}: install the sandbox with: "
        "pip install 'shipcrowd[sandbox]'\n"
    )
    sys.exit(2)

from sandbox.cli import main

main()
