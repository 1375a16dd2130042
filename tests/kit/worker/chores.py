"""Tasks for the worker to run in tests: some good, some that kill it."""

from __future__ import annotations

import os
import time

from makegood.kit import db, jobs

TABLES = """
create table if not exists chore_run (key text, at timestamptz default clock_timestamp());
create table if not exists chore_done (key text primary key, at timestamptz default clock_timestamp());
create table if not exists chore_due (
    id bigserial primary key, merchant_id bigint, due_at timestamptz, fired_at timestamptz, times int default 0);
"""


@jobs.task("chores.note")
def note(key: str, seconds: float = 0) -> None:
    """Say that it began; after a while do the one effect, which cannot be done twice."""
    db.execute("insert into chore_run (key) values (%s)", [key])
    time.sleep(seconds)
    db.execute("insert into chore_done (key) values (%s) on conflict do nothing", [key])


@jobs.task("chores.fail")
def fail(key: str) -> None:
    db.execute("insert into chore_run (key) values (%s)", [key])
    raise RuntimeError(key)


@jobs.task("chores.abort")
def abort(key: str) -> None:
    db.execute("insert into chore_run (key) values (%s)", [key])
    os.abort()
