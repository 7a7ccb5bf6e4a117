from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The inbox of couriers' callbacks."""

    name = "webhooks"
    label = "shipcrowd_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
