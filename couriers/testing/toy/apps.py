from couriers.contract.installation import CourierAppConfig

COURIER = "couriers.testing.toy.adapter"


class CouriersToyConfig(CourierAppConfig):
    """The Django app of the toy courier, in its three forms."""

    name = "couriers.testing.toy"
    label = "shipcrowd_toy"
    verbose_name = "Toy"
    adapters = (
        f"{COURIER}.ToyAdapter", f"{COURIER}.ToySearchAdapter", f"{COURIER}.ToyReservationAdapter",
    )  # fmt: skip
    receiver = "couriers.testing.toy.receiver.ToyReceiver"
