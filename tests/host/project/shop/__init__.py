"""A shop's project, which has nothing from the project `shipcrowd` but the installed apps."""

from shop.celery import app as celery_app

__all__ = ["celery_app"]
