"""The ground all tests stand on: a real PostgreSQL, the application's own role, and a fresh merchant each.

Nothing is rolled back after a test: every test works for merchants of its own, so tests cannot see each
other's rows, and what happens at commit (deferred constraints, jobs) really happens.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser

from makegood.kit import db, tenancy
from tests import postgres_for_tests
from tests.browser.live import CHROMIUM, browser

# The browser's library runs an event loop in this thread, where Django would refuse to touch the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
SHARED_DATA = Path(os.environ.get("MAKEGOOD_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def database(django_db_blocker: Any) -> Iterator[None]:
    """A migrated database of this worker's own, reached in the application's role."""
    server = postgres_for_tests.server()
    name = postgres_for_tests.database_name()
    postgres_for_tests.create_database(name)
    for alias, role in (("default", "makegood_app"), ("owner", "makegood_owner")):
        place = {"NAME": name, "USER": role, "HOST": str(server.socket_dir), "PORT": ""}
        connections[alias].close()
        connections[alias].settings_dict.update(place)
        settings.DATABASES[alias].update(place)
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0)
        connections["owner"].close()
        yield
        connections.close_all()
    postgres_for_tests.drop_database(name)


def open_merchant(*, currency: str = "CNY", market: str = "CN", time_zone: str = "Asia/Shanghai") -> int:
    """A new merchant, unlike every other; its id."""
    with db.atomically():
        row = db.fetch_one(
            "select makegood_open_merchant(%s, %s, %s, %s, %s, %s, '{}', %s) as id",
            [f"m{os.getpid()}-{next(_numbers)}", "测试店", "Test shop", market, currency, time_zone, NOON],
        )
    assert row is not None
    return int(row["id"])


@pytest.fixture
def merchant() -> Iterator[int]:
    """A merchant of this test's own, in sight for its whole length."""
    merchant_id = open_merchant()
    with db.atomically():
        db.execute("delete from accounts_tries")  # counted by address, which all tests share
    with tenancy.acting_for(merchant_id):
        yield merchant_id


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a worker: its library runs one event loop a thread, and only one at a time."""
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    with browser() as opened:
        yield opened
