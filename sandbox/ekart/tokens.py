"""The call that gives a token, and the check of the token that every other call carries."""

from __future__ import annotations

import hmac
import secrets
import time

from aiohttp import web

from sandbox.ekart.options import EkartOptions
from sandbox.errors import Unauthorized
from sandbox.operations import Operation, read_json


class Tokens:
    """One token at a time: the same one is given out until it expires.

    Several clients can use one stand-in: a client id may have `@` and any text at its end.
    """

    def __init__(self, options: EkartOptions) -> None:
        self._options = options
        self._token = ""
        self._expires_at = 0.0

    def operations(self) -> list[Operation]:
        return [
            Operation(
                "auth",
                "POST",
                "/integrations/v2/auth/token/{client_id}",
                self.auth,
                public=True,
                secret_body=True,
            )
        ]

    async def auth(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        options = self._options
        client_id, _, _ = request.match_info["client_id"].partition("@")
        given = (client_id, body.get("username"), body.get("password"))
        if given != (options.client_id, options.username, options.password):
            raise Unauthorized("Invalid credentials")
        now = time.time()
        if now >= self._expires_at:
            self._token, self._expires_at = secrets.token_urlsafe(32), now + options.token_life
        return web.json_response(
            {
                "access_token": self._token,
                "scope": "core:all",
                "expires_in": int(self._expires_at - now),
                "token_type": "Bearer",
            }
        )

    def check(self, request: web.Request) -> None:
        """Raise Unauthorized unless the request carries the present token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        alive = time.time() < self._expires_at
        if not (
            scheme == "Bearer"
            and alive
            and hmac.compare_digest(token.encode(), self._token.encode())
        ):
            raise Unauthorized("Invalid or expired token")

    def revoke(self) -> None:
        """Refuse the present token from now on; the next auth call gives a new one."""
        self._token, self._expires_at = "", 0.0
