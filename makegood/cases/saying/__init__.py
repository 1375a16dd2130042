"""What a text for a customer claims, and whether the approved decision and the facts hold it. Pure."""
