"""One believable bilingual shop, brought in through the same commands that production uses."""
