"""`python -m shipcrowd.embedded start|stop|restart|status|env|run`: control the embedded servers.

`env` starts them and prints the shell's commands that set DATABASE_URL and REDIS_URL. With
`run -- COMMAND` they run as long as the command. Exit code 2: the wheels of the servers are not
installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping

from shipcrowd import embedded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shipcrowd.embedded", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "restart", "status", "env", "run"])
    parser.add_argument("server", nargs="?", choices=["postgres", "valkey"], help="for restart")
    parser.add_argument("--instance", default="dev")
    parser.add_argument("--json", action="store_true")
    arguments, command = sys.argv[1:], []
    if "--" in arguments:
        separator = arguments.index("--")
        arguments, command = arguments[:separator], arguments[separator + 1 :]
    options = parser.parse_args(arguments)
    try:
        return _act(options, command)
    except embedded.EmbeddedError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, embedded.NotInstalled) else 1


def _act(options: argparse.Namespace, command: list[str]) -> int:
    """Do what the command line asks for; return the exit code. Raises EmbeddedError."""
    instance = options.instance
    if options.action == "run":
        return _run(instance, command)
    if options.action == "env":
        servers = embedded.ensure(instance)
        print(f"export DATABASE_URL={shlex.quote(servers.database_url)}")
        print(f"export REDIS_URL={shlex.quote(servers.redis_url)}")
        return 0
    if options.action == "stop":
        embedded.stop(instance)
    elif options.action == "restart":
        for server in [options.server] if options.server else ["postgres", "valkey"]:
            embedded.restart(server, instance)
    elif options.action == "start":
        embedded.ensure(instance)
    _print_status(embedded.status(instance), as_json=options.json)
    return 0


def _print_status(status: Mapping[str, bool], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(status))
        return
    for name, running in status.items():
        print(f"{name}: {'running' if running else 'stopped'}")


def _run(instance: str, command: list[str]) -> int:
    """Run the command on the instance's servers, or on those that the environment names."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return _run_command(command, os.environ)
    with embedded.session(instance):
        return _run_command(command, os.environ | {"SHIPCROWD_EMBEDDED_INSTANCE": instance})


def _run_command(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the command and return its exit code. SIGTERM is passed on to it."""
    child = subprocess.Popen(command, env=environment)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent the signal to the child too; wait until it has ended


if __name__ == "__main__":
    sys.exit(main())
