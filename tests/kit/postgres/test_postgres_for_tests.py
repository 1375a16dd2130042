"""The test run's own server is shared by its workers and never outlives them."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from makegood.kit.postgres import cluster
from tests import postgres_for_tests as pg

ROOT = Path(__file__).parents[3]
WORKER = """
import sys, psycopg
from tests import postgres_for_tests as pg
pg.create_database(pg.database_name())
with psycopg.connect(pg.admin_dsn(pg.database_name())) as connection:
    print(connection.execute("SELECT current_database(), current_setting('fsync')").fetchone(), flush=True)
sys.stdin.read()
"""


def worker(run: str, name: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {"PYTEST_XDIST_TESTRUNUID": run, "PYTEST_XDIST_WORKER": name}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def folder_of(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"makegood-tests-{os.geteuid()}-{run}"


def test_workers_share_a_server_with_a_database_each_and_leave_nothing() -> None:
    run = f"shared{os.getpid()}"
    workers = [worker(run, name) for name in ("gw0", "gw1")]

    assert sorted(map(said, workers)) == ["('makegood_test_gw0', 'off')", "('makegood_test_gw1', 'off')"]
    assert cluster.postmaster(folder_of(run) / "postgres") is not None
    for each in workers:
        each.communicate("")
    assert cluster.wait_until(lambda: not folder_of(run).exists(), seconds=30)


def test_killed_workers_leave_nothing_either() -> None:
    run = f"killed{os.getpid()}"
    one, two = worker(run, "gw0"), worker(run, "gw1")
    assert said(one)
    assert said(two)
    postmaster = cluster.postmaster(folder_of(run) / "postgres")
    assert postmaster is not None

    one.send_signal(signal.SIGKILL)
    two.send_signal(signal.SIGINT)
    one.wait()
    two.wait()

    assert cluster.wait_until(lambda: not folder_of(run).exists(), seconds=30)
    assert cluster.postmaster(folder_of(run) / "postgres") is None


def test_a_database_made_again_is_empty(tmp_path: Path) -> None:

    pg.create_database("makegood_again")
    with psycopg.connect(pg.admin_dsn("makegood_again")) as connection:
        connection.execute("CREATE TABLE left_over ()")
    pg.create_database("makegood_again")
    with psycopg.connect(pg.admin_dsn("makegood_again")) as connection:
        row = connection.execute("SELECT to_regclass('left_over')").fetchone()
    pg.drop_database("makegood_again")

    assert row == (None,)
