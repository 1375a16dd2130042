"""Replies composed from a case: sentences of typed slots, each from where its value stands, none invented."""
