"""Requests for after-sales, from filing to the last appeal."""
