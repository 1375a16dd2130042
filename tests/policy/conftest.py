"""Policy is pure: its tests need no database, so the one all other tests stand on is not started here."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def database() -> None:
    """Replace the fixture of the same name that starts PostgreSQL."""
