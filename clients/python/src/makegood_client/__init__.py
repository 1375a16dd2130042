"""A typed client of the Makegood JSON API."""

from makegood_client.api import Makegood
from makegood_client.calling import Problem

__all__ = ["Makegood", "Problem"]
