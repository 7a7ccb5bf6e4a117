"""The ways to log in with a courier, as data: a key in a header, or a call that gets a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from couriers.contract.accounts import Account


def login_of(account: Account) -> Mapping[str, str]:
    """Return the account's login, by the names of its fields."""
    return account.login


@dataclass(frozen=True, slots=True)
class StaticKey:
    """A key that goes with every call. There is no login call and no lock.

    `field` is the key's name in the login. `scheme` stands before it, "" for none:
    `Authorization: Token abc`.
    """

    field: str
    header: str = "Authorization"
    scheme: str = ""

    def headers(self, login: Mapping[str, str]) -> Mapping[str, str]:
        """Return the header with the key."""
        return {self.header: " ".join(part for part in (self.scheme, login[self.field]) if part)}


@dataclass(frozen=True, slots=True, repr=False)
class NewToken:
    """A token as a login call answers it. Its repr hides it.

    It is valid for `expires_in` seconds from the call on. `token_type` stands before it in the
    header, "" for none.
    """

    access_token: str
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the word before the token

    def __repr__(self) -> str:
        return f"NewToken(expires_in={self.expires_in})"


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A call that gets a token, which one process makes for all.

    `operation` is one of the client's, whose path may name fields of the login in braces:
    `/token/{client_id}`. `body` maps the fields of the call's JSON to those of the login.
    `read` takes the decoded answer, and raises Unknown where it holds no token. `secret_answers`
    are the fields of the answer that hold the token.

    `pause` is for couriers whose new token revokes all earlier ones, or that lock an account after
    a few wrong logins: for so many seconds after a login no other one is made because its token, or
    the login itself, was refused.
    """

    operation: str
    body: Mapping[str, str]
    read: Callable[[Any], NewToken]
    header: str = "Authorization"
    secret_answers: frozenset[str] = frozenset({"access_token"})
    # The fields of the login that no other call sends, and that may not come back in any.
    secret_fields: tuple[str, ...] = ("password",)
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self, login: Mapping[str, str]) -> Mapping[str, str]:
        """Return the JSON of the login call."""
        return {name: login[source] for name, source in self.body.items()}

    def headers_with(self, token: str) -> Mapping[str, str]:
        """Return the header of the calls that are made with a token."""
        return {self.header: token}


LoginScheme = StaticKey | TokenLogin
