"""Merchants, their shops, staff, roles and tokens."""
