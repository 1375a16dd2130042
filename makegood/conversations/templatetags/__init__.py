"""Template tags that say conversations in words."""
