"""Gauges of the news about shipments, read at each scrape: whether it comes in time."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from couriers.contract.registry import CourierFactory
from couriers.operations.news import news_by, silent_accounts
from couriers.operations.shipment_gauges import couriers_in_use, named

SYNC_MEANING = (
    "Of the shipments under way that were booked more than TRACKING_SILENCE ago, the share (0 to "
    "1) whose last news, by callback or poll, is younger than TRACKING_SILENCE; 1 where none is due"
)


def sync_gauges() -> Iterable[Metric]:
    """The share of the due shipments with fresh news, under the courier's own name and by courier.

    What is due and what is fresh, news.py says.
    """
    of_all = GaugeMetricFamily(
        "shipcrowd_courier_sync_success_rate", SYNC_MEANING, labels=["courier"]
    )
    found = {code: news.fresh / news.due for code, news in news_by("courier_id").items()}
    for courier in CourierFactory.codes():
        share = found.get(courier, 1.0)
        yield GaugeMetricFamily(f"{named(courier)}_sync_success_rate", SYNC_MEANING, value=share)
    for courier in couriers_in_use():
        of_all.add_metric([courier], found.get(courier, 1.0))
    yield of_all


def silence_gauges() -> Iterable[Metric]:
    """Accounts whose courier should have called back and has not, by courier."""
    silent = GaugeMetricFamily(
        "shipcrowd_callbacks_silent_accounts",
        "Enabled accounts with a shipment under way for more than twelve hours that have had no "
        "good callback for twelve hours",
        labels=["courier"],
    )
    found = dict(silent_accounts().order_by().values_list("courier_id").annotate(count=Count("pk")))
    for courier in couriers_in_use():
        if CourierFactory.receiver(courier):
            silent.add_metric([courier], found.get(courier, 0))
    return [silent]
