"""The Celery application: `celery -A shipcrowd worker` and `celery -A shipcrowd beat`."""

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

app = Celery("shipcrowd")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_project_logging(*, loglevel: int, **_: Any) -> None:
    """Keep the logging of the settings in workers and beat; only the level is --loglevel's.

    Celery sets up no logging of its own when this signal has a receiver.
    """
    logging.getLogger().setLevel(loglevel)


@worker_init.connect
@beat_init.connect
def refuse_wrong_settings(**_: Any) -> None:
    """End a worker, or beat, whose settings have errors."""
    from shipcrowd.startup import refuse_to_start_with_errors

    refuse_to_start_with_errors()
