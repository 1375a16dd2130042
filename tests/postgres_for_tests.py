"""One throw-away PostgreSQL for a whole test run, shared by all its worker processes."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from makegood.kit.postgres import embedded, roles

_PREFIX = "makegood-tests-"


def server() -> embedded.Server:
    """Start the run's server, or join it where another worker of the run was first; stopped by the last one out."""
    return _start(os.getpid())


@cache
def _start(_process: int) -> embedded.Server:
    # Not below pytest's own folder: that path is long, and closed to the user the server runs as.
    base = Path(tempfile.gettempdir())
    _remove_leftovers(base)
    return embedded.start(base / f"{_PREFIX}{os.geteuid()}-{_run_id()}", fsync=False, throw_away=True)


def admin_dsn(dbname: str = "postgres") -> str:
    """The superuser's connection URL."""
    return server().dsn("admin", dbname)


def database_name() -> str:
    """The database of this worker."""
    return f"makegood_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def create_database(name: str) -> None:
    """A fresh database with Makegood's roles and rights in it; one of that name is dropped first."""
    drop_database(name)
    roles.prepare(admin_dsn(), name)


def drop_database(name: str) -> None:
    with psycopg.connect(admin_dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def stop() -> None:
    """Give back this process's share; also done at exit."""
    if _start.cache_info().currsize:
        server().stop(remove=True)
        _start.cache_clear()


def _run_id() -> str:
    # Workers of pytest-xdist are told the id of their run; its main process is told nothing and needs no database.
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", f"pid{os.getpid()}")[:16]


def _remove_leftovers(base: Path) -> None:
    """Clear what a killed run left; a server in use is never touched."""
    for folder in base.glob(f"{_PREFIX}{os.geteuid()}-*"):
        if ".removed-" not in folder.name:  # being deleted by its last user
            embedded.stop_unused(folder, remove=True)
