"""The inbox: couriers' callbacks, stored once and applied by workers."""
