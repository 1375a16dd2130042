"""Telephone calls: events of a call centre become a card, a verified caller, and messages on the case."""
