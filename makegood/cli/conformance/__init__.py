"""Benchmarks of others, replayed through our own commands."""
