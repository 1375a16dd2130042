"""Tables come with the module."""
