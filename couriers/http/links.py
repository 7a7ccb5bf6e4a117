"""Fetch the documents that a courier offers under links: labels and proofs of delivery.

A link may lead to another host, such as an object store, and is often signed: it is never logged,
and the account's login never goes with it.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from urllib.parse import urlsplit

import requests

from couriers.conf import tunables
from couriers.contract.accounts import Account
from couriers.contract.documents import Document, DocumentLink
from couriers.contract.errors import CourierError, NotFound, Rejected, Unknown
from couriers.contract.origins import origin_problem
from couriers.http import transport
from couriers.http.metrics import CallMetrics
from couriers.http.outcomes import kind_of_exception
from couriers.http.tunables import http_tunables
from couriers.models.plugin_hooks import courier_reach
from couriers.resilience import bulkhead, deadline

OPERATION = "fetch_document"
MAX_URL = 4096  # characters
# What a document begins with, by its type.
BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
# The link is unknown, or its time is over: object stores answer 403 then.
_GONE = (403, 404, 410)


def fetch(link: DocumentLink, account: Account, hosts: Collection[str]) -> Document:
    """Download a document, which is checked to be of one of `link.content_types`.

    `hosts` are the adapter's `document_hosts`: a name, a name with a port, or `*.` and a domain for
    every name below it. The origin of the account's base URL is allowed, too. Only https is, and
    http to this machine in development. Redirects are not followed. At most LABEL_MAX_BYTES are
    read, within the courier's READ_TIMEOUT.

    Raises TooManyInFlight before the call, and Rejected for a link that may not be fetched. Raises
    NotFound for a link that is unknown or whose time is over, and Unknown for everything else.
    """
    if problem := _link_problem(link.url, account.base_url, hosts):
        raise _failure(account, Rejected, f"the link of a document {problem}")
    metrics = CallMetrics(account.courier_id)
    started = time.perf_counter()
    with bulkhead.hold_place(account, OPERATION):
        try:
            status, content = _download(link, account.courier_id)
        except requests.RequestException as error:
            failure = _failure(account, Unknown, kind_of_exception(error)[1])
            metrics.count_call(OPERATION, failure.outcome, 0)
            # `from None`: the error of `requests` quotes the URL.
            raise failure from None
        finally:
            metrics.observe_latency(OPERATION, time.perf_counter() - started)
    try:
        document = _document(link, account, status, content)
    except CourierError as failure:
        metrics.count_call(OPERATION, failure.outcome, status)
        raise
    metrics.count_call(OPERATION, "ok", status)
    return document


def _link_problem(url: str, base_url: str, hosts: Collection[str]) -> str | None:
    """Return why nothing is fetched from a URL, or None. The message does not quote it."""
    if len(url) > MAX_URL or not (url.isascii() and url.isprintable()):
        return f"is longer than {MAX_URL} characters, or is not ASCII"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    origin = f"{parts.scheme}://{parts.netloc}"
    if problem := origin_problem(origin, courier_reach()):
        return problem
    named = parts.netloc.lower().removesuffix(":443")
    own = urlsplit(base_url.lower())
    is_own = (parts.scheme, parts.netloc.lower()) == (own.scheme, own.netloc)
    if is_own or any(_matches(named, host.lower()) for host in hosts):
        return None
    return "leads to a host that the courier's plug-in does not name"


def _matches(named: str, host: str) -> bool:
    return named.endswith(host[1:]) if host.startswith("*.") else named == host


def _download(link: DocumentLink, courier: str) -> tuple[int, bytes | None]:
    """Return the status and the content; None is one that is too large.

    Raises requests.RequestException, and TimeIsUp once the deadline of the work at hand has passed.
    """
    times = http_tunables(courier)
    left = deadline.seconds_left() or times.READ_TIMEOUT
    with transport.session(courier, times.POOL_SIZE).get(
        link.url,
        headers={"Accept": ", ".join(link.content_types)},
        timeout=(min(times.CONNECT_TIMEOUT, left), min(times.READ_TIMEOUT, left)),
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code != 200:
            return response.status_code, b""
        size = tunables().LABEL_MAX_BYTES
        return response.status_code, transport.read_body(response, lambda _: size)


def _document(link: DocumentLink, account: Account, status: int, content: bytes | None) -> Document:
    """Return the document. Raises NotFound and Unknown."""
    if status in _GONE:
        raise _failure(account, NotFound, "the document is not there, or no longer", status)
    if status != 200:
        raise _failure(account, Unknown, "the document cannot be fetched", status)
    if content is None:
        size = tunables().LABEL_MAX_BYTES
        raise _failure(account, Unknown, f"the document is larger than {size} bytes", status)
    for kind in link.content_types:
        if kind in BEGINNINGS and content.startswith(BEGINNINGS[kind]):
            return Document(content, kind, link.filename)
    expected = " or ".join(link.content_types)
    raise _failure(account, Unknown, f"the document is not {expected}", status)


def _failure(
    account: Account, kind: type[CourierError], message: str, status: int | None = None
) -> CourierError:
    return kind(message, courier=account.courier_id, operation=OPERATION, http_status=status)
