from django.apps import AppConfig
from django.db.models import Q


class WebhooksConfig(AppConfig):
    """The inbox of couriers' callbacks."""

    name = "webhooks"
    label = "shipcrowd_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from couriers.conf import tunables
        from couriers.operations import metrics, retention
        from webhooks.metrics import inbox
        from webhooks.models import EventState, WebhookEvent

        metrics.register(inbox)
        retention.register(
            retention.RetentionRule(
                "webhook_events",
                WebhookEvent,
                "received_at",
                days=lambda: tunables().RETENTION_EVENTS_DAYS,
                # What is still due is not old, however long ago it came.
                only=Q(state__in=[EventState.PROCESSED, EventState.DEAD]),
            )
        )
