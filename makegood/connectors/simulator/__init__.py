"""A strict gateway simulator: own process, own books, Stripe's HTTP face, faults on demand. For tests and demo."""
