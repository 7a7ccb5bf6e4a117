"""A courier on loopback that repeats the requests it gets, and a search for what it repeated."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.db import connection
from django_redis import get_redis_connection

TOKEN = "tok.Quetzalcoatl_7-42"
AUTH = "POST /integrations/v2/auth/token/"
NOW_MS = 1_795_000_000_000
# How a text is written. Each is an echo of its own, and is put into JSON, too.
WRITINGS: dict[str, Callable[[str], str]] = {
    "text": str,
    "JSON": json.dumps,
    "HTML": html.escape,
    "URL": quote,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}


@dataclass
class Echo:
    """What the courier answers to calls that begin with `call`; it answers others well."""

    call: str = ""  # as in "PUT /api/v1/package"
    status: int = 400
    writing: str = "text"
    shape: str = "words"
    cut: int = 0  # characters that are left out at the beginning
    asked: list[str] = field(default_factory=list)

    def body(self, request: str, sent: Any) -> bytes:
        """Return the body that repeats the request, whose JSON is `sent`."""
        words = WRITINGS[self.writing](request[self.cut :])
        if self.shape == "bare":
            return words.encode()
        if self.shape == "request":
            return json.dumps(sent if isinstance(sent, dict) else words).encode()
        return json.dumps(_answer(words, self.shape == "good words")).encode()


def _answer(words: str, status: bool) -> dict[str, Any]:
    """An answer that every reader of Ekart's answers can read, with the words in all its fields."""
    short = words[:90]
    scan = {"status": short, "ctime": NOW_MS, "desc": words, "location": short, "ndrStatus": short}
    return {
        "status": status, "remark": words, "description": words, "message": words, "code": short,
        "tracking_id": short, "vendor": short, "barcodes": {"wbn": short}, "alias": short,
        "data": [{"status": status, "remark": words, "tracking_id": "T-1"}],
        "track": scan | {"details": [scan]}, "_id": short, "order_number": short,
        "details": {"city": short, "state": short}, "zone": short, "total": 80,
        "manifestNumber": words[:50], "ctime": NOW_MS,
        "manifestDownloadUrl": f"https://example.in/{quote(short)}",
        "id": short, "url": short, "topics": [short], words: words,
    }  # fmt: skip


class EchoCourier:
    """Runs the courier. `echo` says what is repeated, and how."""

    def __init__(self) -> None:
        self.echo = Echo()
        courier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                courier._answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0))).decode()
        request = f"{handler.requestline}\r\n{handler.headers}{raw}"
        sent = json.loads(raw) if raw else None
        echo = self.echo
        if handler.requestline.startswith(echo.call):
            echo.asked.append(handler.path)
            one_line = quote(request)
            # A line of the head that is none, and a reason, are seen by libraries alone.
            handler.wfile.write(f"HTTP/1.1 {echo.status} {quote(raw)[:200]}\r\n".encode())
            handler.wfile.write(f"Retry-After: {one_line}\r\nLocation: /{one_line}\r\n".encode())
            handler.wfile.write(f"X-Echo: {one_line}\r\n{raw}\r\n".encode())
            body = echo.body(request, sent)
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            body = json.dumps(self._good(handler.path, sent)).encode()
        handler.wfile.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        handler.close_connection = True

    def _good(self, path: str, sent: Any) -> Any:
        if path.startswith(AUTH.partition(" ")[2]):
            return {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 86400}
        if path == "/api/v2/webhook":
            return [] if sent is None else sent | {"id": "W1"}
        return {"status": True, "alias": (sent or {}).get("alias", ""), "remark": "ok"}

    def __enter__(self) -> EchoCourier:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def found_in(
    text: str, words: Iterable[str], numbers: Iterable[str], allowed: re.Pattern[str]
) -> set[str]:
    """Return which of the words and numbers a text holds, as they are or in base64.

    What `allowed` matches does not count.
    """
    lower, digits = allowed.sub("", text.lower()), re.sub(r"\D+", "", text)
    found = {word for word in words if word.lower() in lower}
    found |= {number for number in numbers if number in digits}
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        for start in range(4):
            coded = run[start:].translate({45: "+", 95: "/"})
            inner = base64.b64decode(coded[: len(coded) // 4 * 4]).decode("latin-1").lower()
            found |= {word for word in words if word.lower() in allowed.sub("", inner)}
    return found


def database_texts(left_out: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each text, JSON and binary value of all tables, with its `table.column`."""
    ignored = set(left_out)
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [column.name for column in cursor.description or ()]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if f"{table}.{name}" in ignored:
                        continue
                    if isinstance(value, (bytes, memoryview)):
                        yield f"{table}.{name}", bytes(value).decode("latin-1")
                    elif isinstance(value, (str, list, dict)):
                        yield f"{table}.{name}", str(value)


def valkey_text() -> str:
    """Return all keys and values of Valkey as one text."""
    redis = get_redis_connection("default")
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
    }
    return " ".join(f"{key!r} {readers[redis.type(key)](key)!r}" for key in redis.scan_iter("*"))
