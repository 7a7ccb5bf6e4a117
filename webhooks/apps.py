from typing import ClassVar

from django.db.models import Q

from couriers.contract.installation import ShipcrowdAppConfig


class WebhooksConfig(ShipcrowdAppConfig):
    """The app of the webhook inbox. Registers its metrics, its retention and its receivers."""

    name = "webhooks"
    label = "shipcrowd_webhooks"
    verbose_name = "Webhooks"
    required_apps: ClassVar = {"couriers": "callbacks belong to its accounts and shipments"}

    def ready(self) -> None:
        from couriers.conf import tunables
        from couriers.contract import signals
        from couriers.operations import erasure, metrics, retention, staff_urls
        from webhooks import (
            system_checks,  # noqa: F401 - the check registers itself
            waiting,
        )
        from webhooks.erasure import erase_bodies
        from webhooks.metrics import inbox_gauges, tally_gauges
        from webhooks.models import EventState, WebhookEvent

        metrics.register(inbox_gauges)
        metrics.register(tally_gauges)
        signals.shipment_settled.connect(waiting.on_settled)
        signals.shipment_tracking_id_corrected.connect(waiting.on_corrected)
        staff_urls.register("webhooks.ops_urls")
        erasure.register("callbacks", erase_bodies)
        retention.register(
            retention.RetentionRule(
                "webhook_events",
                WebhookEvent,
                "received_at",
                days=lambda: tunables().RETENTION_EVENTS_DAYS,
                # An event that is still to be tried is kept, however old it is.
                only=Q(state__in=[EventState.PROCESSED, EventState.DEAD]),
            )
        )
