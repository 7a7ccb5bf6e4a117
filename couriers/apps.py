from typing import ClassVar

from couriers.contract.installation import ShipcrowdAppConfig


class CouriersConfig(ShipcrowdAppConfig):
    """The courier-neutral core. Its explicit label keeps it apart from a host project's apps."""

    name = "couriers"
    label = "shipcrowd_couriers"
    verbose_name = "Couriers"
    required_apps: ClassVar = {
        "django.contrib.admin": "operators work in the admin",
        "django.contrib.auth": "operators are users with permissions",
        "django.contrib.contenttypes": "permissions refer to content types",
        "django.contrib.messages": "the admin's pages show messages",
        "django.contrib.postgres": "the tables use PostgreSQL's own fields and indexes",
        "django.contrib.sessions": "operators log in with a session",
        "django.contrib.staticfiles": "the admin and the API's documentation have static files",
        "django_filters": "the API's lists are filtered by it",
        "drf_spectacular": "it makes the API's schema",
        "rest_framework": "the API is built with it",
        "rest_framework_api_key": "it stores the API keys of companies",
    }

    def ready(self) -> None:
        from couriers.operations import (
            admin_checks,  # noqa: F401 - the checks register themselves
            celery_checks,  # noqa: F401
            courier_checks,  # noqa: F401
            host_checks,  # noqa: F401
            key_checks,  # noqa: F401
            metrics,
            system_checks,  # noqa: F401
            worker_queues,  # noqa: F401 - it connects its receiver
        )

        metrics.register(metrics.doubt_gauges)
        metrics.register(metrics.circuit_gauges)
