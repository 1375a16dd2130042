"""Sweeps: what fell due is done once, for every merchant, on the database's clock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from makegood.kit import db, jobs, tenancy
from makegood.kit.worker import sweep_round
from makegood.kit.worker.sweeping import HeldBack
from tests.kit.worker import chores
from tests.kit.worker.conftest import Start, count, leave, until


def due(merchant_id: int, seconds: float, n: int = 1) -> None:
    """Rows due so many seconds after the database's now."""
    db.execute(
        "insert into chore_due (merchant_id, due_at) select %s, now() + make_interval(secs => %s)"
        " from generate_series(1, %s)",
        [merchant_id, seconds, n],
    )


@pytest.fixture
def rows(queue: object) -> Iterator[None]:
    yield
    connection.close()


def test_every_merchant_s_due_rows_are_done_in_batches_and_later_ones_left(rows: None) -> None:
    due(101, -10, n=5)
    due(102, -1)
    due(103, 60)

    swept = sweep_round(chores.RING)

    assert count("chore_due", "times = 1") == 6
    assert count("chore_due", "fired_at is null and merchant_id = 103") == 1
    assert swept.swept == 4 + 2  # 2 + 2 + 1 + 0 rows of one merchant, 1 + 0 of the other
    assert sweep_round(chores.RING).swept == 0


def failing_for(bad: int) -> jobs.Sweep:
    def work(at: datetime) -> int:
        if tenancy.require_merchant_id() == bad:
            raise RuntimeError("this merchant's rows are broken")
        return chores.ring(at)

    return jobs.Sweep("chores.break", 1, chores.merchants_due, work)


def test_a_merchant_whose_work_fails_stops_nobody_and_is_held_back_then_tried_again(rows: None) -> None:
    due(201, -10)
    due(202, -1)
    held_back = HeldBack(first_wait_s=0)

    first = sweep_round(failing_for(201), held_back)
    second = sweep_round(failing_for(201), held_back)

    assert first.failed == second.failed == (201,)
    assert count("chore_due", "merchant_id = 202 and times = 1") == 1

    held_back.failed(201)
    long = HeldBack(first_wait_s=600)
    long.failed(201)
    assert sweep_round(chores.RING, long).held_back == (201,)
    assert count("chore_due", "merchant_id = 201 and times = 0") == 1
    assert sweep_round(chores.RING, held_back).failed == ()
    assert count("chore_due", "merchant_id = 201 and times = 1") == 1


def test_a_held_back_merchant_with_thousands_of_rows_in_front_hides_nobody(rows: None) -> None:
    due(301, -100, n=2500)
    due(302, -1)
    held_back = HeldBack(first_wait_s=600)
    held_back.failed(301)

    sweep_round(chores.RING, held_back)

    assert count("chore_due", "merchant_id = 302 and times = 1") == 1


@pytest.mark.parametrize("hours", [-1, 1, 24 * 400])
def test_a_machine_whose_clock_is_wrong_sweeps_neither_early_nor_late(hours: int, rows: None) -> None:
    due(401, 1800)
    due(402, -1)
    told: list[datetime] = []

    def work(at: datetime) -> int:
        told.append(at)
        return chores.ring(at)

    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=hours)):
        sweep_round(jobs.Sweep("chores.listen", 1, chores.merchants_due, work))

    assert count("chore_due", "times = 1") == count("chore_due", "merchant_id = 402") == 1
    now: Any = db.fetch("select clock_timestamp() as now")[0]["now"]
    assert told
    assert all(abs(now - at) < timedelta(seconds=30) for at in told)


def test_four_sweepers_at_once_fire_each_row_once(rows: None) -> None:
    due(501, -10, n=60)
    due(502, -10, n=60)

    def sweep(_: int) -> int:
        try:
            return sweep_round(chores.RING).swept
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, range(4))) >= 60

    assert count("chore_due", "times = 1") == 120


def test_after_three_days_without_a_worker_each_deadline_fires_once_and_keeps_its_due_date(
    start_worker: Start, queue: object
) -> None:
    due(601, -3 * 86_400, n=7)
    leave("chores.note", key="left three days ago")
    for _ in range(2):
        start_worker()

    until(lambda: count("chore_due", "fired_at is null") == 0 and count("chore_done") == 1)

    assert count("chore_due", "times = 1 and fired_at - due_at > interval '2 days 23 hours'") == 7


def test_a_worker_whose_clock_is_an_hour_fast_retries_soon_and_fires_nothing_early(start_worker: Start) -> None:
    due(701, 1800)
    due(701, -1)
    leave("chores.fail", key="again")
    start_worker(clock_wrong_by_s=3600, attempts=3)

    until(lambda: count("chore_run", "key = 'again'") == 3)  # an hour's wait would not be over

    assert count("chore_due", "times = 1") == 1
