"""Every tool there is: importing this registers them all, in the order in which agents are shown them."""

from makegood.mcp import asking, bulk, changing, deciding, reading
from makegood.mcp.toolbox import TOOLS

__all__ = ["TOOLS", "asking", "bulk", "changing", "deciding", "reading"]
