"""What moves by itself while pages load: every page of the demo shop in a real browser, as over a telephone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench.figures import Figure
from bench.ground import Ground

NAME = "faces.layout_shift"


def measure(ground: Ground) -> list[Figure]:
    """``faces.layout_shift``: the cumulative layout shift of the worst page, at two widths in both languages."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's library runs a loop in this thread
    from django.conf import settings

    from tests.browser.live import CHROMIUM, browser, site

    if not CHROMIUM:
        return [Figure(NAME, None, "no chromium on this machine")]
    from tests.browser import every_page, shifting
    from tests.browser.test_every_page import one_of_each

    settings.ALLOWED_HOSTS, settings.DEMO = ["*"], True
    worst: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as uploads:
        settings.UPLOADS_DIR = Path(uploads)
        every_page.load()
        with site() as address, browser() as opened:
            pages = one_of_each(every_page.visits())
            if not ground.size.peers:
                pages = pages[:4]
            for language in ("zh", "en"):
                for width in (360, 1280):
                    for name, found in shifting.look(opened, pages, address, language=language, width=width):
                        worst[f"{name} {language} {width}"] = found.worst
    ahead = sorted(worst.items(), key=lambda one: -one[1])[:5]
    return [
        Figure(
            NAME,
            ahead[0][1],
            f"cumulative layout shift of the worst of {len(pages)} pages of the demo shop, 360 and 1280 pixels wide, in"
            " both languages; every file comes 80 ms later, at 1.5 MB a second, and none is kept",
            {"worst pages": dict(ahead)},
        )
    ]
