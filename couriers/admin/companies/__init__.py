"""The admin pages of companies, their accounts and warehouses, and of couriers."""
