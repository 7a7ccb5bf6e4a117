"""The admin pages of operators, one module for each concept."""

from couriers.admin import accounts, companies, jobs, shipments

__all__ = ["accounts", "companies", "jobs", "shipments"]
