"""Makegood's own file of orders, one row an order line."""
