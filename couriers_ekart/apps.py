from django.apps import AppConfig


class CouriersEkartConfig(AppConfig):
    """Ekart; registers its adapter and receiver when Django is ready."""

    name = "couriers_ekart"
    label = "shipcrowd_ekart"
    verbose_name = "Ekart"

    def ready(self) -> None:
        from couriers.contract.registry import CourierFactory
        from couriers_ekart import system_checks  # noqa: F401 - they register themselves
        from couriers_ekart.adapter import EkartAdapter
        from couriers_ekart.callbacks.receiver import EkartReceiver

        CourierFactory.register(EkartAdapter, EkartReceiver())
