"""URLs of the staff API of the inbox, which the core serves below its `ops/`."""

from couriers.api.routes import with_and_without_slash
from webhooks import ops

app_name = "webhooks_ops"

urlpatterns = list(
    with_and_without_slash(
        [
            ("webhook-events/", ops.WebhookEventsView, "events"),
            ("webhook-events/replay/", ops.ReplayManyView, "replay-many"),
            ("webhook-events/<int:pk>/", ops.WebhookEventView, "event"),
            ("webhook-events/<int:pk>/replay/", ops.ReplayView, "replay"),
        ]
    )
)
