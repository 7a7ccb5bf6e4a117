"""The adapters of a courier that is asked where shipments are over HTTP: in batches, or singly."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from couriers.contract.adapter import Capability
from couriers.contract.errors import TooManyRequests
from couriers.contract.registry import CourierFactory
from couriers.contract.types import Limit, Scan, Tracking
from couriers.models import CourierAccount
from couriers.resilience import rate_limit
from tests.support.toy import MAPPER, ToyAdapter
from tests.support.tracking_server import TrackingServer

OPERATION = "track"


class SingleHttpAdapter(ToyAdapter):
    """Asks the stand-in about one shipment by a call."""

    code = "toy"
    _kept = threading.local()  # a connection for each thread

    def track_shipment(self, tracking_id: str) -> Tracking:
        return self._ask([tracking_id])[tracking_id]

    def _ask(self, tracking_ids: Sequence[str]) -> dict[str, Tracking]:
        limit = self.account.limit_of(OPERATION, Limit(1, 1))
        rate_limit.acquire(self.account.pk, OPERATION, limit)
        connection = self._connection()
        connection.request("POST", "/track", json.dumps(list(tracking_ids)))
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status == 429:
            rate_limit.pause(self.account.pk, OPERATION, limit.window)
            raise TooManyRequests("429", retry_after=limit.window)
        now = timezone.now()
        return {
            tracking_id: Tracking(tracking_id, tuple(_scan(one, now) for one in found))
            for tracking_id, found in body.items()
        }

    def _connection(self) -> http.client.HTTPConnection:
        host = urlsplit(self.account.base_url).netloc
        kept = getattr(self._kept, "connection", None)
        if kept is None or self._kept.host != host:
            kept = http.client.HTTPConnection(host, timeout=30)
            self._kept.connection, self._kept.host = kept, host
        return kept


class BatchHttpAdapter(SingleHttpAdapter):
    """Asks the stand-in about fifty shipments by a call."""

    capabilities = ToyAdapter.capabilities | {Capability.TRACK_SHIPMENTS}
    track_size = 50

    def track_shipments(self, tracking_ids: Sequence[str]) -> Mapping[str, Tracking]:
        return self._ask(tracking_ids)


def _scan(found: Mapping[str, Any], now: dt.datetime) -> Scan:
    at = now - dt.timedelta(minutes=found["minutes"])
    return Scan(MAPPER.map(found["status"]), at, found["place"])


@dataclass(frozen=True, slots=True)
class Rate:
    """What the stand-in counted: calls a second within the limit, and calls too fast.

    `share` is the rate as a part of the permitted one. `smallest` and `largest` are the ids of a
    call.
    """

    calls: int
    share: float
    too_fast: int
    smallest: int
    largest: int


@contextmanager
def courier_over_http(
    account: CourierAccount, adapter: type[SingleHttpAdapter], limit: Limit, latency: float
) -> Iterator[TrackingServer]:
    """Have the account's courier be the stand-in, with this limit on both sides."""
    with TrackingServer(limit.count, limit.window, latency) as server:
        account.base_url = server.url
        account.limits = {OPERATION: {"count": limit.count, "window": limit.window}}
        account.save()
        CourierFactory.register(adapter)
        yield server


def measured(server: TrackingServer, limit: Limit) -> Rate:
    """Return the rate of the calls that the stand-in counted."""
    counts = server.counts()
    times = counts["times"]
    seconds = times[-1] - times[0]
    share = (len(times) - 1) / seconds / (limit.count / limit.window)
    return Rate(len(times), share, counts["too_fast"], min(counts["ids"]), max(counts["ids"]))
