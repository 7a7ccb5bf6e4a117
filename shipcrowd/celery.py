"""The Celery application: `celery -A shipcrowd worker` and `celery -A shipcrowd beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

app = Celery("shipcrowd")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
