"""`python -m shipcrowd.embedded start|stop|restart|status`: the embedded servers by hand."""

from __future__ import annotations

import argparse
import json
import sys

from shipcrowd import embedded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shipcrowd.embedded", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "restart", "status"])
    parser.add_argument("server", nargs="?", choices=["postgres", "valkey"], help="for restart")
    parser.add_argument("--instance", default="dev")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        if options.action == "stop":
            embedded.stop(options.instance)
        elif options.action == "restart":
            for server in [options.server] if options.server else ["postgres", "valkey"]:
                embedded.restart(server, options.instance)
        elif options.action == "start":
            embedded.ensure(options.instance)
        state = embedded.status(options.instance)
    except embedded.EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(state))
    else:
        for name, running in state.items():
            print(f"{name}: {'running' if running else 'stopped'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
