"""The outbox: sends a company's events to its endpoints, each at least once and in order.

An event's deliveries are rows (fan_out). Workers claim those that are due (claims), send them
(sending) and record what came of it (outcomes). endpoints is what people and keys do.
"""
