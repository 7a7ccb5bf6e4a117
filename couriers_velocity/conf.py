"""The settings of the plug-in, in SHIPCROWD["COURIERS"]["velocity"], and the fields of a login."""

from __future__ import annotations

from dataclasses import dataclass

from couriers.contract.logins import LoginField
from couriers.http.tunables import HttpTunables

_OLDER = "Only where the account has no API key: Velocity gives this login up."
LOGIN_FIELDS = (
    LoginField("api_key", "API key", required=False, help="Of Velocity's panel: Settings, API."),
    LoginField("username", "Mobile number with +91", secret=False, required=False, help=_OLDER),
    LoginField("password", "Password", required=False, help=_OLDER),
)
# A login is one of these. The first is used where an account has both.
LOGINS = (("api_key",), ("username", "password"))


@dataclass(frozen=True, slots=True)
class VelocityTunables(HttpTunables):
    """What a deployment may set for Velocity, beside what it may for every courier."""

    KEY_SCHEME: str = ""  # the word before the API key; the document has none
    WEBHOOK_HEADER: str = "X-API-Key"  # of a callback, with the webhook secret
