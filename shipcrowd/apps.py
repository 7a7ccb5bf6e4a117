"""The project as a Django app: it sets the Celery application and a timeout per connection."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from shipcrowd import __version__, telemetry
from shipcrowd.environment import stop
from shipcrowd.pooler import pools_transactions
from shipcrowd.variables import wrong

IDLE_TRANSACTION_TIMEOUT = "60s"
# What the admin calls the apps of libraries.
APP_NAMES = {
    "auth": "Staff",
    "axes": "Refused logins",
    "otp_static": "Recovery codes",
    "otp_totp": "Second factors",
}


class ShipcrowdConfig(AppConfig):
    """The app `shipcrowd`, which also brings the command `demo`."""

    name = "shipcrowd"
    label = "shipcrowd"

    def ready(self) -> None:
        # A task that a web process sends goes to the broker of the current application.
        from shipcrowd import system_checks  # noqa: F401 - the checks register themselves
        from shipcrowd.celery import app

        app.set_default()
        from couriers.operations import metrics
        from shipcrowd import deploy_checks, pooler_checks  # noqa: F401 - they register themselves
        from shipcrowd.metrics import migration_gauges
        from shipcrowd.staff import trail

        metrics.register(migration_gauges)
        _start_telemetry()
        trail.connect()
        for label, name in APP_NAMES.items():
            apps.get_app_config(label).verbose_name = name
        connection_created.connect(set_idle_transaction_timeout)


def _start_telemetry() -> None:
    """Send traces and errors where the settings say so. A wrong address ends the process."""
    try:
        telemetry.start(
            otlp_endpoint=settings.OTEL_EXPORTER_OTLP_ENDPOINT,
            sentry_dsn=settings.SENTRY_DSN,
            release=__version__,
        )
    except telemetry.NotInstalled as error:
        stop(str(error))
    except ValueError:
        wrong("SENTRY_DSN", "is not a DSN of Sentry", "https://key@sentry.example.com/1")


def set_idle_transaction_timeout(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have PostgreSQL end a transaction that a hanging or disconnected process left open.

    Its locks would otherwise be held until TCP gives up. It is set by a statement and not in the
    connection's options, because PgBouncer refuses options that it does not know. Behind a pooler
    of transactions it would be set for somebody else: there the role has it (shipcrowd.W022).
    """
    if pools_transactions(connection):
        return
    connection.connection.execute(
        f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_TIMEOUT}'"
    )
