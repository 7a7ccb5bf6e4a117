"""The answer of Ekart's auth call. Pure."""

from __future__ import annotations

from pydantic import Field

from couriers.contract.reading import Answer


class TokenAnswer(Answer):
    """/integrations/v2/auth/token/{client_id}; `expires_in` is in seconds.

    The values are checked so that they fit into a header and a date: otherwise every later call
    with the token would fail.
    """

    access_token: str = Field(pattern=r"^[\x21-\x7e]+$")
    token_type: str = Field(default="Bearer", pattern=r"^[A-Za-z]{1,20}$")
    expires_in: float = Field(ge=0, le=366 * 86_400)
