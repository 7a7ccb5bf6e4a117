"""A stand-in for Velocity, an aggregator of carriers, after what is known of its Shipping API.

What is not proven about the true one is a switch (sandbox.velocity.switches).
"""
