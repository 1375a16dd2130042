"""The sale report of an Amazon seller."""
