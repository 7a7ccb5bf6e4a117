"""The operators' pages, one module a concept."""

from couriers.admin import accounts, companies, shipments

__all__ = ["accounts", "companies", "shipments"]
