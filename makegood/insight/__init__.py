"""What goes on in the shop: figures of its cases, each with the cases behind it."""
