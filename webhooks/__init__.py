"""The webhook inbox: stores couriers' callbacks once and has workers apply them."""
