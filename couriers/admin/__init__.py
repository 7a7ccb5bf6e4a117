"""The operators' pages, one module a concept."""

from couriers.admin import accounts, companies, shipments, work

__all__ = ["accounts", "companies", "shipments", "work"]
