"""Why a stand-in refuses a call. Knows no HTTP server; `Sandbox.error_answer` makes the answer.

Refused            the call breaks a rule of the courier: a correct client never makes it
├── Declined       the call is correct, and the courier does not do what it asks
├── MalformedBody  the body is not JSON
├── Unauthorized   the login, token or key is missing or wrong
├── NotFound       what the call names does not exist
└── UnknownPath    the courier has no such operation
"""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """Ends a call with the courier's error answer; `status` is the usual HTTP status for it."""

    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class Declined(Refused):
    """The call is correct, and the courier does not do what it asks."""


class MalformedBody(Refused):
    """The body is not JSON."""


class Unauthorized(Refused):
    """The login, token or key is missing or wrong."""

    status = 401


class NotFound(Refused):
    """What the call names does not exist."""

    status = 404


class UnknownPath(Refused):
    """The courier has no such operation."""

    status = 404
