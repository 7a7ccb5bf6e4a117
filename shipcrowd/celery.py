"""The Celery application: `celery -A shipcrowd worker` and `celery -A shipcrowd beat`."""

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

app = Celery("shipcrowd")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(*, loglevel: int, **_: Any) -> None:
    """Workers and beat log as the settings say, not in lines of Celery's own; --loglevel holds."""
    logging.getLogger().setLevel(loglevel)
