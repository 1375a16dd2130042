"""What was sold, paid and sent."""
