"""Other programs doing comparable work, each in an environment of its own."""
