"""Pictures of every page, in both languages, two widths, bright and dark: ``make screenshots``.

One set alone: ``python -m tests.browser.screenshots zh-360``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

WIDTHS = (360, 1280)


@contextmanager
def demo_site() -> Iterator[str]:
    """The demo shop on a throw-away database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.config.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's library runs a loop in this thread
    import django  # noqa: PLC0415 - settings come first

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from makegood.demo.load import load_demo  # noqa: PLC0415
    from tests import postgres_for_tests  # noqa: PLC0415
    from tests.browser.live import site  # noqa: PLC0415

    server = postgres_for_tests.server()
    name = "makegood_pictures"
    postgres_for_tests.create_database(name)
    for alias, role in (("default", "makegood_app"), ("owner", "makegood_owner")):
        place = {"NAME": name, "USER": role, "HOST": str(server.socket_dir), "PORT": ""}
        connections[alias].settings_dict.update(place)
        settings.DATABASES[alias].update(place)
    with tempfile.TemporaryDirectory() as uploads:
        settings.UPLOADS_DIR, settings.DEMO = Path(uploads), True
        call_command("migrate", database="owner", verbosity=0)
        load_demo(at=datetime.now(UTC), base_url="http://127.0.0.1")
        try:
            with site() as address:
                yield address
        finally:
            connections.close_all()
            postgres_for_tests.drop_database(name)


def take(folder: Path, only: str = "") -> int:
    """Every page into ``folder``; how many pictures. ``only`` is one set, such as ``zh-360`` or ``en-1280-dark``.

    Each page as somebody who may see it; queue and overview as every role; what is on the way into an order, by a tour.
    """
    from tests.browser.live import browser, visitor  # noqa: PLC0415 - after the settings

    count = 0
    with demo_site() as address, browser() as opened:
        from tests.browser import every_page  # noqa: PLC0415 - its modules need the settings
        from tests.browser.tours import portal_tour  # noqa: PLC0415

        every_page.load()
        pages = [*every_page.visits(), *every_page.of_roles()]
        for name, language, width, dark in sets():
            if only not in {"", name}:
                continue
            for who in dict.fromkeys(one.who for one in pages):
                with visitor(opened, language=language, width=width, dark=dark) as context:
                    every_page.enter(context, who, address, language=language)
                    page = context.new_page()
                    for one in (one for one in pages if one.who == who):
                        page.goto(address + one.path)
                        _shoot(page, folder / name / f"{one.name.replace(':', '-')}.png")
                        count += 1
            with visitor(opened, language=language, width=width, dark=dark) as context:
                page = context.new_page()
                for step in portal_tour(page, address):
                    _shoot(page, folder / name / f"tour-{step}.png")
                    count += 1
    return count


def sets() -> Iterator[tuple[str, str, int, bool]]:
    """Name, language, width, and whether dark."""
    for dark in (False, True):
        for language in ("zh", "en"):
            for width in WIDTHS:
                yield f"{language}-{width}{'-dark' if dark else ''}", language, width, dark


def _shoot(page: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("load")  # live pages keep a connection open, so that the network never falls silent
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    made = take(Path("screenshots"), *sys.argv[1:2])
    sys.stderr.write(f"{made} pictures\n")
