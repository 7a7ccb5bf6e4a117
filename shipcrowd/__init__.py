"""The Shipcrowd project: settings, URLs, Celery and WSGI. Wiring only, no domain logic."""

from shipcrowd.celery import app as celery_app

__all__ = ["celery_app"]
