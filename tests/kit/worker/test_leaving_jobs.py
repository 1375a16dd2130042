"""A job commits with the data it is about; every name left has a task; deadlines cost the queue nothing."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

import makegood
from makegood.kit import db, jobs, tenancy
from makegood.kit.worker import Pace, dead_jobs, delete_finished, rescue_stalled, revive
from makegood.kit.worker.housekeeping import refresh_statistics
from makegood.kit.worker.rescue import JobUnknown
from tests.conftest import open_merchant
from tests.kit.worker.conftest import Start, count, leave, until

SOURCES = Path(makegood.__file__).parent


def names_left() -> Iterator[tuple[str, str, str | None]]:
    """(file, task, queue) of every ``jobs.leave(…)`` in the source."""
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"jobs.leave", "leave"}:
                queue = next((word.value for word in node.keywords if word.arg == "queue"), None)
                yield str(path.relative_to(SOURCES)), said(node.args[0], path), said(queue, path) if queue else None


def said(word: ast.expr, path: Path) -> str:
    """The text of a literal, or of a constant that the module knows by name."""
    if isinstance(word, ast.Constant):
        return str(word.value)
    module = ".".join(("makegood", *path.relative_to(SOURCES).with_suffix("").parts))
    assert isinstance(word, ast.Name), f"{path}:{word.lineno}: the name must stand in the source"
    return str(getattr(import_module(module), word.id))


def test_every_job_left_anywhere_has_a_task_on_its_queue() -> None:
    left = list(names_left())
    assert left
    for where, name, queue in left:
        assert name in jobs.tasks(), f"{where} leaves {name}, which no task does"
        assert queue in {None, jobs.tasks()[name]}, f"{where} leaves {name} on another queue than its task's"


@db.command
def leave_and_fail() -> None:
    jobs.leave("chores.note", key="y")
    raise ZeroDivisionError


def test_a_job_is_invisible_before_commit_and_gone_after_rollback(queue: Any) -> None:
    def seen_by_another() -> Any:
        with psycopg.connect(queue.dsn("app")) as other:
            return other.execute("select count(*) from procrastinate_jobs").fetchone()

    with db.atomically():
        jobs.leave("chores.note", key="x")
        assert seen_by_another() == (0,)
        assert count("procrastinate_jobs") == 1
    assert seen_by_another() == (1,)

    with pytest.raises(ZeroDivisionError):
        leave_and_fail()
    with db.rehearsal():
        jobs.leave("chores.note", key="z")
        assert count("procrastinate_jobs") == 2
    assert seen_by_another() == (1,)


def test_a_job_needs_a_transaction_and_a_merchant(queue: Any) -> None:
    with pytest.raises(db.NotInTransaction):
        jobs.leave("chores.note", key="x")
    tenancy._merchant.set(None)
    with pytest.raises(tenancy.NoMerchant):
        leave("chores.note", key="x")


def test_a_task_runs_for_the_merchant_it_was_left_by(queue: Any, start_worker: Start) -> None:
    ours = tenancy.require_merchant_id()
    leave("chores.whose", key="ours")
    theirs = open_merchant()
    with tenancy.acting_for(theirs):
        leave("chores.whose", key="theirs")
    start_worker()
    until(lambda: count("chore_done") == 2)
    assert {row["key"] for row in db.fetch("select key from chore_done")} == {f"ours {ours}", f"theirs {theirs}"}


def test_a_hundred_thousand_open_deadlines_do_not_slow_the_fetch_of_a_job(queue: Any) -> None:
    def fastest_fetch() -> float:
        times = []
        for _ in range(40):
            leave("chores.note", key="x")
            began = time.perf_counter()
            with transaction.atomic():
                db.fetch("select id from procrastinate_fetch_job_v2(null, null)")
            times.append(time.perf_counter() - began)
        return min(times)

    before = fastest_fetch()
    with psycopg.connect(queue.dsn("admin"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")  # without the cases they belong to
        admin.execute(
            "insert into cases_deadline (merchant_id, case_id, wait, party, silence, starts_at, due_at, provisional,"
            " state) select 1, n, 'reply', 'agent', 'escalate', now(), now() + n * interval '1 minute', false, 'open'"
            " from generate_series(1, 100000) n"
        )
        try:
            after = fastest_fetch()
        finally:
            admin.execute("delete from cases_deadline")
    assert after < 3 * before, f"{before * 1000:.2f} ms before, {after * 1000:.2f} ms after"


def in_state(status: str, days_ago: int) -> int:
    """A job that came to this state so many days ago."""
    with db.atomically():
        row = db.fetch_one(
            "insert into procrastinate_jobs (queue_name, task_name, status) values ('default', 'chores.note', %s)"
            " returning id",
            [status],
        )
        assert row is not None
        db.execute(
            "insert into procrastinate_events (job_id, type, at)"
            " values (%s, 'deferred', now() - make_interval(days => %s))",
            [row["id"], days_ago],
        )
    return int(row["id"])


def test_finished_jobs_are_deleted_when_old_dead_ones_much_later_and_open_ones_never(queue: Any) -> None:
    kept = [in_state("succeeded", 1), in_state("failed", 15), in_state("todo", 900), in_state("doing", 900)]
    for status, days in (("succeeded", 3), ("cancelled", 3), ("failed", 21)):
        in_state(status, days)

    assert delete_finished(Pace().keep_days) == 3

    assert [row["id"] for row in db.fetch("select id from procrastinate_jobs order by id")] == kept


def test_a_dead_job_is_revived_once_and_an_unknown_one_refused(queue: Any) -> None:
    job_id = in_state("failed", 1)
    assert [dead.id for dead in dead_jobs()] == [job_id]
    revive(job_id)
    assert not dead_jobs()
    with pytest.raises(JobUnknown):
        revive(job_id)


def test_statistics_are_renewed_after_a_burst_by_the_application_s_own_role(queue: Any) -> None:
    def analysed() -> int:
        with connections["owner"].cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
            cursor.execute("select analyze_count from pg_stat_user_tables where relname = 'procrastinate_jobs'")
            return int(cursor.fetchone()[0])

    before = analysed()
    with db.atomically():
        for _ in range(700):
            jobs.leave("chores.note", key="x")
    db.execute("select pg_stat_force_next_flush()")
    refresh_statistics()
    connection.close()  # a backend's counts are seen by others when it is idle, at the latest when it is gone
    until(lambda: analysed() == before + 1)


def test_the_queue_is_vacuumed_early(queue: Any) -> None:
    [row] = db.fetch("select reloptions from pg_class where relname = 'procrastinate_jobs'")
    assert "autovacuum_vacuum_scale_factor=0.02" in row["reloptions"]


def test_jobs_of_a_live_worker_are_left_to_it_and_of_a_silent_one_taken_back(queue: Any) -> None:
    for silent_s in (0, 100):
        with db.atomically():
            leave_in = db.fetch_one(
                "insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s))"
                " returning id",
                [silent_s],
            )
            assert leave_in is not None
            jobs.leave("chores.note", key=str(silent_s))
            db.fetch("select id from procrastinate_fetch_job_v2(null, %s)", [leave_in["id"]])

    rescued = rescue_stalled(30)

    rows = db.fetch("select id, args ->> 'key' as key, status::text, attempts from procrastinate_jobs order by id")
    assert [(row["key"], row["status"], row["attempts"]) for row in rows] == [("0", "doing", 0), ("100", "todo", 1)]
    assert rescued == [rows[1]["id"]]


def test_a_job_fetched_and_lost_by_a_live_worker_is_done_all_the_same(start_worker: Start) -> None:
    start_worker()
    until(lambda: count("procrastinate_workers") == 1)
    with db.atomically():
        jobs.leave("chores.note", key="lost")
        db.execute(
            "update procrastinate_jobs set status = 'doing', worker_id = (select max(id) from procrastinate_workers)"
        )
    until(lambda: count("chore_done", "key = 'lost'") == 1)


def test_a_worker_taken_for_dead_while_it_lives_goes_on_under_a_new_number(start_worker: Start) -> None:
    worker = start_worker()
    until(lambda: count("procrastinate_workers") == 1)
    db.execute("delete from procrastinate_workers")
    for number in range(5):
        leave("chores.note", key=str(number))
    until(lambda: count("chore_done") == 5)
    assert worker.poll() is None


@pytest.mark.parametrize("attempt", range(jobs.ATTEMPTS))
def test_waits_double_and_spread(attempt: int) -> None:
    waits = [jobs.wait_before(attempt) for _ in range(50)]
    assert min(waits) >= min(3600, 2 * 2**attempt) * 0.5
    assert max(waits) <= min(3600, 2 * 2**attempt) * 1.5
    assert len(set(waits)) > 10
