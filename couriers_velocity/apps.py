from couriers.contract.installation import CourierAppConfig


class CouriersVelocityConfig(CourierAppConfig):
    """The Django app of Velocity."""

    name = "couriers_velocity"
    label = "shipcrowd_velocity"
    verbose_name = "Velocity"
    adapters = ("couriers_velocity.adapter.VelocityAdapter",)
    receiver = "couriers_velocity.receiver.VelocityReceiver"
