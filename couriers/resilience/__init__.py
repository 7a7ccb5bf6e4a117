"""Guards shared by all processes through Redis: one idea a module, each with a fallback.

None of them carries the promise that an order is booked once: that rests on PostgreSQL alone.
"""
