from typing import ClassVar

from couriers.contract.installation import ShipcrowdAppConfig


class CouriersEkartConfig(ShipcrowdAppConfig):
    """The Django app of Ekart. Registers the adapter and the receiver when Django is ready."""

    name = "couriers_ekart"
    label = "shipcrowd_ekart"
    verbose_name = "Ekart"
    required_apps: ClassVar = {"couriers": "it is the platform that the plug-in serves"}

    def ready(self) -> None:
        from couriers.contract.registry import CourierFactory
        from couriers_ekart.adapter import EkartAdapter
        from couriers_ekart.callbacks.receiver import EkartReceiver

        CourierFactory.register(EkartAdapter, EkartReceiver())
