from typing import ClassVar

from django.db.models.signals import pre_migrate

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
        from couriers.http.adapter import declare_calls
        from couriers.models.announcements import declare_bookings
        from couriers.models.event import create_sequences
        from couriers.operations import (
            admin_checks,  # noqa: F401 - the checks register themselves
            celery_checks,  # noqa: F401
            courier_checks,  # noqa: F401
            event_gauges,
            host_checks,  # noqa: F401
            key_checks,  # noqa: F401
            machine_gauges,
            metrics,
            shipment_gauges,
            sync_gauges,
            system_checks,  # noqa: F401
            task_gauges,
            worker_queues,  # noqa: F401 - it connects its receiver
        )
        from couriers.resilience import task_context  # noqa: F401 - it connects its receivers
        from couriers.resilience.bulkhead import declare_refusals

        pre_migrate.connect(create_sequences, sender=self)
        for source in (
            shipment_gauges.doubt_gauges,
            shipment_gauges.flag_gauges,
            shipment_gauges.circuit_gauges,
            shipment_gauges.job_gauges,
            shipment_gauges.action_gauges,
            event_gauges.event_gauges,
            sync_gauges.sync_gauges,
            sync_gauges.silence_gauges,
        ):
            metrics.register(source)
        for source in (
            task_gauges.queue_gauges,
            task_gauges.beat_gauges,
            machine_gauges.disk_gauges,
            machine_gauges.certificate_gauges,
        ):
            metrics.register(source, needs_database=False)
        metrics.register_zeros(declare_bookings)
        metrics.register_zeros(declare_refusals)
        metrics.register_zeros(declare_calls)
