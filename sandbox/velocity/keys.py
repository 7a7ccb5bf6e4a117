"""The key that every call carries: one made in the panel, or the token of the older login."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import time

from aiohttp import web

from sandbox.errors import Unauthorized
from sandbox.india import INDIA
from sandbox.operations import Operation, read_json
from sandbox.velocity.options import VelocityOptions
from sandbox.velocity.switches import VelocitySwitches

MOST_WRONG_LOGINS = 5
BEARER = "Bearer "


class Keys:
    """The API key, which stays, and one token, which a new login replaces.

    Several clients can use one stand-in: a key may have `@` and any text at its end. After five
    wrong logins in a row no login is taken any more, until it is unlocked.
    """

    def __init__(self, options: VelocityOptions, switches: VelocitySwitches) -> None:
        self._options = options
        self._switches = switches
        self._token = ""
        self._expires_at = 0.0
        self.wrong_logins = 0

    def operations(self) -> list[Operation]:
        path = "/custom/api/v1/auth-token"
        return [Operation("auth", "POST", path, self.auth, public=True, secret_body=True)]

    async def auth(self, request: web.Request) -> web.StreamResponse:
        """A new token; the earlier one is void from now on."""
        body = await read_json(request)
        if self.wrong_logins >= MOST_WRONG_LOGINS:
            raise Unauthorized("Account is locked")
        known = (self._options.username, self._options.password)
        if (body.get("username"), body.get("password")) != known:
            self.wrong_logins += 1
            raise Unauthorized("Invalid username or password")
        self.wrong_logins = 0
        self._token = secrets.token_urlsafe(16)
        self._expires_at = time.time() + self._options.token_life
        until = dt.datetime.fromtimestamp(self._expires_at, INDIA)
        return web.json_response(
            {"token": self._token, "expires_at": until.strftime("%Y-%m-%dT%H:%M:%S")}
        )

    def check(self, request: web.Request) -> None:
        """Raise Unauthorized unless the request carries the key or the present token."""
        given = request.headers.get("Authorization", "")
        has_scheme = given.startswith(BEARER)
        taken = {"both": True, "raw": not has_scheme, "bearer": has_scheme}
        if not taken[self._switches.key_scheme]:
            raise Unauthorized("Invalid authorization header")
        key = given.removeprefix(BEARER).encode()
        if hmac.compare_digest(key.partition(b"@")[0], self._options.api_key.encode()):
            return
        alive = self._token and time.time() < self._expires_at
        if not (alive and hmac.compare_digest(key, self._token.encode())):
            raise Unauthorized("Invalid or expired token")

    def revoke(self) -> None:
        """Refuse the present token from now on; the key stays valid."""
        self._token, self._expires_at = "", 0.0
