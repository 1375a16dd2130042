"""Webhooks out: what happens to cases, told to addresses that a merchant names."""
