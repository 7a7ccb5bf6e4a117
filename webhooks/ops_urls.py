"""URLs of the staff API of the inbox, included below /api/v1/ops/."""

from django.urls import path

from webhooks import ops

app_name = "webhooks-ops"

urlpatterns = [
    path("webhook-events/", ops.WebhookEventsView.as_view(), name="events"),
    path("webhook-events/replay/", ops.ReplayManyView.as_view(), name="replay-many"),
    path("webhook-events/<int:pk>/", ops.WebhookEventView.as_view(), name="event"),
    path("webhook-events/<int:pk>/replay/", ops.ReplayView.as_view(), name="replay"),
]
