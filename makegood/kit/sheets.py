"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def defuse(cell: str) -> str:
    """Keep a spreadsheet from computing a cell that somebody else wrote."""
    return "'" + cell if cell.startswith(_FORMULA) else cell
