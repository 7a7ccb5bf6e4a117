"""URLs of the API of endpoints, which the core serves beside its own."""

from couriers.api.routes import with_and_without_slash
from webhooks.outbox import views

urlpatterns = list(
    with_and_without_slash(
        [
            ("webhook-endpoints/", views.EndpointsView, "endpoints"),
            ("webhook-endpoints/<public_id:pk>/", views.EndpointView, "endpoint"),
            (
                "webhook-endpoints/<public_id:pk>/rotate-secret/",
                views.RotateSecretView,
                "endpoint-rotate-secret",
            ),
            ("webhook-endpoints/<public_id:pk>/test/", views.TestView, "endpoint-test"),
            ("webhook-endpoints/<public_id:pk>/resend/", views.ResendView, "endpoint-resend"),
            (
                "webhook-endpoints/<public_id:pk>/deliveries/",
                views.DeliveriesView,
                "endpoint-deliveries",
            ),
        ]
    )
)
