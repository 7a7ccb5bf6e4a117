"""A small courier for the tests of couriers.http: its client, and a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from couriers.contract.errors import CredentialsRefused, Rejected, TooManyRequests, Unknown
from couriers.contract.types import Limit, LimitScope
from couriers.http.answers import KIB, AnswerSize, decode_json_or_xml, decode_text
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import NewToken, StaticKey, TokenLogin
from couriers.http.operations import Operation
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers.models import CourierAccount
from tests.support.factories import CourierAccountFactory, CourierRowFactory

CODE = "small"
PLENTY = Limit(1000, 1)


def judge(answer: Answer) -> Verdict | None:
    """Read what neither a code nor the status says, as a courier of many conventions needs it."""
    if answer.status == 403 and "Invalid key" in answer.words:
        return Verdict(CredentialsRefused, "the key is refused")
    if answer.status == 200 and isinstance(answer.body, dict) and answer.body.get("ok") is False:
        return Verdict(Rejected, "refused")
    if answer.status == 400 and isinstance(answer.body, dict) and "pickup_date" in answer.body:
        return Verdict(Rejected, "refused", words=f"pickup_date: {answer.body['pickup_date']}")
    return None


def token_from(answer: Any) -> NewToken:
    """Read the login's answer. Raises Unknown."""
    if not isinstance(answer, dict) or "token" not in answer:
        raise Unknown("the answer cannot be read", courier=CODE, operation="login")
    return NewToken(answer["token"], answer.get("seconds", 3600), token_type="")


class SmallClient(CourierClient):
    """A courier with a key, whose firewall answers 403 to too many calls."""

    operations = {
        "create": Operation("POST", "/create", PLENTY),
        "track": Operation("GET", "/track", PLENTY),
        "parcel": Operation("GET", "/parcels/{number}", PLENTY),
        "numbers": Operation("GET", "/numbers", Limit(50, 60)),
        "label": Operation("GET", "/label", PLENTY, AnswerSize(json=KIB, pdf=8 * KIB)),
        "login": Operation("POST", "/login/{client_id}", PLENTY),
        "by_address": Operation("GET", "/by_address", Limit(1, 60, scope=LimitScope.ADDRESS)),
        "open": Operation("GET", "/open", PLENTY, needs_login=False),
        "slow": Operation("GET", "/slow", PLENTY, read_timeout=200.0),
        "xml": Operation("POST", "/xml", PLENTY, decode=decode_json_or_xml),
        "text": Operation("POST", "/text", PLENTY, decode=decode_text),
    }
    login: StaticKey | TokenLogin = StaticKey("password", scheme="Token")
    sent_fields = SentFields(open=frozenset({"order", "format"}), names=frozenset({"name"}))
    table = AnswerTable(
        codes={"2000": Verdict(Rejected, "it exists already")},
        statuses={403: Verdict(TooManyRequests, "too many requests", pause=30)},
        code_fields=("error_code",),
        word_fields=("rmk", "error", "message", ""),
        judge=judge,
    )

    def ask(self, operation: str = "track", **given: Any) -> Any:
        """Make a call."""
        return self.call(operation, **given)


class SmallTokenClient(SmallClient):
    """The same courier, with a login call whose new token revokes all earlier ones."""

    login = TokenLogin(
        "login",
        body={"user": "username", "password": "password"},
        read=token_from,
        secret_answers=frozenset({"token"}),
        pause=30,
    )


def account_at(url: str, **fields: Any) -> CourierAccount:
    """Return a new account of the small courier."""
    row = CourierRowFactory(code=CODE, name="Small")
    return CourierAccountFactory(courier=row, base_url=url, **fields)


@dataclass
class Request:
    """A request that the server had."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def login(self) -> str:
        """The header with the key or the token."""
        return self.headers.get("Authorization", "")


@dataclass
class Reply:
    """What the server answers."""

    body: bytes | Any = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the body; what is no bytes is sent as JSON."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class SmallCourier:
    """Runs the server. `answer` makes the reply to a request; `requests` are those so far."""

    def __init__(self, answer: Callable[[Request], Reply] | None = None) -> None:
        self.answer: Callable[[Request], Reply] = answer or (lambda _: Reply())
        self.requests: list[Request] = []
        courier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, dict(self.headers), body)
                courier.requests.append(request)
                reply = courier.answer(request)
                content = reply.encoded()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def client(self, **fields: Any) -> SmallClient:
        """Return the client of a new account."""
        return SmallClient(account_at(self.url, **fields))

    def __enter__(self) -> SmallCourier:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
