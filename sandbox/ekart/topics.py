"""The topics that a webhook can be registered for."""

TRACK_UPDATED = "track_updated"
SHIPMENT_CREATED = "shipment_created"
SHIPMENT_RECREATED = "shipment_recreated"
TOPICS = (TRACK_UPDATED, SHIPMENT_CREATED, SHIPMENT_RECREATED)
