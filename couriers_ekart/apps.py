from django.apps import AppConfig


class CouriersEkartConfig(AppConfig):
    """Ekart; registers its adapter and receiver when Django is ready."""

    name = "couriers_ekart"
    label = "shipcrowd_ekart"
    verbose_name = "Ekart"

    def ready(self) -> None:
        from couriers import metrics
        from couriers.factory import CourierFactory
        from couriers_ekart import checks  # noqa: F401 - they register themselves
        from couriers_ekart.provider import EkartAdapter
        from couriers_ekart.webhooks import EkartReceiver

        CourierFactory.register(EkartAdapter, EkartReceiver())
        metrics.register(metrics.circuits_of("ekart"))
