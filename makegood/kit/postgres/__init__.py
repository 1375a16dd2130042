"""The database: the embedded server, roles, backup, and the backend that knows the tenant."""
