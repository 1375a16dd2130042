"""Template tags that say cases in words."""
