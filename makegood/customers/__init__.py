"""People, the addresses they are known by, and what they agreed to."""
