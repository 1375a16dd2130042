"""A small bar chart as SVG: bars left and right of nothing, each with its words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, ROW, LABEL, MARGIN = 720, 26, 300, 90
GAIN, LOSS = "#1a7f4b", "#b3261e"


def bars(rows: Sequence[tuple[str, int, str]], title: str) -> str:
    """``rows``: a label, a value that may be negative, and the value in words. Longest bar as wide as there is room."""
    most = max((abs(value) for _, value, _ in rows), default=0) or 1
    half = (WIDTH - LABEL - 2 * MARGIN) // 2
    middle = LABEL + MARGIN + half
    height = ROW * (len(rows) + 1) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif"'
        f' font-size="12"><title>{escape(title)}</title>',
        f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>',
        f'<line x1="{middle}" y1="{ROW}" x2="{middle}" y2="{height - 6}" stroke="#999"/>',
    ]
    for at, (label, value, words) in enumerate(rows):
        top = ROW * (at + 1) + 4
        length = abs(value) * half // most
        left = middle if value >= 0 else middle - length
        end, anchor = (middle + length + 4, "start") if value >= 0 else (middle - length - 4, "end")
        shown = label if len(label) <= 44 else label[:43] + "…"
        parts += [
            f'<text x="8" y="{top + 14}">{escape(shown)}<title>{escape(label)}</title></text>',
            f'<rect x="{left}" y="{top + 2}" width="{length}" height="{ROW - 10}"'
            f' fill="{GAIN if value >= 0 else LOSS}"/>',
            f'<text x="{end}" y="{top + 14}" text-anchor="{anchor}">{escape(words)}</text>',
        ]
    return "".join(parts) + "</svg>\n"
