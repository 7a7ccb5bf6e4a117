"""The project as a Django app: it sets the Celery application and a timeout per connection."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

IDLE_TRANSACTION_TIMEOUT = "60s"


class ShipcrowdConfig(AppConfig):
    """The app `shipcrowd`, which also brings the command `demo`."""

    name = "shipcrowd"
    label = "shipcrowd"

    def ready(self) -> None:
        # A task that a web process sends goes to the broker of the current application.
        from shipcrowd import system_checks  # noqa: F401 - the checks register themselves
        from shipcrowd.celery import app

        app.set_default()
        from shipcrowd import deploy_checks  # noqa: F401 - the checks register themselves

        connection_created.connect(set_idle_transaction_timeout)


def set_idle_transaction_timeout(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have PostgreSQL end a transaction that a hanging or disconnected process left open.

    Its locks would otherwise be held until TCP gives up. It is set by a statement and not in the
    connection's options, because PgBouncer refuses options that it does not know.
    """
    connection.connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_TIMEOUT}'"
    )
