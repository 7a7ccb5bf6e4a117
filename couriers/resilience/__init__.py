"""Guards of the calls to couriers, shared by all processes through Redis. One module, one guard.

Each has a fallback for this process while Redis is unavailable. None of them ensures that an order
is booked once: PostgreSQL alone does that.
"""
