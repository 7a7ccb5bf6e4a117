"""Running nginx on this machine with the configuration that docker-compose.yml mounts.

Its files are used as they are (deploy/nginx). Only site.conf is written here, since the addresses
are this machine's.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

CONFIGURATION = Path(__file__).resolve().parent.parent / "deploy" / "nginx"
SITE = """\
error_log stderr alert;
upstream platform {{
{web_servers}
}}
server {{
    listen 127.0.0.1:{port};
    include locations.conf;
}}
server {{
    listen unix:{internal_socket};
    include internal.conf;
}}
"""
INTERNAL = "internal.sock"  # where nginx serves what is not public, such as /metrics


class NginxMissing(RuntimeError):
    """nginx, or its configuration, is not on this machine; the message says what to do."""


def check_installed() -> None:
    """Raise NginxMissing unless nginx can be started here."""
    if shutil.which("nginx") is None:
        raise NginxMissing(
            "nginx is not installed, and the web server runs behind it as in docker-compose.yml: "
            "install it, on Debian by `apt-get install nginx-light`"
        )
    if not CONFIGURATION.is_dir():
        raise NginxMissing(f"the configuration of nginx is not there: {CONFIGURATION}")


def command(folder: Path, port: int, web_sockets: Iterable[Path]) -> list[str]:
    """Write the configuration to `folder` and return the command that runs nginx with it.

    nginx listens at the loopback port and, for what is not public, at INTERNAL in the folder. It
    passes requests to the UNIX sockets in turn. Raises NginxMissing.
    """
    check_installed()
    for file in CONFIGURATION.glob("*.conf"):
        if file.name != "site.conf":
            (folder / file.name).symlink_to(file)
    servers = "\n".join(f"    server unix:{path} max_fails=0;" for path in web_sockets)
    site = SITE.format(web_servers=servers, port=port, internal_socket=folder / INTERNAL)
    (folder / "site.conf").write_text(site)
    # As root, nginx would run as somebody who may not open this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"),
            "-g", f"daemon off; {user}"]  # fmt: skip


def get_internal(folder: Path, path: str) -> bytes:
    """Return the body of an internal path. Raises OSError if it is not answered with 200."""
    connection = http.client.HTTPConnection("localhost")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(folder / INTERNAL))
        connection.sock = client
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != 200:
        raise OSError(f"{path} is answered with {answer.status}")
    return body


def inherit(fd: int) -> dict[str, str]:
    """The environment by which nginx takes a listening socket that is open already."""
    return {"NGINX": f"{fd};"}
