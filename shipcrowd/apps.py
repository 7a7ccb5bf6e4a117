from django.apps import AppConfig


class ShipcrowdConfig(AppConfig):
    """The project itself: its Celery application and its command `demo`."""

    name = "shipcrowd"
    label = "shipcrowd"

    def ready(self) -> None:
        # So that a task sent by a web process knows its broker.
        from shipcrowd.celery import app

        app.set_default()
