from couriers.contract.installation import CourierAppConfig


class CouriersEkartConfig(CourierAppConfig):
    """The Django app of Ekart."""

    name = "couriers_ekart"
    label = "shipcrowd_ekart"
    verbose_name = "Ekart"
    adapters = ("couriers_ekart.adapter.EkartAdapter",)
    receiver = "couriers_ekart.receiver.EkartReceiver"
