"""The worker as a real process, with its database and its life taken away."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from makegood.kit.worker import dead_jobs, parked_jobs
from tests.kit.worker.conftest import (
    Start,
    count,
    cut_connections,
    leave,
    restart_immediately,
    until,
)

TODO = "status in ('todo', 'doing')"


def all_done(n: int) -> Any:
    return lambda: count("chore_done") == n and count("procrastinate_jobs", TODO) == 0


def test_jobs_are_done_and_sigterm_ends_the_process_with_zero_after_the_running_one(start_worker: Start) -> None:
    worker = start_worker()
    leave("chores.note", key="quick")
    until(all_done(1))
    leave("chores.note", key="slow", seconds=1)
    until(lambda: count("chore_run", "key = 'slow'") == 1)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 0
    assert count("chore_done", "key = 'slow'") == 1
    assert count("procrastinate_jobs", "status = 'succeeded'") == 2
    assert count("procrastinate_workers") == 0


def test_every_job_of_a_killed_worker_is_done_by_another_and_has_one_effect(start_worker: Start) -> None:
    for number in range(12):
        leave("chores.note", key=str(number), seconds=0.5)
    doomed = start_worker(concurrency=4)
    until(lambda: count("procrastinate_jobs", "status = 'doing'") == 4)
    doomed.kill()
    doomed.wait()

    start_worker(concurrency=4)

    until(all_done(12))
    assert count("chore_run") > 12  # the killed ones began twice
    assert not dead_jobs()


def test_an_unknown_task_is_parked_without_a_mark_until_a_version_comes_that_knows_it(start_worker: Start) -> None:
    leave("chores.of_the_future", key="x")
    leave("chores.note", key="known", said_by_a_newer_version=True)
    start_worker()
    until(lambda: all_parked() and count("chore_done", "key = 'known'") == 1)
    assert [job.name for job in parked_jobs()] == ["chores.of_the_future"]
    assert not dead_jobs()


def all_parked() -> bool:
    return count("procrastinate_jobs", "status = 'todo' and scheduled_at is not null and attempts = 0") == 1


def test_a_job_that_always_raises_ends_dead_after_its_tries_and_others_progress(start_worker: Start) -> None:
    leave("chores.fail", key="poison")
    for number in range(5):
        leave("chores.note", key=str(number))
    start_worker(attempts=3)

    until(lambda: len(dead_jobs()) == 1)

    [dead] = dead_jobs()
    assert (dead.name, dead.attempts, dead.arguments["key"]) == ("chores.fail", 3, "poison")
    assert dead.since is not None
    assert count("chore_run", "key = 'poison'") == 3
    assert count("chore_done") == 5


@pytest.mark.parametrize("how", ["restart", "cut"])
def test_the_worker_lives_on_when_its_database(how: str, start_worker: Start, queue: Any) -> None:
    worker = start_worker(concurrency=4)
    for number in range(60):
        leave("chores.note", key=str(number), seconds=0.05)
        if number % 20 == 10:
            until(lambda: count("chore_done") > 0)
            if how == "restart":
                restart_immediately(queue)
            else:
                for _ in range(5):
                    cut_connections(queue)
                    time.sleep(0.1)  # between cuts, so that each meets connections to cut

    until(all_done(60))

    assert worker.poll() is None
    assert count("procrastinate_jobs", "status = 'succeeded'") == 60


def test_a_job_that_kills_its_process_ends_dead_and_the_jobs_beside_it_are_done(start_worker: Start) -> None:
    leave("chores.abort", key="poison")
    for number in range(8):
        leave("chores.note", key=str(number), seconds=0.1)
    workers = [start_worker(attempts=3)]

    def it_is_over() -> bool:
        if workers[-1].poll() is not None:
            workers.append(start_worker(attempts=3))  # as whoever runs it does
        return count("chore_done") == 8 and len(dead_jobs()) == 1

    until(it_is_over, seconds=60)

    assert dead_jobs()[0].name == "chores.abort"
    assert count("chore_run", "key = 'poison'") == 3
    assert [worker.poll() for worker in workers[:3]] == [-signal.SIGABRT] * 3
