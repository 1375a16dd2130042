"""Granted remedies become payouts, each paid exactly once."""
