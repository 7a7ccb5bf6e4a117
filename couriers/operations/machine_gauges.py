"""Gauges of the machine that answers: its disks, and the certificate that couriers are shown."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from cryptography import x509
from django.core.files.storage import storages
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.conf import tunables
from couriers.contract.logs import get_logger

log = get_logger(__name__)

CONNECT_TIMEOUT = 2.0  # seconds, for the connection and again for the handshake
# Seconds until a process asks for the certificate again, after an answer and after a failure.
ASK_AGAIN, TRY_AGAIN = 900.0, 120.0


def disk_gauges() -> Iterable[Metric]:
    """The share of free space of the disks that the platform writes to, by folder.

    A folder is left out that does not exist, as where documents are kept in an object store.
    """
    free = GaugeMetricFamily(
        "shipcrowd_disk_free_ratio",
        "Free share (0 to 1) of the disk that has the folder",
        labels=["folder"],
    )
    for name, folder in _folders().items():
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        free.add_metric([name], usage.free / usage.total if usage.total else 0.0)
    return [free]


def _folders() -> dict[str, str]:
    folders = {"tmp": tempfile.gettempdir()}
    storage = storages[tunables().STORAGE]
    if location := getattr(storage, "location", ""):
        folders["media"] = str(location)
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        folders["metrics"] = folder
    return folders


def certificate_gauges() -> Iterable[Metric]:
    """The seconds until the certificate of BASE_URL's host ends, less than 0 once it has.

    Nothing is shown where BASE_URL is not https, or as long as nobody answers there.
    """
    url = urlsplit(tunables().BASE_URL)
    if url.scheme != "https" or not url.hostname:
        return []
    ends_at = _certificates.ends_at(url.hostname, url.port or 443)
    if ends_at is None:
        return []
    left = GaugeMetricFamily(
        "shipcrowd_certificate_expires_seconds",
        "Time until the certificate of the public address ends",
        labels=["host"],
    )
    left.add_metric([url.hostname], ends_at - time.time())
    return [left]


class _Certificates:
    """When the certificate of the public address ends, as it was last seen by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._address: tuple[str, int] | None = None
        self._ends_at: float | None = None  # seconds (UTC)
        self._next_ask = 0.0  # on the monotonic clock

    def ends_at(self, host: str, port: int) -> float | None:
        with self._lock:
            if self._address != (host, port):
                self._address, self._ends_at, self._next_ask = (host, port), None, 0.0
            if time.monotonic() >= self._next_ask:
                self._ask(host, port)
            return self._ends_at

    def _ask(self, host: str, port: int) -> None:
        try:
            self._ends_at = _end_of_certificate(host, port)
        except (OSError, ValueError) as error:
            log.warning("certificate_not_read", host=host, error=str(error))
            self._next_ask = time.monotonic() + TRY_AGAIN
        else:
            self._next_ask = time.monotonic() + ASK_AGAIN


_certificates = _Certificates()


def _end_of_certificate(host: str, port: int) -> float:
    """Return when the host's certificate ends, in seconds (UTC). Raises OSError or ValueError.

    Nothing is sent over the connection. The certificate is not verified, because an expired one
    has an end, too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        der = tls.getpeercert(binary_form=True)
    if not der:
        raise ValueError("it showed no certificate")
    return x509.load_der_x509_certificate(der).not_valid_after_utc.timestamp()
