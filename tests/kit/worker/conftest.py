"""A server and a queue of their own for the worker: it would do the jobs that other tests leave, and it restarts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connections

from makegood.kit import db, jobs, tenancy
from makegood.kit.postgres import cluster, embedded
from tests.conftest import open_merchant
from tests.kit.worker import chores

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def own_server(database: None, django_db_blocker: Any) -> Iterator[embedded.Server]:
    """A migrated server that only the tests of this folder use."""
    folder = Path(tempfile.mkdtemp(prefix="mg-worker-"))
    server = embedded.start(folder / "data")  # with fsync: what was committed must outlive the crashes
    with django_db_blocker.unblock(), _django_on(server):
        call_command("migrate", database="owner", verbosity=0)
        with connections["owner"].cursor() as cursor:
            cursor.execute(chores.TABLES)
    yield server
    server.stop()
    shutil.rmtree(folder)


class _django_on:  # noqa: N801
    """Django's connections on the server, for a block."""

    def __init__(self, server: embedded.Server) -> None:
        self.place = {"NAME": "makegood", "HOST": str(server.socket_dir), "PORT": ""}
        self.before: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> None:
        for alias in ("default", "owner"):
            self.before[alias] = {key: settings.DATABASES[alias][key] for key in self.place}
            self._move(alias, self.place)

    def __exit__(self, *_: object) -> None:
        for alias, place in self.before.items():
            self._move(alias, place)

    def _move(self, alias: str, place: dict[str, Any]) -> None:
        connections[alias].close()
        connections[alias].settings_dict.update(place)
        settings.DATABASES[alias].update(place)


@pytest.fixture
def queue(own_server: embedded.Server) -> Iterator[embedded.Server]:
    """An empty queue; the test's own connections are on its server."""
    with _django_on(own_server):
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "truncate procrastinate_jobs, procrastinate_workers, chore_run, chore_done, chore_due cascade"
            )
        with tenancy.acting_for(open_merchant()):
            yield own_server


def leave(name: str, **arguments: Any) -> None:
    """One job, in a transaction of its own."""
    with db.atomically():
        jobs.leave(name, **arguments)


def count(table: str, condition: str = "true") -> int:
    return int(db.fetch(f"select count(*) as n from {table} where {condition}")[0]["n"])


def until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait until it is so; fails after so many seconds. A database that is just restarting is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except Error:
            connections["default"].close()
        assert time.monotonic() < deadline, state()
        time.sleep(0.05)


def state() -> str:
    """What the queue looks like, for the message of a test that waited in vain."""
    rows = db.fetch(
        "select j.id, j.status, j.attempts, j.worker_id, j.args, j.scheduled_at - now() as due_in,"
        " now() - w.last_heartbeat as silent from procrastinate_jobs j left join procrastinate_workers w"
        " on w.id = j.worker_id where j.status <> 'succeeded' order by j.id limit 20"
    )
    return "\n".join(["it did not come to be; the queue:", *map(str, rows)])


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(queue: embedded.Server) -> Iterator[Start]:
    """Starts worker processes; whoever is left at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**arguments: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            worker_command(**arguments), cwd=REPOSITORY, env=worker_environment(queue), start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def worker_command(**arguments: Any) -> list[str]:
    return [sys.executable, "-m", "tests.kit.worker.process", json.dumps(arguments)]


def worker_environment(server: embedded.Server, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "MAKEGOOD_DATABASE_URL": server.dsn("app"),
        "MAKEGOOD_OWNER_URL": server.dsn("owner"),
        "MAKEGOOD_DATA_DIR": str(server.layout.data_dir),
        "DJANGO_SETTINGS_MODULE": "makegood.config.settings",
        **more,
    }


def restart_immediately(server: embedded.Server) -> None:
    """As ``pg_ctl restart -m immediate``: SIGQUIT to the postmaster, and up again through crash recovery."""
    cluster_dir = server.layout.cluster
    pid = cluster.postmaster(cluster_dir)
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    assert cluster.wait_until(lambda: cluster.postmaster(cluster_dir) is None, seconds=20)
    embedded.start(server.layout.data_dir).stop()
    connections["default"].close()  # the test's own was cut too


def cut_connections(server: embedded.Server, user: str = "makegood_app") -> None:
    """Cut every connection of the role but none of the superuser's."""
    with psycopg.connect(server.dsn("admin"), autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [user])
    connections["default"].close()  # the test's own was cut too
