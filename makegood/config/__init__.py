"""Settings, addresses, and the one table from domain error to HTTP."""
