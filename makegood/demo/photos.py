"""Pictures customers send: drawn, the same on every machine."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

SIZE = (960, 720)
CLAY = (186, 140, 104)
TABLE = (222, 214, 200)
WALL = (240, 236, 228)
CRACK = (62, 44, 34)


def photo(subject: str) -> bytes:
    """A JPEG of ``subject``: ``cracked``, ``torn``, ``empty_box`` or ``receipt``; always the same bytes' worth."""
    picture = Image.new("RGB", SIZE, WALL)
    brush = ImageDraw.Draw(picture)
    brush.rectangle((0, 470, SIZE[0], SIZE[1]), fill=TABLE)
    chance = random.Random(subject)  # noqa: S311 - a drawing, not a secret
    _DRAW[subject.partition(":")[0]](brush, chance)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def _cracked(brush: ImageDraw.ImageDraw, chance: random.Random) -> None:
    brush.ellipse((320, 250, 640, 330), fill=CLAY)
    brush.polygon([(322, 290), (638, 290), (600, 600), (360, 600)], fill=CLAY)
    brush.ellipse((360, 575, 600, 625), fill=CLAY)
    brush.arc((600, 340, 740, 520), 260, 100, fill=CLAY, width=26)
    _crack(brush, chance, start=(chance.randint(400, 560), 300), steps=14)


def _torn(brush: ImageDraw.ImageDraw, chance: random.Random) -> None:
    for row in range(18):
        shade = 150 + row % 2 * 14
        brush.rectangle((200, 180 + row * 22, 760, 202 + row * 22), fill=(shade, shade - 8, shade - 22))
    _crack(brush, chance, start=(chance.randint(320, 620), 190), steps=18)


def _empty_box(brush: ImageDraw.ImageDraw, chance: random.Random) -> None:
    brush.polygon([(240, 330), (720, 330), (780, 620), (180, 620)], fill=(176, 140, 98))
    brush.polygon([(290, 360), (670, 360), (700, 560), (260, 560)], fill=(120, 92, 62))
    for _ in range(40):
        x, y = chance.randint(280, 660), chance.randint(400, 550)
        brush.ellipse((x, y, x + 22, y + 12), fill=(235, 230, 220))


def _receipt(brush: ImageDraw.ImageDraw, chance: random.Random) -> None:
    brush.rectangle((330, 90, 630, 660), fill=(252, 252, 250), outline=(200, 200, 196))
    for row in range(20):
        brush.line((360, 130 + row * 26, 360 + chance.randint(80, 240), 130 + row * 26), fill=(90, 90, 90), width=5)


def _crack(brush: ImageDraw.ImageDraw, chance: random.Random, *, start: tuple[int, int], steps: int) -> None:
    x, y = start
    for _ in range(steps):
        nx, ny = x + chance.randint(-34, 34), y + chance.randint(10, 24)
        brush.line((x, y, nx, ny), fill=CRACK, width=chance.randint(4, 8))
        x, y = nx, ny


_DRAW = {"cracked": _cracked, "torn": _torn, "empty_box": _empty_box, "receipt": _receipt}
