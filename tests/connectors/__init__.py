"""Tests of the connectors: wire formats in, plain records out."""
