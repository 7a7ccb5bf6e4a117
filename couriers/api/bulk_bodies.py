"""The bodies of bulk requests: JSON or CSV, of up to MAX_BYTES, which no other request may have.

They are left as bytes: how they are read depends on their kind, and takes memory by the order. A
process reads one large body at a time. Others wait where the web server has put them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from couriers.conf import tunables
from couriers.contract.errors import NotSent

MAX_BYTES = 32 * 1024 * 1024
MAX_CSV_BYTES = 16 * 1024 * 1024  # whose rows are all read before the first order is
READ_AT_ONCE = 256 * 1024
LARGE = 1024 * 1024  # bytes from which on a body waits for the others
RETRY_AFTER = 10  # seconds; 10,000 orders are read in fewer

_room = threading.BoundedSemaphore()


class BodyTooBig(RequestDataTooBig):
    """A body is larger than its operation takes, which is `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Body:
    """A body in a file, which is in memory where it is small, and the SHA-256 of its bytes."""

    file: IO[bytes]
    digest: str


class _SpooledBody(BaseParser):
    """Puts the body into a file without a name, and returns it as a Body. Raises BodyTooBig."""

    max_bytes = MAX_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        file = SpooledTemporaryFile(LARGE)  # noqa: SIM115 - open_body closes it
        digest, size = hashlib.sha256(), 0
        while part := stream.read(READ_AT_ONCE):
            size += len(part)
            if size > self.max_bytes:
                file.close()
                raise BodyTooBig(self.max_bytes)
            digest.update(part)
            file.write(part)
        file.seek(0)
        return Body(file, digest.hexdigest())


class JsonBody(_SpooledBody):
    """The body of a request in JSON."""

    media_type = "application/json"


class CsvBody(_SpooledBody):
    """The body of a request in CSV."""

    media_type = "text/csv"
    max_bytes = MAX_CSV_BYTES


@contextmanager
def open_body(request: Request) -> Iterator[Body]:
    """Return the body, to be used inside, as the only large one of this process.

    Raises BodyTooBig, and NotSent where another large one takes too long.
    """
    with _room_for(request):
        body: Any = request.data
        if not isinstance(body, Body):  # the framework parses no empty body
            body = Body(BytesIO(), hashlib.sha256().hexdigest())
        with body.file:
            yield body


@contextmanager
def _room_for(request: Request) -> Iterator[None]:
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > MAX_BYTES:
        raise BodyTooBig(MAX_BYTES)
    if length < LARGE:
        yield
        return
    if not _room.acquire(timeout=tunables().API_LIMITER_WAIT):
        raise NotSent("another large bulk request is being read", retry_after=RETRY_AFTER)
    try:
        yield
    finally:
        _room.release()
