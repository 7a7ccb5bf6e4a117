"""Guards of the calls to couriers, shared by all processes through Redis; and thread pools.

Each guard falls back to this process alone while Redis is unavailable. None of them ensures that an
order is booked once: PostgreSQL alone does that.
"""
