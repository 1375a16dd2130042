"""Makegood (善后): after-sales for commerce."""

__version__ = "0.1.0"
