"""Velocity's operations, its two logins, and what its answers mean.

Velocity documents no limits of these calls: they are the platform's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from couriers.contract.accounts import Account
from couriers.contract.errors import Rejected, Unknown
from couriers.contract.types import Limit
from couriers.contract.words import meaning_of, words_by_field
from couriers.http.answers import KIB, MIB, AnswerSize
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import NewToken, StaticKey, TokenLogin, login_of
from couriers.http.operations import Operation
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers_velocity.conf import VelocityTunables
from couriers_velocity.mapper.answers import READER, REMEDIES, TokenAnswer
from couriers_velocity.mapper.sent import NAME_FIELDS, OPEN_FIELDS, WORD_FIELDS

MAX_AWBS = 50  # of a cancel; of tracking the most is not documented
# Up to three carriers are tried in turn, with 30 s each, before a create call is answered.
CREATE_TIME = 120.0  # seconds
TOKEN_LIFE = 24 * 3600.0  # seconds
YES = {"1", "true", "success", "ok"}


def _post(path: str, limit: Limit, size: int = 64 * KIB, wait: float | None = None) -> Operation:
    return Operation("POST", f"/custom/api/v1/{path}", limit, AnswerSize(size), read_timeout=wait)


OPERATIONS: Mapping[str, Operation] = {
    # A new token revokes all earlier ones, and a few wrong logins in a row lock the account.
    "get_token": _post("auth-token", Limit(4, 3600)),
    # Not to be repeated: what a repeated order number answers is not known.
    "create_shipment": _post("forward-order-orchestration", Limit(5, 1), wait=CREATE_TIME),
    "create_return": _post("reverse-order-orchestration", Limit(2, 1), wait=CREATE_TIME),
    "find_shipment": _post("shipments", Limit(5, 1), 512 * KIB),
    "find_return": _post("returns", Limit(5, 1), 512 * KIB),
    "track": _post("order-tracking", Limit(5, 1), 2 * MIB),
    "cancel_shipment": _post("cancel-order", Limit(5, 1)),
    "reattempt": _post("reattempt", Limit(5, 1)),
    "initiate_rto": _post("initiate-rto", Limit(5, 1)),
    "rates": _post("rates", Limit(10, 1), 256 * KIB),
    "serviceability": _post("serviceability", Limit(20, 1), 256 * KIB),
    "add_warehouse": _post("warehouse", Limit(2, 1)),
}


def _token_from(answer: Any) -> NewToken:
    token = READER.parse(TokenAnswer, answer, "get_token").token
    return NewToken(token, TOKEN_LIFE, token_type="")


def _judge(answer: Answer) -> Verdict | None:
    """Refuse what says no with HTTP 200, and say what to do about an empty wallet."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if 200 <= answer.status < 300:
        said = [body[name] for name in ("status", "success") if body.get(name) is not None]
        failed = not said and bool(body.get("error") or body.get("errors"))
        if not failed and all(str(one).strip().casefold() in YES for one in said):
            return None
    elif answer.status not in (400, 422):
        return None
    payload = body.get("payload")
    words = answer.words or words_by_field(body.get("errors"))
    if "create" in answer.operation and isinstance(payload, dict) and payload.get("awb_code"):
        return Verdict(Unknown, "the answer refuses, and has an AWB", words=words)
    return Verdict(Rejected, meaning_of(words, REMEDIES, "refused"), words=words)


class VelocityClient(CourierClient):
    """The calls of one account, with its API key or with the older login."""

    operations = OPERATIONS
    sent_fields = SentFields(open=OPEN_FIELDS, names=NAME_FIELDS)
    table = AnswerTable(word_fields=WORD_FIELDS, judge=_judge)

    def __init__(self, account: Account) -> None:
        self.login = StaticKey("api_key", scheme=VelocityTunables.of("velocity").KEY_SCHEME)
        if not login_of(account).get("api_key"):
            self.login = TokenLogin(
                "get_token",
                body={"username": "username", "password": "password"},
                read=_token_from,
                secret_answers=frozenset({"token"}),
                # One login for all processes, and no second one soon after a refusal.
                pause=900.0,
            )
        super().__init__(account)
