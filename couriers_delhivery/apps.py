from couriers.contract.installation import CourierAppConfig


class CouriersDelhiveryConfig(CourierAppConfig):
    name = "couriers_delhivery"
    label = "shipcrowd_delhivery"
    verbose_name = "Delhivery"
    adapters = ("couriers_delhivery.adapter.DelhiveryAdapter",)
    receiver = "couriers_delhivery.receiver.DelhiveryReceiver"
