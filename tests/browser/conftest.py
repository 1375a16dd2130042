"""Tests of pages in a real browser: one site and one browser for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.browser import every_page
from tests.browser.live import site


@pytest.fixture(scope="session")
def address(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, with a folder of its own for uploads."""
    kept = settings.UPLOADS_DIR
    settings.UPLOADS_DIR = Path(tmp_path_factory.mktemp("uploads"))
    with site() as running:
        yield running
    settings.UPLOADS_DIR = kept


@pytest.fixture(scope="session")
def demo(address: str) -> int:
    """The demo shop, which is loaded once; its merchant's id."""
    return every_page.load()


@pytest.fixture(scope="session")
def demo_visits(demo: int) -> list[every_page.Visit]:
    """Every page of the demo shop."""
    return every_page.visits()
