"""The database engine of the project: Django's for PostgreSQL, which counts statements."""
