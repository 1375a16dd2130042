"""What customers say of us: their feedback, each row with its case, order, rating and words."""
