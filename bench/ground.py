"""The ground figures are measured on: a throw-away PostgreSQL that syncs as in production, migrated, with merchants."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import django

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # Monday noon in Shanghai
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: the real thing, or just enough to see that every measurement works."""

    rounds: int
    settles: int  # cases settled in one round
    import_orders: tuple[int, ...]
    http_seconds: float
    cases: tuple[int, ...]
    postings: tuple[int, ...]
    open_deadlines: int
    reads: int
    rulings: int  # generated cases on which the back ends are compared
    claims: int  # rows of a back-test
    zen_cases: int
    mutants_every: int  # every how-manieth changed pack is tried
    face_cases: int  # of the merchant whose pages are looked at
    face_reads: int  # of each page
    peers: bool


FULL = Size(
    rounds=12,
    settles=10,
    import_orders=(20_000, 100_000),
    http_seconds=8.0,
    cases=(1_000, 100_000, 1_000_000),
    postings=(10, 1_000, 100_000),
    open_deadlines=1_000_000,
    reads=300,
    rulings=1_000_000,
    claims=1_000_000,
    zen_cases=100_000,
    mutants_every=10,
    face_cases=100_000,
    face_reads=20,
    peers=True,
)
QUICK = Size(
    rounds=2,
    settles=2,
    import_orders=(200, 400),
    http_seconds=0.5,
    cases=(50, 200),
    postings=(10, 40),
    open_deadlines=300,
    reads=20,
    rulings=2_000,
    claims=5_000,
    zen_cases=500,
    mutants_every=40,
    face_cases=100,
    face_reads=2,
    peers=False,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """Connection URLs by role; the folder everything of this run is in; how much to measure."""

    folder: Path
    admin_dsn: str
    owner_dsn: str
    app_dsn: str
    server_version: str
    size: Size


@contextmanager
def prepared(size: Size) -> Iterator[Ground]:
    """Start the database, migrate it and set Django up in this process; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="makegood-bench-") as kept:
        base = Path(kept)
        base.chmod(0o755)
        os.environ["MAKEGOOD_DATA_DIR"] = str(base / "data")
        os.environ.pop("MAKEGOOD_DATABASE_URL", None)
        os.environ["MAKEGOOD_LOG_LEVEL"] = "ERROR"
        os.environ["DJANGO_SETTINGS_MODULE"] = "makegood.config.settings"
        from makegood.kit.postgres import embedded

        server = embedded.start(base / "data", fsync=True, throw_away=True)
        try:
            yield _migrated(server, base, size)
        finally:
            from django.db import connections

            connections.close_all()
            server.stop(remove=True)


def _migrated(server: object, folder: Path, size: Size) -> Ground:
    from django.core.management import call_command
    from django.db import connections

    from makegood.kit.postgres import embedded

    assert isinstance(server, embedded.Server)
    django.setup()
    call_command("migrate", database="owner", verbosity=0)
    connections["owner"].close()

    from makegood.accounts import environment

    environment.adopt_database(at=NOON)
    environment.release_payouts()
    return Ground(folder, server.dsn("admin"), server.dsn("owner"), server.dsn("app"), server.version, size)


def open_merchant() -> int:
    """A merchant like no other; its id."""
    from makegood.kit import db

    with db.atomically():
        row = db.fetch_one(
            "select makegood_open_merchant(%s, %s, %s, 'CN', 'CNY', 'Asia/Shanghai', '{}', %s) as id",
            [f"bench-{os.getpid()}-{next(_numbers)}", "基准店", "Bench shop", NOON],
        )
    assert row is not None
    return int(row["id"])
