from typing import ClassVar

from django.db.models import Q

from couriers.contract.installation import ShipcrowdAppConfig


class WebhooksConfig(ShipcrowdAppConfig):
    """The app of the inbox and the outbox. Registers their metrics, URLs, rules and receivers."""

    name = "webhooks"
    label = "shipcrowd_webhooks"
    verbose_name = "Webhooks"
    required_apps: ClassVar = {"couriers": "callbacks belong to its accounts and shipments"}

    def ready(self) -> None:
        from couriers.conf import tunables
        from couriers.contract import signals
        from couriers.operations import (
            account_checks,
            canary_figures,
            company_urls,
            erasure,
            health_lists,
            metrics,
            retention,
            staff_urls,
            timeline,
            worklists,
        )
        from webhooks import (
            lists,
            system_checks,  # noqa: F401 - the check registers itself
            waiting,
        )
        from webhooks.canary import read_callbacks
        from webhooks.erasure import erase_bodies
        from webhooks.metrics import declare_events, inbox_gauges, tally_gauges
        from webhooks.models import EventState, WebhookEvent
        from webhooks.outbox.metrics import declare_deliveries, outbox_gauges
        from webhooks.own_callback import send_test
        from webhooks.timeline import callbacks_of

        metrics.register(inbox_gauges)
        metrics.register(tally_gauges)
        metrics.register(outbox_gauges)
        metrics.register_zeros(declare_events)
        metrics.register_zeros(declare_deliveries)
        canary_figures.register(read_callbacks)
        for worklist in (lists.DEAD, lists.DISABLED):
            worklists.register(worklist)
        for health_list in (lists.DUE, lists.FAILING):
            health_lists.register(health_list)
        account_checks.register_test_callback(send_test)
        signals.shipment_settled.connect(waiting.on_settled)
        signals.shipment_tracking_id_corrected.connect(waiting.on_corrected)
        staff_urls.register("webhooks.ops_urls")
        company_urls.register("webhooks.outbox.urls")
        erasure.register("callbacks", erase_bodies)
        timeline.register(timeline.EntryKind.CALLBACK, callbacks_of)
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
