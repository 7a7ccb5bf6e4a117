"""A courier whose bookings bring documents, and the object store that its links lead to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from couriers.contract.adapter import BaseCourierAdapter, Capability
from couriers.contract.documents import BookingDocument, Document, DocumentKind, DocumentLink
from couriers.contract.registry import CourierFactory
from couriers.contract.statuses import Status, StatusMapper
from couriers.contract.types import Booking, Serviceability, ShipmentRequest
from tests.support.toy import ToyReceiver

PDF = b"%PDF-1.4\n% a document\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0 a photograph \xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n a signature \x00\x00\x00\x00IEND\xaeB`\x82"
SECRET = "X-Signature=not-for-logs"  # of a signed link


class GenerousAdapter(BaseCourierAdapter):
    """Books in memory. `brings` makes a booking's answer, `answers` has those of other methods.

    It keeps the calls in `asked`.
    """

    code = "toy"
    name = "Generous"
    mapper = StatusMapper({status.value: status for status in Status})
    capabilities = frozenset({Capability.CREATE_SHIPMENT})
    asked: ClassVar[list[tuple[str, Any]]] = []
    requests: ClassVar[list[ShipmentRequest]] = []
    brings: ClassVar[Callable[[str], Booking]] = Booking
    answers: ClassVar[dict[str, Any]] = {}

    def create_shipment(self, request: ShipmentRequest) -> Booking:
        self.requests.append(request)
        return type(self).brings(f"GEN-{request.order_number}")

    def get_label(self, tracking_ids: Sequence[str]) -> Any:
        return self._answer(Capability.GET_LABEL, tracking_ids)

    def get_proof_of_delivery(self, tracking_id: str) -> Any:
        return self._answer(Capability.GET_PROOF_OF_DELIVERY, tracking_id)

    def check_serviceability(self, pincode: str, *, origin: str = "") -> Serviceability:
        self.asked.append(("check_serviceability", (pincode, origin)))
        return Serviceability(pincode, origin != "110001", cod=True)

    def _answer(self, capability: Capability, argument: Any) -> Any:
        if capability not in self.capabilities:
            self._unsupported(capability)
        self.asked.append((capability.value, argument))
        answer = self.answers[capability.value]
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def generous(*more: Capability, hosts: tuple[str, ...] = (), **declared: Any) -> Iterator[Any]:
    """Register the courier in the place of the toy one, with further capabilities and hosts."""
    members = {
        "capabilities": GenerousAdapter.capabilities | set(more),
        "document_hosts": hosts,
        "asked": [],
        "requests": [],
        "answers": {},
        **declared,
    }
    adapter: Any = type("Generous", (GenerousAdapter,), members)
    CourierFactory.register(adapter, ToyReceiver())
    yield adapter


class ObjectStore:
    """An HTTP server with files by path. It keeps what it was asked for in `requests`.

    A path of `slow` is answered so many seconds late, one of `broken` so often with 503 first.
    """

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.slow: dict[str, float] = {}
        self.broken: dict[str, int] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                store._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.requests.append((path, {name.lower(): v for name, v in handler.headers.items()}))
        time.sleep(self.slow.get(path, 0))
        if self.broken.get(path, 0) > 0:
            self.broken[path] -= 1
            handler.send_error(503)
        elif path not in self.files:
            handler.send_error(404)
        else:
            content_type, content = self.files[path]
            handler.send_response(200)
            handler.send_header("Content-Type", content_type)
            handler.end_headers()
            try:
                handler.wfile.write(content)
            except OSError:
                return  # nobody reads on

    def link(self, path: str, *content_types: str) -> DocumentLink:
        """Return a signed link to a file of the store."""
        url = f"http://{self.host}{path}?{SECRET}"
        return DocumentLink(url, "file.pdf", content_types or ("application/pdf",))

    def label(self, path: str) -> BookingDocument:
        """Return a label that came with a booking as a link to a file of the store."""
        return BookingDocument(DocumentKind.LABEL, self.link(path))

    def __enter__(self) -> ObjectStore:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def pdf(content: bytes = PDF) -> Document:
    """Return a document of these bytes that says it is a PDF."""
    return Document(content, "application/pdf", "file.pdf")


def bringing(*documents: Any, **facts: Any) -> Any:
    """Return a function for `brings`: the booking brings these documents and facts."""
    return staticmethod(lambda tracking_id: Booking(tracking_id, documents=documents, **facts))
