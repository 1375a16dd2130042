"""One believable bilingual shop."""
