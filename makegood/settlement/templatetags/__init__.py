"""Template tags that say payouts in words."""
