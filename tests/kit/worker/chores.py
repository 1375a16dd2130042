"""Tasks for the worker to run in tests: some good, some that kill it."""

from __future__ import annotations

import os
import time
from datetime import datetime

from makegood.kit import db, jobs, tenancy

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


def merchants_due(at: datetime, limit: int) -> list[int]:
    rows = db.fetch(
        "select distinct merchant_id from (select merchant_id from chore_due"
        " where due_at <= %s and fired_at is null order by due_at limit %s) as due",
        [at, limit],
    )
    return [row["merchant_id"] for row in rows]


def ring(at: datetime) -> int:
    """Fire what is due of the merchant in sight, two rows a batch."""
    with db.atomically():
        return db.execute(
            "update chore_due set fired_at = clock_timestamp(), times = times + 1 where id in ("
            " select id from chore_due where merchant_id = %s and due_at <= %s and fired_at is null"
            " order by due_at limit 2 for update skip locked)",
            [tenancy.require_merchant_id(), at],
        )


RING = jobs.sweep("chores.ring", 0.1, merchants=merchants_due, work=ring)


@jobs.task("chores.whose", queue="notify")
def whose(key: str) -> None:
    """Say for whom the database works."""
    with db.atomically():
        db.execute(
            "insert into chore_done (key) values (%s || ' ' || current_setting('makegood.merchant'))"
            " on conflict do nothing",
            [key],
        )
