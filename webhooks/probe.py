"""Finding out whether the public address leads to this project, before couriers are told it.

The check asks the address of the inbox with a random challenge. Only a project with the same
SECRET_KEY knows the answer.
"""

from __future__ import annotations

import http.client
import re
import secrets
import socket
from urllib.parse import urlsplit

from django.utils.crypto import constant_time_compare, salted_hmac

TIMEOUT = 5.0  # seconds
MAX_BYTES = 1000
_CHALLENGE = re.compile(r"[0-9a-f]{32}")


def answer_to(challenge: str) -> str | None:
    """Return this project's answer to a challenge; None for one that the check does not make."""
    if not _CHALLENGE.fullmatch(challenge):
        return None
    return salted_hmac("webhooks.probe", challenge, algorithm="sha256").hexdigest()


class NothingAnswers(Exception):
    """The address cannot be found, or nothing listens there, as before the web server starts."""


def problem_of(url: str) -> str | None:
    """Ask the inbox's own URL; return why it does not lead to this project, or None.

    Raises NothingAnswers.
    """
    challenge = secrets.token_hex(16)
    try:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request("GET", f"{parts.path}?challenge={challenge}")
            response = connection.getresponse()
            body = response.read(MAX_BYTES)
        finally:
            connection.close()
    except (socket.gaierror, ConnectionRefusedError, TimeoutError) as error:
        raise NothingAnswers(str(error)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"cannot be reached ({type(error).__name__}: {error})"
    if response.status != 200:
        return f"answers {response.status}"
    if not constant_time_compare(body, (answer_to(challenge) or "").encode()):
        return "leads to another project"
    return None
