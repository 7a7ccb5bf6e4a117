from django.apps import AppConfig


class CouriersConfig(AppConfig):
    """The courier-neutral core. Its explicit label keeps it apart from a host project's apps."""

    name = "couriers"
    label = "shipcrowd_couriers"
    verbose_name = "Couriers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from couriers.operations import (
            admin_checks,  # noqa: F401 - the checks register themselves
            metrics,
            system_checks,  # noqa: F401
        )

        metrics.register(metrics.doubt_gauges)
        metrics.register(metrics.circuit_gauges)
