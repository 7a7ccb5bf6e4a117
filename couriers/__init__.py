"""Courier-neutral shipping: the merchant, the shipment and the promise that it is booked once."""
