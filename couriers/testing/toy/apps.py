from typing import ClassVar

from couriers.contract.installation import ShipcrowdAppConfig


class CouriersToyConfig(ShipcrowdAppConfig):
    """The Django app of the toy courier, which registers its three forms."""

    name = "couriers.testing.toy"
    label = "shipcrowd_toy"
    verbose_name = "Toy"
    required_apps: ClassVar = {"couriers": "it is the platform that the plug-in serves"}

    def ready(self) -> None:
        from couriers.contract.registry import CourierFactory
        from couriers.testing.toy import adapter
        from couriers.testing.toy.receiver import ToyReceiver

        for form in (
            adapter.ToyAdapter, adapter.ToySearchAdapter, adapter.ToyReservationAdapter,
        ):  # fmt: skip
            CourierFactory.register(form, ToyReceiver())
