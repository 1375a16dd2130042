"""The colours can be told apart by everybody: WCAG 2.2, 1.4.3 and 1.4.11, in daylight and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from makegood.kit import pages

CSS = (Path(pages.__file__).parent / "static" / "pages" / "tokens.css").read_text()
LIGHT, DARK = CSS.split("@media (prefers-color-scheme")
WORDS = ("ink", "ink-soft", "pine", "seal", "amber", "sky")
GROUNDS = ("paper", "sheet", "sunk", "pine-wash", "seal-wash", "amber-wash", "sky-wash")


def tokens(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text))


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_every_ground(scheme: str) -> None:
    colours = tokens(LIGHT) if scheme == "light" else {**tokens(LIGHT), **tokens(DARK)}
    weak = [(w, g) for w in WORDS for g in GROUNDS if contrast(colours[w], colours[g]) < 4.5]
    weak += [
        ("on-fill", f)
        for f in ("pine-fill", "pine-press", "seal-fill")
        if contrast(colours["on-fill"], colours[f]) < 4.5
    ]
    weak += [("edge", g) for g in ("paper", "sheet") if contrast(colours["edge"], colours[g]) < 3]

    assert weak == []
