"""One POST to a server that a merchant has named: its endpoint for events.

Nobody vouches for such a server. It may hang, redirect, answer without end, or have a name that
leads into the platform's own network. So each call resolves the name anew and connects to an
address that was checked, on a connection of its own; it follows no redirect and uses no proxy. It
has one deadline, and reads MAX_READ bytes at most.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Timeout
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from couriers.conf import in_development
from couriers.contract.logs import get_logger
from couriers.contract.masking import mask_text
from couriers.contract.origins import Reach, origin_problem
from couriers.http.connections import CheckedConnection, CheckedTlsConnection
from couriers.http.outcomes import kind_of_exception
from couriers.http.transport import DeadlineResponse

log = get_logger(__name__)

# Seconds from the first byte that is sent or waited for until the end of the answer.
DEADLINE = 10.0
# Seconds for a connection to one address, and how many addresses of a name are tried.
CONNECT_TIMEOUT, MAX_ADDRESSES = 3.0, 2
MAX_READ = 65536  # bytes of an answer
MAX_SHOWN = 500  # characters of an answer that are kept
MAX_URL = 500  # characters
# A body that is not compressed cannot become larger than it was when it was read.
_HEADERS = {"Accept-Encoding": "identity", "Connection": "close", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call. `status` is None where no whole answer came, and `error` says why.

    `text` is the beginning of the answer, masked. `seconds` is how long the call took.
    """

    status: int | None
    text: str
    error: str
    seconds: float


def reach() -> Reach:
    """Return which addresses an endpoint may have: public ones, and this machine in development."""
    return Reach(loopback=in_development(), private_setting="")


def url_problem(url: str) -> str | None:
    """Return why a URL can be no endpoint, or None. The message does not quote it."""
    if len(url) > MAX_URL:
        return f"is longer than {MAX_URL} characters"
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return "must have no spaces, backslashes or letters beyond ASCII (write xn-- names)"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    if "#" in url:
        return "must have no fragment"
    return origin_problem(f"{parts.scheme}://{parts.netloc}", reach())


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    """Send the body to an endpoint. Whatever happens is in what is returned; nothing is raised.

    The time in which a resolver finds the name counts, but a resolver that hangs is not stopped.
    """
    started = time.monotonic()
    if problem := url_problem(url):
        return Answered(None, "", f"not sent: the URL {problem}", 0.0)
    status, text, error = None, "", ""
    try:
        status, text = _exchange(url, body, headers)
    except requests.RequestException as failure:
        error = kind_of_exception(failure)[1]
    except (HTTPError, OSError) as failure:  # while the body is read
        error = kind_of_exception(requests.ConnectionError(failure))[1]
    return Answered(status, text, error, time.monotonic() - started)


def _exchange(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Return the status and the beginning of the answer, which has ended or was cut off."""
    # Not by a session, which reads the whole body of a redirect, although it does not follow it.
    request = requests.Request("POST", url, data=body, headers={**_HEADERS, **headers}).prepare()
    # urllib3's own time-out for connecting and the first byte; `requests` takes it as it is.
    limit = Timeout(total=DEADLINE, connect=CONNECT_TIMEOUT)
    adapter = _Adapter(max_retries=0)
    try:
        response = adapter.send(request, stream=True, timeout=limit)  # type: ignore[arg-type]
        with response:
            return response.status_code, _beginning(response)
    finally:
        adapter.close()


def _beginning(response: requests.Response) -> str:
    """Read the answer, MAX_READ bytes at most, and return its first characters masked."""
    read = b""
    while part := response.raw.read(MAX_READ - len(read), decode_content=False):
        read += part
        if len(read) >= MAX_READ:
            break
    # What is cut off may be half of a number, so more than what is kept is masked.
    text = read[: 4 * MAX_SHOWN].decode("utf-8", errors="replace")
    return mask_text(" ".join(text.split()))[:MAX_SHOWN]


class _Checked(CheckedConnection):
    max_addresses = MAX_ADDRESSES
    response_class = DeadlineResponse

    def reach(self) -> Reach:
        return reach()

    def note_refused(self, name: str, address: str, problem: str) -> None:
        """The merchant sees it in the log of deliveries. The platform has no fault to mend."""
        log.info("endpoint_address_refused", host=name, address=address, reason=problem)


class _CheckedTls(_Checked, CheckedTlsConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


class _Adapter(HTTPAdapter):
    """Connects by the checked classes."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
