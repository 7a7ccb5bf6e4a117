from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

IDLE_IN_TRANSACTION = "60s"


class ShipcrowdConfig(AppConfig):
    """The project itself: its Celery application and its command `demo`."""

    name = "shipcrowd"
    label = "shipcrowd"

    def ready(self) -> None:
        # So that a task sent by a web process knows its broker.
        from shipcrowd.celery import app

        app.set_default()
        connection_created.connect(end_idle_transactions)


def end_idle_transactions(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have the server end what a process that hangs, or whose machine is gone, left open.

    Its locks would be held until TCP gives up. Not among the connection's own options: PgBouncer
    refuses those that it does not know.
    """
    connection.connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'"
    )
